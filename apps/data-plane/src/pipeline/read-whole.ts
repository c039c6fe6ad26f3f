import { GatewayError } from '@gatehouse/errors';
import type { StreamedBody } from './request.ts';

/**
 * A body that has to be read to its end before anything of it goes on.
 * @throws GatewayError upstream_failed for one of more than `maxBytes`, and as the body fails
 */
export function readWhole(body: StreamedBody, maxBytes: number): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    body.pipe({
      write: (chunk) => {
        bytes += chunk.length;
        if (bytes <= maxBytes) chunks.push(chunk);
        else {
          chunks.length = 0;
          body.abort();
          reject(new GatewayError('upstream_failed', { detail: `an answer of more than ${maxBytes} bytes, which has to be read before it goes on` }));
        }
        return true;
      },
      end: () => resolve(chunks),
      fail: reject,
    });
  });
}

/** A body that is here already. */
export function readAlready(chunks: readonly Buffer[]): StreamedBody {
  return {
    pipe: (sink) => {
      for (const chunk of chunks) sink.write(chunk);
      sink.end();
    },
    resume: () => undefined,
    abort: () => undefined,
  };
}

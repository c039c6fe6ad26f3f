import type { GatewayError } from '@gatehouse/errors';
import type { StreamedBody } from './request.ts';

/**
 * A body that says once when nothing more of it comes: it has ended, failed, or nobody wants it.
 * @param onOver hears why, where it failed: that nobody wants the rest is no failure of whoever sends it
 */
export function whenOver(body: StreamedBody, onOver: (failed?: GatewayError) => void): StreamedBody {
  let isOver = false;
  const over = (failed?: GatewayError): void => {
    if (!isOver) onOver(failed);
    isOver = true;
  };
  return {
    pipe: (sink) =>
      body.pipe({
        write: (chunk) => sink.write(chunk),
        end: () => {
          over();
          sink.end();
        },
        fail: (error) => {
          over(error);
          sink.fail(error);
        },
      }),
    resume: () => body.resume(),
    abort: () => {
      over();
      body.abort();
    },
  };
}

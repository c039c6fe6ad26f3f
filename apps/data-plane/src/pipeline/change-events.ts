import { GatewayError } from '@gatehouse/errors';
import { EventDataFilter } from '@gatehouse/mcp-protocol';
import { mapBody } from './map-body.ts';
import type { StreamedBody } from './request.ts';

/** What becomes of an upstream's events. */
export interface EventChanges {
  /** Nothing for an event that goes no further. */
  readonly data: (data: string) => string | undefined;
  readonly id?: ((id: string) => string) | undefined;
}

/** The events of a stream, each whole and changed. What `data` throws ends the stream, and the exchange with the upstream. */
export function changeEvents(body: StreamedBody, maxEventBytes: number, { data, id }: EventChanges): StreamedBody {
  return mapBody(body, () => {
    const events = new EventDataFilter(maxEventBytes, data, id);
    let isOver = false;
    return {
      write: (chunk, sink) => {
        if (isOver) return false;
        try {
          const output = events.push(chunk);
          return output.length === 0 || sink.write(output);
        } catch (error) {
          isOver = true;
          body.abort();
          sink.fail(error instanceof GatewayError ? error : new GatewayError('internal', { cause: error }));
          return false;
        }
      },
    };
  });
}

import { GatewayError } from '@gatehouse/errors';
import { EventDataFilter } from '@gatehouse/mcp-protocol';
import { mapBody } from '../pipeline/map-body.ts';
import type { StreamedBody } from '../pipeline/request.ts';

/** What becomes of what a member streams. */
export interface EventChanges {
  /** Nothing for an event that goes no further. */
  readonly data: (data: string) => string | undefined;
  readonly id?: ((id: string) => string) | undefined;
}

/** The events of a stream, each whole and changed. */
export function changedEvents(body: StreamedBody, maxEventBytes: number, { data, id }: EventChanges): StreamedBody {
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

/** Ids of events are a member's own; with its name in front they are one's of several. */
export const eventIdOf = (member: string, id: string): string => `${member}/${id}`;

export function readEventId(id: string | undefined): { readonly member: string; readonly id: string } | undefined {
  const slash = id?.indexOf('/') ?? -1;
  return id === undefined || slash <= 0 ? undefined : { member: id.slice(0, slash), id: id.slice(slash + 1) };
}

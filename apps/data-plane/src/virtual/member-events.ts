import { GatewayError } from '@gatehouse/errors';
import { EventDataFilter, type RpcId } from '@gatehouse/mcp-protocol';
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

export interface EventId {
  readonly member: string;
  /** The call whose stream it is; absent on one that is only listened on. */
  readonly call?: RpcId;
  /** The member's own. */
  readonly id: string;
}

/** Ids of events are a member's own; with its name in front they are one's of several, and say what may be answered where they go on. */
export const eventIdOf = (member: string, id: string, call?: RpcId): string => `${member}/${call === undefined ? '' : encodeURIComponent(JSON.stringify(call))}/${id}`;

export function readEventId(text: string | undefined): EventId | undefined {
  const [, member, call, id] = /^([^/]+)\/([^/]*)\/(.*)$/s.exec(text ?? '') ?? [];
  if (member === undefined || call === undefined || id === undefined) return undefined;
  if (call === '') return { member, id };
  try {
    const answered: unknown = JSON.parse(decodeURIComponent(call));
    return typeof answered === 'string' || typeof answered === 'number' ? { member, call: answered, id } : { member, id };
  } catch {
    return { member, id };
  }
}

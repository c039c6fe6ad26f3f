import type { RpcId } from '@gatehouse/mcp-protocol';

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

import { GatewayError } from '@gatehouse/errors';
import { readEnvelopes } from '@gatehouse/mcp-protocol';
import type { Reply } from '../pipeline/request.ts';
import { changeEvents, type EventChanges } from '../pipeline/change-events.ts';
import { drop, headerOf, readText } from './read-reply.ts';

/** Of the member's body; not true of another one. */
const aboutTheBody = new Set(['content-type', 'content-length', 'content-encoding', 'etag', 'last-modified', 'content-md5', 'digest', 'content-digest', 'repr-digest']);

/**
 * What a member answers, with each of its messages changed, whether they come as a stream or as one document. What clients might find
 * a message in goes no further unread.
 * @param maxBytes of a document, or of an event
 * @throws GatewayError upstream_failed, upstream_not_mcp
 */
export async function changeMessages(reply: Reply, maxBytes: number, changes: EventChanges): Promise<Reply> {
  const { status, body, isEventStream } = reply;
  if (body === undefined) return reply;
  if (isEventStream === true && typeof body === 'object') return { ...reply, body: changeEvents(body, maxBytes, changes) };
  const type = headerOf(reply, 'content-type')?.toLowerCase();
  const isEncoded = !['identity', undefined].includes(headerOf(reply, 'content-encoding')?.toLowerCase());
  if (isEncoded || type?.includes('application/json') !== true) {
    if (!isEncoded && (status >= 300 || type === undefined)) return reply;
    drop(reply);
    throw new GatewayError('upstream_not_mcp', { detail: isEncoded ? 'an answer that is compressed, which nobody asked for' : `an answer that is ${type ?? 'nothing'}` });
  }
  const text = await readText(body, maxBytes);
  const changed = text.trim() === '' || isPage(status, text) ? text : changes.data(text);
  if (changed === undefined) throw new GatewayError('upstream_failed', { detail: 'an answer with no message that may go on' });
  return withJson(reply, changed);
}

/** Of something in front of the member: nobody takes it for a message. */
const isPage = (status: number, text: string): boolean => status >= 400 && readEnvelopes(text) === undefined && !/jsonrpc/i.test(text);

function withJson(reply: Reply, body: string): Reply {
  const kept = reply.headers.filter((_, index, all) => !aboutTheBody.has((all[index - (index % 2)] as string).toLowerCase()));
  return { ...reply, headers: [...kept, 'content-type', 'application/json', 'content-length', String(Buffer.byteLength(body))], body };
}

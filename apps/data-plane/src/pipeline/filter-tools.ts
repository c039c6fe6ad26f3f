import { GatewayError } from '@gatehouse/errors';
import { filterToolLists, type ToolRules } from '@gatehouse/mcp-protocol';
import { changeEvents } from './change-events.ts';
import { readAlready, readWhole } from './read-whole.ts';
import type { Reply, StreamedBody } from './request.ts';

/** Of the upstream's body; not true of another one. */
const aboutTheBody = new Set(['content-length', 'etag', 'last-modified', 'content-md5', 'digest', 'content-digest', 'repr-digest']);

/**
 * Takes out of every tool list what may not be called. Answers are held until they are whole, so there is a bound to them; of a
 * stream, its events.
 * @throws GatewayError upstream_failed, upstream_not_mcp for what cannot be read: it might be a list
 */
export function filterTools({ mayCall }: ToolRules, reply: Reply, maxBytes: number): Reply | Promise<Reply> {
  const { body } = reply;
  if (typeof body !== 'object') return reply;
  // Uncompressed is what was asked for; this could only be passed on unread.
  if (isEncoded(reply)) {
    body.abort();
    throw new GatewayError('upstream_failed', { detail: 'a compressed answer, where tool lists have to be read' });
  }
  return reply.isEventStream ? { ...reply, body: filterEvents(body, mayCall, maxBytes) } : filterDocument(reply, body, mayCall, maxBytes);
}

async function filterDocument(reply: Reply, body: StreamedBody, mayCall: ToolRules['mayCall'], maxBytes: number): Promise<Reply> {
  const chunks = await readWhole(body, maxBytes);
  const filtered = filterToolLists(Buffer.concat(chunks).toString('utf8'), mayCall);
  // The very bytes, where nothing had to go.
  if (filtered.is === 'unchanged' || (filtered.is === 'unreadable' && reply.status >= 400)) return { ...reply, body: readAlready(chunks) };
  if (filtered.is === 'unreadable') throw new GatewayError('upstream_not_mcp', { detail: 'what may be a tool list cannot be read' });
  const headers = reply.headers.filter((_, index, all) => !aboutTheBody.has((all[index - (index % 2)] as string).toLowerCase()));
  return { ...reply, headers: [...headers, 'content-length', String(Buffer.byteLength(filtered.text))], body: filtered.text };
}

function filterEvents(body: StreamedBody, mayCall: ToolRules['mayCall'], maxBytes: number): StreamedBody {
  return changeEvents(body, maxBytes, {
    data: (data) => {
      const filtered = filterToolLists(data, mayCall);
      if (filtered.is === 'unreadable') throw new GatewayError('upstream_not_mcp', { detail: 'what may be a tool list cannot be read' });
      return filtered.is === 'changed' ? filtered.text : data;
    },
  });
}

function isEncoded({ headers }: Reply): boolean {
  return headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-encoding' && headers[index + 1]?.toLowerCase() !== 'identity');
}

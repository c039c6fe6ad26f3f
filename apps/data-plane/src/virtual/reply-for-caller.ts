import { asModernResult, markRequests } from '@gatehouse/virtual-servers';
import type { Reply } from '../pipeline/request.ts';
import type { MemberReply } from './member-calls.ts';
import { changedEvents, eventIdOf } from './member-events.ts';
import type { Member } from './members.ts';
import { readText } from './read-reply.ts';

/** The results that say how long they may be kept (MCP 2026-07-28, caching). */
const cacheable = new Set(['resources/read']);

export interface CallersRevision {
  readonly era: 'legacy' | 'modern';
  readonly method: string | undefined;
  /** Of an answer that has to be read, or of an event. */
  readonly maxBytes: number;
}

/** What a member answers, as this caller understands it. */
export function replyForCaller(answer: MemberReply, { server }: Member, { era, method, maxBytes }: CallersRevision): Reply | Promise<Reply> {
  const { session } = answer;
  const reply = withoutSession(answer.reply);
  // Its messages are in one revision, whichever: then they are what the caller speaks, or more than that.
  if (session.era === 'modern' || server.operations !== undefined) return reply;
  const { body, isEventStream } = reply;
  if (isEventStream === true && typeof body === 'object') {
    const data = era === 'modern' ? (text: string) => asModernEvent(text, cacheable.has(method ?? '')) : (text: string) => markRequests(text, server.name);
    const id = era === 'modern' ? undefined : (own: string) => eventIdOf(server.name, own);
    return { ...reply, body: changedEvents(body, maxBytes, { data, id }) };
  }
  return era === 'legacy' || reply.status !== 200 ? reply : asModern(reply, cacheable.has(method ?? ''), maxBytes);
}

async function asModern(reply: Reply, isCacheable: boolean, maxBytes: number): Promise<Reply> {
  const body = asModernEvent(await readText(reply.body, maxBytes), isCacheable);
  const kept = reply.headers.filter((_, index, all) => (all[index - (index % 2)] as string).toLowerCase() !== 'content-length');
  return { ...reply, headers: [...kept, 'content-length', String(Buffer.byteLength(body))], body };
}

function asModernEvent(text: string, isCacheable: boolean): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  return text.trimStart().startsWith('{') ? asModernResult(text, isCacheable) : text;
}

/** The client has one session, with all of them. */
function withoutSession(reply: Reply): Reply {
  const at = reply.headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'mcp-session-id');
  return at === -1 ? reply : { ...reply, headers: reply.headers.toSpliced(at, 2) };
}

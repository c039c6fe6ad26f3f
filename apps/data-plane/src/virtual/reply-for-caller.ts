import { GatewayError } from '@gatehouse/errors';
import { readEnvelopes, rpcErrorCodes } from '@gatehouse/mcp-protocol';
import { asModernResult, messagesOf, withErrorCode } from '@gatehouse/virtual-servers';
import type { Reply } from '../pipeline/request.ts';
import { changeMessages } from './change-messages.ts';
import type { MemberReply } from './member-calls.ts';
import { eventIdOf } from './event-id.ts';
import type { Member } from './members.ts';
import { drop } from './read-reply.ts';

/** The results that say how long they may be kept (MCP 2026-07-28, caching). */
const cacheable = new Set(['resources/read']);
/** Of the legacy era (MCP 2025-11-25, server/resources); invalid params are what it is in the modern one. */
const resourceNotFound = -32_002;

export interface CallersRevision {
  readonly era: 'legacy' | 'modern';
  readonly method: string | undefined;
  /** Of an answer that has to be read, or of an event. */
  readonly maxBytes: number;
}

/**
 * What a member answers, as this caller understands it: to this call, and to nothing that another member was asked.
 * @throws GatewayError upstream_failed, upstream_not_mcp
 */
export async function replyForCaller({ reply, session, id }: MemberReply, { server }: Member, { era, method, maxBytes }: CallersRevision): Promise<Reply> {
  // Those are the gateway's own words.
  if (server.operations !== undefined) return reply;
  const isLegacy = era === 'legacy';
  // A modern client is asked nothing in this way, and a modern member asks nothing.
  const from = { asks: isLegacy && session.era === 'legacy' ? server.name : undefined, answers: (answered: unknown) => answered === id || answered === null };
  const change = era === session.era ? (text: string) => text : isLegacy ? asLegacy(method) : asModern(method);
  const data = (text: string): string | undefined => {
    const passed = messagesOf(text, from);
    return passed?.trimStart().startsWith('{') === true ? change(passed) : passed;
  };
  const changed = await changeMessages(withoutSession(reply), maxBytes, { data, id: isLegacy ? (own) => eventIdOf(server.name, own, id) : undefined });
  return isLegacy ? withLegacyStatus(changed, session.era) : changed;
}

const asModern = (method: string | undefined) => (text: string): string => {
  const result = asModernResult(text, cacheable.has(method ?? ''));
  return method === 'resources/read' ? withErrorCode(result, resourceNotFound, rpcErrorCodes.invalidParams) : result;
};

const asLegacy = (method: string | undefined) => (text: string): string => (method === 'resources/read' ? withErrorCode(text, rpcErrorCodes.invalidParams, resourceNotFound) : text);

/**
 * To a legacy client 404 says that its session is over, which is the virtual server's (MCP 2025-11-25, session management). What a
 * modern member refuses with a status is for it an answer like any other.
 */
function withLegacyStatus(reply: Reply, memberEra: 'legacy' | 'modern'): Reply {
  const { status, body } = reply;
  if (status !== 404 && (status !== 400 || memberEra === 'legacy')) return reply;
  if (typeof body === 'string' && readEnvelopes(body)?.every(({ kind }) => kind === 'response') === true) return { ...reply, status: 200 };
  if (status === 400) return reply;
  drop(reply);
  throw new GatewayError('upstream_failed', { detail: 'status 404' });
}

/** The client has one session, with all of them. */
function withoutSession(reply: Reply): Reply {
  const at = reply.headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'mcp-session-id');
  return at === -1 ? reply : { ...reply, headers: reply.headers.toSpliced(at, 2) };
}

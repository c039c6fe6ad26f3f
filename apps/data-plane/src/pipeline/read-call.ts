import type { Caller } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import { isModernRevision, type MessageSummary, readMessage, rpcErrorCodes, type SealedSessions, type SessionOwner } from '@gatehouse/mcp-protocol';
import { type CallerHeaders, checkContentType, type PreparedServer } from '@gatehouse/upstream-request';
import type { Route } from './match-server.ts';
import { MessageError } from './message-error.ts';
import type { IncomingRequest } from './request.ts';

/** A request as MCP understands it. */
export interface Call {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly era: 'legacy' | 'modern';
  readonly body: Buffer | undefined;
  readonly message: MessageSummary | undefined;
  readonly owner: SessionOwner;
  /** The upstream's own session id; of a legacy session only. */
  readonly upstreamSession: string | undefined;
}

export interface CallContext {
  readonly sessions: SealedSessions;
  readonly maxBodyBytes: number;
}

/**
 * Reads what is asked: the message of a POST, as far as a gateway must know it, and the session it belongs to.
 * @throws MessageError, GatewayError method_not_allowed, unsupported_media_type, body_too_large, session_not_found
 */
export async function readCall(request: IncomingRequest, route: Route, headers: CallerHeaders, server: PreparedServer, caller: Caller, context: CallContext): Promise<Call> {
  const owner: SessionOwner = { workspace: server.workspace, serverId: server.id, upstreamUrl: server.upstream.url, callerId: caller.id };
  const isPost = request.method === 'POST';
  if (!isPost) {
    const method = allowedMethod(request.method, route, headers);
    return { method, era: 'legacy', body: undefined, message: undefined, owner, upstreamSession: openSession(headers, owner, context) };
  }
  if (route.endpoint === 'sse') throw new GatewayError('method_not_allowed');
  checkContentType(headers);
  const body = await request.readBody(context.maxBodyBytes);
  const message = messageOf(body, route, headers);
  // The modern era has no sessions: an id there is not read, not passed on and not answered (MCP 2026-07-28).
  const upstreamSession = message.era === 'modern' ? undefined : openSession(headers, owner, context);
  return { method: 'POST', era: message.era, body, message, owner, upstreamSession };
}

function allowedMethod(method: string, { endpoint }: Route, headers: CallerHeaders): 'GET' | 'DELETE' {
  if (endpoint === 'mcp' && !isModernRevision(headers.protocolVersion) && (method === 'GET' || method === 'DELETE')) return method;
  if (endpoint === 'sse' && method === 'GET') return method;
  throw new GatewayError('method_not_allowed');
}

function messageOf(body: Buffer, { endpoint }: Route, headers: CallerHeaders): MessageSummary {
  const stated = endpoint === 'mcp' ? { protocolVersion: headers.protocolVersion, method: headers.mcpMethod, name: headers.mcpName } : undefined;
  const read = readMessage(body, stated);
  if ('message' in read) return read.message;
  switch (read.problem) {
    case 'not_json':
      throw new MessageError('invalid_request', rpcErrorCodes.parseError, read.id, read.detail);
    case 'not_a_message':
      throw new MessageError('invalid_request', rpcErrorCodes.invalidRequest, read.id, read.detail);
    case 'header_mismatch':
      throw new MessageError('header_mismatch', rpcErrorCodes.headerMismatch, read.id, read.detail);
  }
}

function openSession({ sessionId }: CallerHeaders, owner: SessionOwner, { sessions }: CallContext): string | undefined {
  if (sessionId === undefined) return undefined;
  // A session of another caller, another server, tampered with or expired is no session at all.
  const upstreamSession = sessions.open('mcp-session', owner, sessionId);
  if (upstreamSession === undefined) throw new GatewayError('session_not_found');
  return upstreamSession;
}

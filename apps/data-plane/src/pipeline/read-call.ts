import type { Caller } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import { isModernRevision, type MessageSummary, readMessage, rpcErrorCodes, type SealedSessions, type SessionOwner } from '@gatehouse/mcp-protocol';
import { type CallerHeaders, checkContentType, type PreparedServer } from '@gatehouse/upstream-request';
import { type ConnectSession, openConnectSession } from './connect/connect-session.ts';
import { type ConnectResponse, readConnectResponse } from './connect/request-states.ts';
import type { UpstreamSessions } from './connect/upstream-sessions.ts';
import { readDirectCall } from '../direct/read-direct-call.ts';
import type { Route } from './match-server.ts';
import { MessageError } from './message-error.ts';
import type { IncomingRequest, UploadStream } from './request.ts';

/** In the place of the GET of earlier revisions (MCP 2026-07-28, subscriptions). */
export const listenMethod = 'subscriptions/listen';

/** A request as MCP understands it. */
export interface Call {
  readonly method: string;
  readonly era: 'legacy' | 'modern';
  readonly body: Buffer | undefined;
  /** In the place of `body`: one that is passed on as it comes, and can be sent once. */
  readonly upload?: UploadStream;
  /** Path and query at the upstream; absent: those of the configured URL. */
  readonly path?: string | undefined;
  /** Of what an upstream is asked that does not speak MCP: what the request says of itself, flat. */
  readonly ownHeaders?: readonly string[] | undefined;
  /** Whether it waits for what may happen some day, and may be silent for as long: no call is under way. */
  readonly listens: boolean;
  readonly message: MessageSummary | undefined;
  readonly owner: SessionOwner;
  /** The upstream's own session id; of a legacy session only. */
  readonly upstreamSession: string | undefined;
  /** Of a server that callers connect accounts for. */
  readonly connectSession: ConnectSession | undefined;
  /** What the person said who was asked to connect one; taken out of the body. */
  readonly connectResponse: ConnectResponse | undefined;
}

export interface CallContext {
  readonly sessions: SealedSessions;
  /** What modern clients bring back. */
  readonly requestStates: SealedSessions;
  readonly upstreamSessions: Pick<UpstreamSessions, 'hasEnded'>;
  readonly maxBodyBytes: number;
  /** Of a body that is passed on as it comes. */
  readonly maxUploadBytes: number;
}

/**
 * Reads what is asked: the message of a POST, as far as a gateway must know it, and the session it belongs to.
 * @throws MessageError, GatewayError method_not_allowed, unsupported_media_type, body_too_large, session_not_found, and as `readDirectCall` does
 */
export async function readCall(request: IncomingRequest, route: Route, headers: CallerHeaders, server: PreparedServer, caller: Caller, context: CallContext): Promise<Call> {
  const owner: SessionOwner = { workspace: server.workspace, serverId: server.id, upstreamUrl: server.upstream.url, callerId: caller.id };
  if (route.endpoint === 'api') return readDirectCall(request, route, headers, server, owner, context);
  const isPost = request.method === 'POST';
  if (!isPost) {
    const method = allowedMethod(request.method, route, headers);
    return { method, era: 'legacy', body: undefined, listens: method === 'GET', message: undefined, owner, ...openSession(headers, owner, server, context), connectResponse: undefined };
  }
  if (route.endpoint === 'sse') throw new GatewayError('method_not_allowed');
  checkContentType(headers);
  const body = await request.readBody(context.maxBodyBytes);
  const message = messageOf(body, route, headers);
  // The modern era has no sessions: an id there is not read, not passed on and not answered (MCP 2026-07-28).
  const session = message.era === 'modern' ? noSession : openSession(headers, owner, server, context);
  // The gateway asked, so the answer is for the gateway: the upstream would take it for one to itself.
  const connectResponse = server.connects && message.era === 'modern' ? readConnectResponse(context.requestStates, owner, body) : undefined;
  return { method: 'POST', era: message.era, body: connectResponse?.body ?? body, listens: message.method === listenMethod, message, owner, ...session, connectResponse };
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

type OpenedSession = Pick<Call, 'upstreamSession' | 'connectSession'>;
const noSession: OpenedSession = { upstreamSession: undefined, connectSession: undefined };

function openSession({ sessionId }: CallerHeaders, owner: SessionOwner, { connects }: PreparedServer, { sessions, upstreamSessions }: CallContext): OpenedSession {
  if (sessionId === undefined) return noSession;
  const connectSession = connects ? openConnectSession(sessions, owner, sessionId) : undefined;
  if (connectSession !== undefined && upstreamSessions.hasEnded(connectSession.id)) throw new GatewayError('session_not_found', { detail: 'its client has ended it' });
  if (connectSession !== undefined) return { upstreamSession: connectSession.upstream ?? undefined, connectSession };
  // A session of another caller, another server, tampered with or expired is no session at all.
  const upstreamSession = sessions.open('mcp-session', owner, sessionId);
  if (upstreamSession === undefined) throw new GatewayError('session_not_found');
  return { upstreamSession, connectSession: undefined };
}

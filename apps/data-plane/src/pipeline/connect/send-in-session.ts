import { connectTool, toolResult } from '@gatehouse/mcp-protocol';
import { CallerHeaders, type PreparedServer } from '@gatehouse/upstream-request';
import { discard, withoutContent } from '../../bridges/answers.ts';
import type { Call } from '../read-call.ts';
import type { UpstreamResponse } from '../request.ts';
import type { ConnectSession } from './connect-session.ts';
import { openUpstreamSession } from './open-upstream-session.ts';
import type { UpstreamSession, UpstreamSessions } from './upstream-sessions.ts';

/** Builds a request as the pipeline builds the call's own, and sends it. */
export type SendCall = (call: Call, headers: CallerHeaders) => Promise<UpstreamResponse>;

/**
 * Sends a call of a caller that is connected by now. Where its session began before that, the upstream's own is opened first; one that
 * the upstream has forgotten meanwhile, once more.
 */
export function sendInSession(server: Pick<PreparedServer, 'id' | 'connects'>, sessions: UpstreamSessions, call: Call, headers: Readonly<CallerHeaders>, send: SendCall): Promise<UpstreamResponse> {
  return server.connects ? sendConnected(server.id, sessions, call, headers, send) : send(call, headers);
}

async function sendConnected(server: string, sessions: UpstreamSessions, call: Call, headers: Readonly<CallerHeaders>, send: SendCall): Promise<UpstreamResponse> {
  if (callsConnectTool(call)) return connectedAnswer(call);
  const { connectSession } = call;
  const isOpen = connectSession === undefined || connectSession.upstream !== undefined;
  if (!isOpen) return sendInOwnSession(sessions, connectSession, call, headers, send);
  const response = await send(call, headers);
  if (call.era === 'modern') sessions.answeredModern(server, response);
  return response;
}

async function sendInOwnSession(sessions: UpstreamSessions, { id, client }: ConnectSession, call: Call, headers: Readonly<CallerHeaders>, send: SendCall): Promise<UpstreamResponse> {
  if (call.method === 'DELETE') {
    const known = sessions.get(id);
    const response = known?.sessionId === undefined ? withoutContent(200) : await send({ ...call, upstreamSession: known.sessionId }, withVersion(headers, known));
    // An upstream may not let its sessions be ended (MCP 2025-11-25, session management): then it goes on.
    if (response.status !== 405) sessions.end(id);
    return response;
  }
  const open = (): ReturnType<typeof openUpstreamSession> =>
    openUpstreamSession(client, (message, session) => send(ownCall(call, message, session), ownHeaders(headers, session)));
  for (let attempt = 1; ; attempt += 1) {
    const session = await sessions.enter(id, open);
    if ('refusal' in session) return session.refusal;
    const response = await send({ ...call, upstreamSession: session.sessionId }, withVersion(headers, session));
    // Of a session that is gone nothing was done (MCP 2025-11-25, session management).
    if (response.status !== 404 || session.sessionId === undefined || attempt > 1) return response;
    discard(response.body);
    sessions.forget(id, session);
  }
}

const callsConnectTool = ({ message }: Call): boolean => message?.name === connectTool && message.method === 'tools/call';

function connectedAnswer({ message, era }: Call): UpstreamResponse {
  const body = Buffer.from(toolResult(message?.id ?? null, 'The account is connected. List the tools again to see what there is.', false, era === 'modern'));
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
    body: {
      pipe: (sink) => {
        sink.write(body);
        sink.end();
      },
      resume: () => undefined,
      abort: () => undefined,
    },
  };
}

function ownCall(call: Call, message: object, session: UpstreamSession | undefined): Call {
  const { method, id } = message as { method: string; id?: string };
  return { ...call, method: 'POST', body: Buffer.from(JSON.stringify(message)), listens: false, message: { era: 'legacy', method, name: undefined, id: id ?? null }, upstreamSession: session?.sessionId };
}

const ownHeaders = (headers: Readonly<CallerHeaders>, session: UpstreamSession | undefined): CallerHeaders =>
  withVersion({ ...headers, accept: 'application/json, text/event-stream', lastEventId: undefined }, session);

/** What the client and the gateway agreed on, the upstream may never have heard of. */
const withVersion = (headers: Readonly<CallerHeaders>, session: UpstreamSession | undefined): CallerHeaders =>
  Object.assign(new CallerHeaders(), headers, { protocolVersion: session?.protocolVersion });

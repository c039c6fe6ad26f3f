import { isRedirect } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import type { Verdict } from '@gatehouse/header-policy';
import { readLegacyClient, type SealedSessions } from '@gatehouse/mcp-protocol';
import type { PreparedServer } from '@gatehouse/upstream-request';
import { sealConnectSession } from './connect/connect-session.ts';
import type { Call } from './read-call.ts';
import type { Reply, StreamedBody, UpstreamResponse } from './request.ts';

/** What an upstream says about its own connection, host or origin; none of it is true of ours (D8, docs/rules.md). */
const dropped = new Set([
  'connection', 'keep-alive', 'proxy-authenticate', 'proxy-authentication-info', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
  'set-cookie', 'set-cookie2', 'clear-site-data', 'strict-transport-security', 'public-key-pins', 'alt-svc', 'nel', 'report-to', 'reporting-endpoints',
  'www-authenticate', 'location', 'refresh', 'date', 'mcp-session-id',
]);

const isDropped = (name: string): boolean => dropped.has(name) || name.startsWith('access-control-') || name.startsWith('x-gatehouse-');

export interface ShapeContext {
  readonly sessions: SealedSessions;
  /** Makes an event stream of the upstream's one of ours (comments while it is idle). */
  eventStream(body: StreamedBody): StreamedBody;
}

/**
 * The answer as the caller gets it. Its body is not touched, only streamed.
 * @throws GatewayError upstream_redirected, upstream_rejected_credentials, upstream_failed
 */
export function shapeResponse(server: Pick<PreparedServer, 'agentAuth' | 'appAuth' | 'connects'>, call: Call, verdicts: readonly Verdict[], response: UpstreamResponse, context: ShapeContext): Reply {
  const { status } = response;
  // Followed, or refused, where it arrived; one that comes as far as this has nowhere to lead to.
  if (isRedirect(status)) return refuse(response, 'upstream_redirected');
  const isCallersCredential = status >= 400 && sentCallersCredential(server, verdicts);
  if (status === 401 && !isCallersCredential) return refuse(response, 'upstream_rejected_credentials');
  // What no HTTP server may say, and ours could not repeat (RFC 9110 section 15).
  if (status < 200 || status > 599) return refuse(response, 'upstream_failed');
  const headers: string[] = [];
  const nominated = nominatedNames(response.headers['connection']);
  const isEventStream = saysEventStream(response.headers);
  for (const name in response.headers) {
    const value = response.headers[name];
    if (value === undefined || (isDropped(name) && !(isCallersCredential && name === 'www-authenticate')) || nominated?.has(name)) continue;
    // Comments and our own endpoint go into such a stream: whatever length it had, it has another. What we say of it is said once.
    if (isEventStream && (name === 'content-length' || name === 'x-accel-buffering')) continue;
    if (typeof value === 'string') headers.push(name, value);
    else for (const item of value) headers.push(name, item);
  }
  addSession(headers, server, call, response, context);
  // Whoever may register a server may not write pages of the gateway's origin, which people's sessions may be of, too.
  if (!isNoPage(response.headers)) headers.push('content-security-policy', "sandbox; default-src 'none'", 'x-content-type-options', 'nosniff');
  if (!isEventStream) return { status, headers, body: response.body };
  headers.push('x-accel-buffering', 'no');
  return { status, headers, body: context.eventStream(response.body), isEventStream };
}

/**
 * With pass-through the credential was the caller's, and so is the answer about it (D8, docs/rules.md). Otherwise it is about the
 * gateway's, or the caller has logged in at the gateway: handed on, it would send the caller to log in at the wrong place.
 */
export function sentCallersCredential({ agentAuth, appAuth }: Pick<PreparedServer, 'agentAuth' | 'appAuth'>, verdicts: readonly Verdict[]): boolean {
  // There a 401 is the gateway's own, and sends the caller to log in: which would not help, again and again.
  if (agentAuth.protectedResource !== undefined) return false;
  if (appAuth.type === 'passthrough') return true;
  if (appAuth.storesCredential || !agentAuth.forwardsAuthorization) return false;
  return verdicts.some(({ action, outgoingName }) => action !== 'dropped' && outgoingName?.toLowerCase() === 'authorization');
}

function addSession(headers: string[], { connects }: Pick<PreparedServer, 'connects'>, call: Call, response: UpstreamResponse, { sessions }: ShapeContext): void {
  const upstreamSession = response.headers['mcp-session-id'];
  // How this client can be told to connect again has to be known then: each has a session, whether or not the upstream has one.
  if (connects && call.message?.method === 'initialize' && call.era === 'legacy' && response.status === 200 && call.body !== undefined) {
    const upstream = typeof upstreamSession === 'string' ? upstreamSession : null;
    return void headers.push('mcp-session-id', sealConnectSession(sessions, call.owner, readLegacyClient(call.body), upstream));
  }
  // Never mint or echo one in the modern era (MCP 2026-07-28).
  if (typeof upstreamSession !== 'string' || call.era === 'modern') return;
  // The caller's own id goes on being good; only a session that was opened just now needs a new one.
  if (upstreamSession !== call.upstreamSession) headers.push('mcp-session-id', sessions.seal('mcp-session', call.owner, upstreamSession));
}

/** What browsers show as text. Of two types they take the last (Fetch, extract a MIME type). */
const shownAsText = /^(?:application\/json|text\/event-stream)\s*(?:;[^,]*)?$/i;
const isNoPage = ({ 'content-type': type }: UpstreamResponse['headers']): boolean => typeof type === 'string' && shownAsText.test(type);

/** A compressed one is passed on as it is: nothing can be read in it or put into it. */
function saysEventStream(headers: UpstreamResponse['headers']): boolean {
  const contentType = headers['content-type'];
  return typeof contentType === 'string' && contentType.toLowerCase().startsWith('text/event-stream') && headers['content-encoding'] === undefined;
}

function refuse(response: UpstreamResponse, code: 'upstream_redirected' | 'upstream_rejected_credentials' | 'upstream_failed'): never {
  response.body.abort();
  throw new GatewayError(code, { detail: `status ${response.status}` });
}

function nominatedNames(connection: string | string[] | undefined): Set<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  return new Set(String(connection).toLowerCase().split(',').map((name) => name.trim()));
}

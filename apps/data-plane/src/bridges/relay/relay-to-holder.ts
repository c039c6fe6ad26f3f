import { toGatewayError, GatewayError } from '@gatehouse/errors';
import { ChallengeError } from '../pipeline/authenticate-caller.ts';
import type { ForwardedCall } from '../pipeline/forwarded-call.ts';
import type { IncomingRequest, UpstreamResponse } from '../pipeline/request.ts';
import type { PreparedUpstream } from '../snapshot/prepared-server.ts';
import { discard } from './answers.ts';
import type { Dispatch } from './bridge-context.ts';

/** Marks a request that one data plane passed to another. Forged, it keeps its sender's own request from being passed on. */
const marker = 'x-gatehouse-relayed';

/** About the connection and not the request (RFC 9110 section 7.6.1), or made anew with it. */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect', 'content-length', marker]);

/** What the holder needs longer than its own timeouts. */
const marginMs = 5_000;

/**
 * Passes a request to the data plane that holds its session, as it came: the holder makes up its own mind about it, from
 * authentication on.
 * @throws GatewayError session_not_found where there is no holder any more: the caller initializes again
 */
export async function relayToHolder(dispatch: Dispatch, peerUrl: string, { call, request, outgoing }: ForwardedCall): Promise<UpstreamResponse> {
  if (isRelayed(request)) throw new GatewayError('session_not_found', { detail: 'relayed already' });
  const holder = holderAt(peerUrl);
  const prefix = holder.path.replace(/\/$/, '');
  const relayed = {
    method: request.method,
    path: prefix + request.target,
    headers: relayedHeaders(request.headers),
    body: call.body,
    responseTimeoutMs: outgoing.responseTimeoutMs + marginMs,
    idleTimeoutMs: outgoing.idleTimeoutMs,
  };
  try {
    const response = await dispatch(holder, relayed, request);
    // Not the upstream's refusal of our credential, but the holder's of the caller's.
    if (response.status === 401) {
      discard(response.body);
      throw new ChallengeError('invalid_credential');
    }
    // The holder's answer has these for its own caller; ours are added as to any answer.
    return { ...response, headers: { ...response.headers, 'x-accel-buffering': undefined, vary: undefined } };
  } catch (thrown) {
    const error = toGatewayError(thrown);
    throw isAway(error) ? new GatewayError('session_not_found', { detail: 'its holder cannot be reached', cause: error }) : error;
  }
}

const isAway = ({ code }: GatewayError): boolean => code === 'upstream_unreachable' || code === 'upstream_failed' || code === 'upstream_timeout';

const isRelayed = ({ headers }: IncomingRequest): boolean => headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === marker);

const connect = {};

function holderAt(peerUrl: string): PreparedUpstream {
  const url = new URL(peerUrl);
  const { origin, pathname } = url;
  return { url: peerUrl, origin, path: pathname, transport: 'streamable-http', connect, responseTimeoutMs: undefined, streamIdleTimeoutMs: undefined };
}

/** What `Connection` nominates is left out too: it was meant for this hop, and would be taken at the next one for the caller's. */
function relayedHeaders(rows: readonly string[]): string[] {
  const names = rows.map((name, index) => (index % 2 === 0 ? name.toLowerCase() : ''));
  const nominated = names.flatMap((name, index) => (name === 'connection' ? (rows[index + 1] ?? '').toLowerCase().split(',') : []));
  const dropped = new Set([...hopByHop, ...nominated.map((name) => name.trim()).filter((name) => name !== 'host')]);
  const relayed: string[] = [];
  for (const [index, name] of names.entries()) {
    if (index % 2 === 0 && !dropped.has(name)) relayed.push(rows[index] as string, rows[index + 1] as string);
  }
  return [...relayed, marker, '1'];
}

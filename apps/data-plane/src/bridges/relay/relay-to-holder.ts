import { GatewayError, toGatewayError } from '@gatehouse/errors';
import { ChallengeError } from '../../pipeline/authenticate-caller.ts';
import type { ForwardedCall } from '../../pipeline/forwarded-call.ts';
import type { UpstreamResponse } from '../../pipeline/request.ts';
import type { PreparedUpstream } from '@gatehouse/upstream-request';
import { discard } from '../answers.ts';
import type { Dispatch } from '../bridge-context.ts';
import { relayHeader, relayPath } from './answer-relay.ts';
import type { PeerSeals } from './peer-seals.ts';
import { RelayedRequest } from './relayed-request.ts';

/** About the connection and not the request (RFC 9110 section 7.6.1), or nothing that a gateway reads. */
const notRelayed = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect', 'content-length', 'cookie', relayHeader]);

/** What the holder needs longer than its own timeouts. */
const marginMs = 5_000;

/**
 * Passes a request to the data plane that holds its session, as it came: the holder makes up its own mind about it, from
 * authentication on. Its address is as old as the session and may be another's by now, and the line may be open to others: the
 * request, with the caller's credentials in it, goes sealed, and only who could open it is heard. The answer comes back as it
 * is: no credential of the caller's is in it, and keeping it from who listens on the way is the network's.
 * @throws GatewayError session_not_found where there is no holder any more: the caller initializes again
 */
export async function relayToHolder(dispatch: Dispatch, seals: PeerSeals, peerUrl: string, { call, request, outgoing }: ForwardedCall): Promise<UpstreamResponse> {
  if (request instanceof RelayedRequest) throw new GatewayError('session_not_found', { detail: 'relayed already' });
  const holder = holderAt(peerUrl);
  const sealed = seals.seal(peerUrl, { method: request.method, target: request.target, headers: relayedHeaders(request.headers), body: call.body ?? Buffer.alloc(0) });
  const relay = {
    method: 'POST',
    path: holder.path.replace(/\/$/, '') + relayPath,
    headers: ['content-type', 'application/octet-stream', relayHeader, sealed.ticket],
    body: sealed.content,
    listens: outgoing.listens,
    responseTimeoutMs: outgoing.responseTimeoutMs + marginMs,
    idleTimeoutMs: outgoing.idleTimeoutMs,
  };
  const response = await dispatch(holder, relay, request).catch((thrown: unknown) => {
    const error = toGatewayError(thrown);
    throw isAway(error) ? new GatewayError('session_not_found', { detail: 'its holder cannot be reached', cause: error }) : error;
  });
  if (!seals.isProof(peerUrl, sealed, response.headers[relayHeader])) {
    discard(response.body);
    throw new GatewayError('session_not_found', { detail: 'another than its holder answers there' });
  }
  // Not the upstream's refusal of our credential, but the holder's of the caller's.
  if (response.status === 401) {
    discard(response.body);
    throw new ChallengeError({ denied: 'invalid_credential' });
  }
  // The holder's answer has these for its own caller; ours are added as to any answer.
  return { ...response, headers: { ...response.headers, 'x-accel-buffering': undefined, vary: undefined, [relayHeader]: undefined } };
}

const isAway = ({ code }: GatewayError): boolean => code === 'upstream_unreachable' || code === 'upstream_failed' || code === 'upstream_timeout';

const connect = {};

function holderAt(peerUrl: string): PreparedUpstream {
  const url = new URL(peerUrl);
  const { origin, pathname } = url;
  return { url: peerUrl, origin, path: pathname, transport: 'streamable-http', connect, responseTimeoutMs: undefined, streamIdleTimeoutMs: undefined };
}

/** What `Connection` nominates is left out too: it was meant for this hop, and would be taken at the next one for the caller's. */
export function relayedHeaders(rows: readonly string[]): string[] {
  const names = rows.map((name, index) => (index % 2 === 0 ? name.toLowerCase() : ''));
  const nominated = names.flatMap((name, index) => (name === 'connection' ? (rows[index + 1] ?? '').toLowerCase().split(',') : []));
  const dropped = new Set([...notRelayed, ...nominated.map((name) => name.trim()).filter((name) => name !== 'host')]);
  return names.flatMap((name, index) => (index % 2 === 0 && !dropped.has(name) ? [rows[index] as string, rows[index + 1] as string] : []));
}

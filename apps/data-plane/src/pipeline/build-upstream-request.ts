import { type Credential, insertCredentials, signaturesOf } from '@gatehouse/app-auth';
import type { Verdict } from '@gatehouse/header-policy';
import { version } from '@gatehouse/service-runtime';
import { type CallerHeaders, composeRequest, type PreparedServer } from '@gatehouse/upstream-request';
import type { Snapshot } from '../snapshot/current-snapshot.ts';
import type { Call } from './read-call.ts';
import type { IncomingRequest, UpstreamRequest } from './request.ts';

export interface UpstreamTimeouts {
  readonly responseMs: number;
  readonly streamIdleMs: number;
}

export interface BuiltRequest {
  readonly outgoing: UpstreamRequest;
  readonly verdicts: readonly Verdict[];
}

const userAgent = `gatehouse/${version}`;

/**
 * The request that leaves: what the header policy lets through of the caller's, credentials last, over whatever has their name,
 * so that no caller can name or replace them. It is signed where it is sent: a bridge may change it, and a redirect its path.
 * @throws GatewayError duplicate_header
 */
export function buildUpstreamRequest(
  { headerPolicy }: Snapshot,
  server: PreparedServer,
  call: Call,
  request: Pick<IncomingRequest, 'headers'>,
  headers: CallerHeaders,
  credentials: readonly Credential[],
  timeouts: UpstreamTimeouts,
): BuiltRequest {
  const { upstream } = server;
  const composed = composeRequest({ server, headerPolicy, call, rows: request.headers, headers, credentials, path: call.path ?? upstream.path, userAgent });
  const hasQueryKey = credentials.some((credential) => credential.in === 'query');
  const outgoing = {
    method: call.method,
    path: composed.path,
    withCredentials: hasQueryKey ? (target: string) => insertCredentials(target, [], credentials) : undefined,
    headers: composed.headers,
    signatures: signaturesOf(credentials),
    body: call.upload ?? call.body,
    listens: call.listens,
    responseTimeoutMs: upstream.responseTimeoutMs ?? timeouts.responseMs,
    // A stream that only listens may be silent for hours; it ends with either side (agentgateway #248).
    idleTimeoutMs: call.listens ? 0 : (upstream.streamIdleTimeoutMs ?? timeouts.streamIdleMs),
  };
  return { outgoing, verdicts: composed.verdicts };
}

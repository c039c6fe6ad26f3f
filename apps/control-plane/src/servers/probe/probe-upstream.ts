import { ConnectError } from '@gatehouse/access-tokens';
import { type Credential, type CredentialContext, prepareAppAuth } from '@gatehouse/app-auth';
import { type AddressGuard, OriginPools } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import type { UpstreamServerDocument } from '@gatehouse/gateway-config';
import { prepareOutboundHeaders } from '@gatehouse/outbound-headers';
import { obtainCredentials as obtain } from '@gatehouse/upstream-request';
import { connectMcp, type McpConnection, type McpProbe } from './connect-mcp.ts';
import { type Mask, secretMask, secretsOf } from './mask-secrets.ts';
import { missingConnection } from './missing-connection.ts';
import { before } from './network-steps.ts';
import { stepFailureOf } from './step-failure.ts';
import { UpstreamExchanges } from './upstream-exchanges.ts';

export interface ProbeLimits {
  /** Of the whole probe; what must be closed afterwards takes two seconds more at most. */
  readonly totalMs: number;
  /** Of one step or request. */
  readonly stepMs: number;
  /** Of each kind that is listed. */
  readonly maxItems: number;
  readonly maxBytes: number;
}

const defaultLimits: ProbeLimits = { totalMs: 28_000, stepMs: 10_000, maxItems: 1_000, maxBytes: 5 * 1_048_576 };

export interface ProbeOptions {
  readonly guard: AddressGuard;
  /** What credentials may be made of; absent where only what the document holds counts. */
  readonly context?: CredentialContext;
  readonly limits?: Partial<ProbeLimits>;
}

/** A probe on its way: what it is of, and what bounds it. */
export interface Probe {
  readonly server: UpstreamServerDocument;
  readonly guard: AddressGuard;
  readonly context: CredentialContext;
  readonly limits: ProbeLimits;
  readonly signal: AbortSignal;
  /** Hides the server's own secrets. */
  readonly mask: Mask;
}

export function beginProbe(server: UpstreamServerDocument, { guard, context = {}, limits }: ProbeOptions): Probe {
  const bounds = { ...defaultLimits, ...limits };
  return { server, guard, context, limits: bounds, signal: AbortSignal.timeout(bounds.totalMs), mask: secretMask(secretsOfServer(server)) };
}

/**
 * What the data plane would send, by the same function: app authentication's credentials and the outbound headers.
 * @throws StepFailure
 */
export async function obtainCredentials({ server, context, signal }: Probe): Promise<readonly Credential[]> {
  try {
    const prepared = { appAuth: prepareAppAuth(server.appAuth), outboundHeaders: prepareOutboundHeaders(server.outboundHeaders ?? []) };
    return await before(signal, Promise.resolve(obtain(prepared, context)));
  } catch (cause) {
    if (cause instanceof ConnectError) throw missingConnection(cause);
    throw stepFailureOf(cause instanceof GatewayError ? cause : new GatewayError('credential_unavailable', { cause }));
  }
}

/** Lets `use` speak MCP with the upstream over connections that nothing else has used or will use. */
export async function withUpstream<T>(probe: Probe, credentials: readonly Credential[], use: (mcp: McpProbe) => Promise<T>): Promise<T> {
  const { server, guard, limits, signal } = probe;
  const { upstream } = server;
  const pools = new OriginPools({ guard, connectionsPerOrigin: 8 });
  const mask = secretMask([...secretsOfServer(server), ...credentials.flatMap(secretsOfCredential)]);
  const timeoutMs = Math.min(limits.stepMs, (upstream.timeouts?.responseSeconds ?? Infinity) * 1_000);
  const url = new URL(upstream.url);
  const exchanges = new UpstreamExchanges({ pools, url, server, credentials, timeoutMs, maxResponseBytes: limits.maxBytes, mask });
  try {
    return await use({ upstream, exchanges, mask, timeoutMs, signal });
  } finally {
    await pools.destroy();
  }
}

/** Connects, and closes the session when `use` is done. */
export async function withConnection<T>(mcp: McpProbe, use: (connection: McpConnection) => Promise<T>): Promise<T> {
  const connection = await connectMcp(mcp);
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

const minQueryKey = 8;

/** Keys are found in the query of upstream URLs too, however much they belong into appAuth. */
function secretsOfServer(server: UpstreamServerDocument): string[] {
  const query = [...new URL(server.upstream.url).searchParams.values()].filter((value) => value.length >= minQueryKey);
  return [...secretsOf(server), ...query];
}

/** What is put into the request, and the token that it is made of. */
const secretsOfCredential = (credential: Credential): string[] => [...(credential.in === 'signature' ? [] : [credential.value.reveal()]), ...(credential.token === undefined ? [] : [credential.token.value.reveal()])];

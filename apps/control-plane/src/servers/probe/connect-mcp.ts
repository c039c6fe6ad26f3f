import { GatewayError } from '@gatehouse/errors';
import type { ServerDocument } from '@gatehouse/gateway-config';
import { version } from '@gatehouse/service-runtime';
import { Client, ProtocolError, SdkError, SdkErrorCode, SSEClientTransport, StreamableHTTPClientTransport, type Transport, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import type { Mask } from './mask-secrets.ts';
import { before } from './network-steps.ts';
import { StepFailure, stepFailureOf } from './step-failure.ts';
import { quote, type UpstreamExchanges } from './upstream-exchanges.ts';

export interface McpProbe {
  readonly upstream: Extract<ServerDocument, { type: 'mcp' }>['upstream'];
  readonly exchanges: UpstreamExchanges;
  readonly mask: Mask;
  /** Of each request. */
  readonly timeoutMs: number;
  /** Of the whole probe. */
  readonly signal: AbortSignal;
}

export interface McpConnection {
  readonly client: Client;
  /** Ends the session and every stream. */
  close(): Promise<void>;
}

/**
 * Connects as a client would: at the modern revision where the upstream has it, otherwise by `initialize`.
 * @throws StepFailure
 */
export async function connectMcp(probe: McpProbe): Promise<McpConnection> {
  if (probe.upstream.transport === 'sse') return open(probe, 'legacy');
  try {
    return await open(probe, 'auto');
  } catch (failure) {
    // The client takes some refusals of `server/discover` (a 5xx, a web page) as an outage, though a legacy server may mean
    // nothing but that it does not know the method.
    const mayBeLegacy = failure instanceof StepFailure && (failure.reason === 'upstream_failed' || failure.reason === 'upstream_not_mcp') && !probe.exchanges.last('initialize') && !probe.signal.aborted;
    if (!mayBeLegacy) throw failure;
    return open(probe, 'legacy');
  }
}

async function open(probe: McpProbe, mode: VersionNegotiationMode): Promise<McpConnection> {
  const { exchanges, signal, timeoutMs } = probe;
  const transport = transportOf(probe);
  const client = new Client({ name: 'gatehouse', version }, { versionNegotiation: { mode } });
  const close = async (): Promise<void> => {
    await endSession(transport).catch(() => undefined);
    await client.close().catch(() => undefined);
    // Where `connect` failed the client may never have owned it.
    await transport.close().catch(() => undefined);
  };
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(2 * timeoutMs)]);
    await before(patience, client.connect(transport as Transport, { signal, timeout: timeoutMs }));
    return { client, close };
  } catch (error) {
    // Before closing, which breaks off the exchange that is being waited for.
    const failure = failureOf(error, probe, exchanges.last() ?? exchanges.stream);
    await close();
    throw failure;
  }
}

function transportOf({ upstream, exchanges }: McpProbe): StreamableHTTPClientTransport | SSEClientTransport {
  const url = new URL(upstream.url);
  const { fetch } = exchanges;
  if (upstream.transport === 'sse') return new SSEClientTransport(url, { fetch });
  const reconnectionOptions = { maxRetries: 0, initialReconnectionDelay: 1_000, maxReconnectionDelay: 1_000, reconnectionDelayGrowFactor: 1 };
  return new StreamableHTTPClientTransport(url, { fetch, reconnectionOptions });
}

/** An upstream may hold sessions for long: a probe leaves none behind. */
async function endSession(transport: StreamableHTTPClientTransport | SSEClientTransport): Promise<void> {
  if (!(transport instanceof StreamableHTTPClientTransport) || transport.sessionId === undefined) return;
  await before(AbortSignal.timeout(2_000), transport.terminateSession());
}

/** One JSON-RPC request; its failure as a step's. */
export async function requestMcp(probe: McpProbe, { client }: McpConnection, method: ListMethod, params: Record<string, unknown>) {
  try {
    return await before(probe.signal, client.request({ method, params }, { signal: probe.signal, timeout: probe.timeoutMs }));
  } catch (error) {
    throw failureOf(error, probe, probe.exchanges.last(method));
  }
}

export type ListMethod = 'tools/list' | 'resources/list' | 'resources/templates/list' | 'prompts/list';

/** What the exchange says is nearer to the cause than what the client made of it. */
function failureOf(error: unknown, { mask, signal }: McpProbe, exchange: { rpcMethod: string | undefined; failure?: StepFailure } | undefined): StepFailure {
  if (error instanceof StepFailure) return error;
  if (exchange?.failure) return exchange.failure;
  const what = exchange?.rpcMethod ?? 'the connection';
  if (signal.aborted || isTimeout(error)) return stepFailureOf(new GatewayError('upstream_timeout', { detail: `no complete answer to ${what} in time`, cause: error }));
  const advice = 'Check the upstream’s own log, and that the upstream URL is the one of its MCP endpoint.';
  if (error instanceof ProtocolError) {
    return new StepFailure('upstream_failed', `The upstream answered ${what} with error ${error.code}.${quote(error.message, mask)}`, advice, error);
  }
  const text = error instanceof Error ? error.message : '';
  return new StepFailure('upstream_failed', `The answer to ${what} is not what MCP expects.${quote(text, mask)}`, advice, error);
}

const isTimeout = (error: unknown): boolean =>
  (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) || (error instanceof Error && error.name === 'TimeoutError');

import type { UpstreamServerDocument } from '@gatehouse/gateway-config';
import type { McpConnection, McpProbe } from './connect-mcp.ts';
import { ItemLister } from './list-items.ts';
import { connectTcp, handshake, resolveName } from './network-steps.ts';
import { obtainLogged } from './obtain-logged.ts';
import { probeSteps, type TestReport } from './probe-results.ts';
import { beginProbe, type Probe, type ProbeLimits, type ProbeOptions, withConnection, withUpstream } from './probe-upstream.ts';
import { StepFailure } from './step-failure.ts';
import { apiSteps, testApi } from './test-api.ts';
import { TestLog } from './test-log.ts';
import { describeCredentials } from './with-credentials.ts';

/** Connects to a server's upstream as the data plane would and says of each step what came of it. */
export async function testServer(server: UpstreamServerDocument, options: ProbeOptions): Promise<TestReport> {
  const probe = beginProbe(server, options);
  const log = new TestLog(probe.mask, server.type === 'api' ? apiSteps : probeSteps);
  try {
    await testNetwork(log, probe);
    await (server.type === 'api' ? testApi(log, probe) : testMcp(log, probe));
  } catch (error) {
    // A step's failure is in the log already.
    if (!(error instanceof StepFailure)) throw error;
  }
  return log.report();
}

async function testNetwork(log: TestLog, { server, guard, limits, signal }: Probe): Promise<void> {
  const url = new URL(server.upstream.url);
  const connectMs = Math.min(limits.stepMs, (server.upstream.timeouts?.connectSeconds ?? Infinity) * 1_000);
  const bounded = (): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(limits.stepMs)]);
  await log.step('resolve', async () => (await resolveName(guard, url, bounded())) ?? 'The upstream URL has an address, not a name.');
  const socket = await log.step('connect', async () => {
    const connected = await connectTcp(guard, url, connectMs, bounded());
    return { detail: `Connected to ${connected.remoteAddress ?? url.hostname} port ${connected.remotePort ?? url.port}.`, value: connected };
  });
  try {
    await log.step('tls', async () => {
      if (url.protocol !== 'https:' || !socket) return 'The upstream URL begins with http: the connection is not encrypted.';
      return handshake(socket, url, bounded());
    });
  } finally {
    socket?.destroy();
  }
}

async function testMcp(log: TestLog, probe: Probe): Promise<void> {
  const { credentials, obtainedMs } = await obtainLogged(log, probe);
  await withUpstream(probe, credentials, async (mcp) => {
    let isConnected = false;
    try {
      await withConnection(mcp, async (connection) => {
        isConnected = true;
        logConnection(log, mcp, connection, describeCredentials(credentials, probe.server), obtainedMs);
        await log.step('list-tools', () => listTools(mcp, connection, probe.limits));
      });
    } catch (error) {
      if (!isConnected) logFailedConnection(log, mcp, error, obtainedMs);
      throw error;
    }
  });
}

/** Of what the upstream says of itself. Masked before it is cut: no half of a secret is left. */
const maxShown = 200;

function logConnection(log: TestLog, { exchanges, mask }: McpProbe, { client }: McpConnection, credentials: string, obtainedMs: number): void {
  log.pass('authenticate', `The upstream accepted the request ${credentials === '' ? 'without a credential' : `with ${credentials}`}.`, obtainedMs);
  const info = client.getServerVersion();
  const who = info ? mask(`${info.title ?? info.name} ${info.version}`, maxShown).slice(0, maxShown) : 'a server that does not say its name';
  const offers = mask(Object.keys(client.getServerCapabilities() ?? {}).join(', ') || 'nothing', maxShown).slice(0, maxShown);
  const what = `Revision ${client.getNegotiatedProtocolVersion() ?? 'unknown'} with ${who}, which offers ${offers}.`;
  const discover = exchanges.last('server/discover');
  if (client.getProtocolEra() === 'modern') {
    log.pass('discover', what, discover?.durationMs ?? 0);
    log.skip('initialize', 'Not needed: the upstream speaks the modern era of MCP, which has no sessions.');
  } else {
    log.skip('discover', discover ? 'The upstream speaks the legacy era of MCP only.' : 'HTTP+SSE has the legacy era of MCP only.', discover?.durationMs);
    log.pass('initialize', what, exchanges.last('initialize')?.durationMs ?? 0);
  }
}

function logFailedConnection(log: TestLog, { exchanges }: McpProbe, error: unknown, obtainedMs: number): void {
  const initialize = exchanges.last('initialize');
  const discover = exchanges.last('server/discover');
  const durationMs = (initialize ?? discover ?? exchanges.stream)?.durationMs ?? 0;
  if (error instanceof StepFailure && error.reason === 'upstream_rejected_credentials') return log.fail('authenticate', error, obtainedMs + durationMs);
  log.skip('authenticate', 'The upstream did not say whether it accepts the credential.');
  if (initialize && discover) log.skip('discover', 'The upstream does not speak the modern era of MCP.', discover.durationMs);
  log.fail(discover && !initialize ? 'discover' : 'initialize', error, durationMs);
}

const maxNames = 20;

async function listTools(mcp: McpProbe, connection: McpConnection, limits: ProbeLimits): Promise<string | { detail: string; advice?: string }> {
  if (!connection.client.getServerCapabilities()?.tools) return 'The upstream offers no tools.';
  const { items, truncated } = await new ItemLister(mcp, connection, limits).list('tools/list');
  if (items.length === 0) return { detail: 'The upstream lists no tools.', advice: 'If it should have some, the credential may not be allowed to see them.' };
  const names = items.slice(0, maxNames).map(({ name }) => String(name).slice(0, 100));
  const more = items.length > maxNames || truncated ? ', …' : '';
  const count = `${truncated ? 'At least ' : ''}${items.length} ${items.length === 1 ? 'tool' : 'tools'}`;
  return { detail: `${count}: ${names.join(', ')}${more}.` };
}

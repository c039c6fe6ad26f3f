import { accountDocument, connectPublisher, serverDocument } from './publish-configuration.ts';
import type { BenchOptions } from './options.ts';
import { type BenchSecrets, makeSecrets } from './bench-secrets.ts';
import type { Cores } from './cores.ts';
import { type RunningGateway, startGateway } from './gateway.ts';
import { type EditTimes, measureEdits, serverName } from './measure-edits.ts';
import { connections, type RoundPlan } from './measure-throughput.ts';
import { usageOf } from './process-usage.ts';
import { runWrk } from './run-wrk.ts';
import { echoPath, startUpstream } from './upstream.ts';
import { startRedis } from './workspace-support.ts';

/** Calls that are spread over all servers. */
export interface SpreadCalls {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicroseconds: number;
}

export interface ServersResult {
  readonly serverCount: number;
  readonly publishMs: number;
  readonly startFromRedisMs: number;
  readonly startFromDiskMs: number;
  readonly rssAfterStartMb: number;
  readonly rssAfterEditsMb: number;
  readonly edits: EditTimes;
  /** Absent where they were not asked for. */
  readonly calls?: SpreadCalls;
}

/** A configuration is opened before it is served, so a large one needs more patience. */
const startLimitMs = 120_000;

/**
 * A data plane with so many servers: how it starts, what it takes, and how soon an edit is served.
 * @param load calls of all of them before the edits, for so long
 */
export async function measureServers(serverCount: number, edits: number, { gateway: script }: Pick<BenchOptions, 'gateway'>, cores: Cores, folder: string, load?: Pick<RoundPlan, 'warmUpSeconds' | 'seconds'>): Promise<ServersResult> {
  await using stack = new AsyncDisposableStack();
  const secrets = makeSecrets();
  const upstream = await startUpstream(folder, cores.rest, secrets);
  stack.defer(() => upstream.process.stop());
  const redis = await startRedis();
  stack.defer(() => redis.stop());
  const publisher = connectPublisher(redis.url, secrets);
  stack.defer(() => publisher.close());

  const servers = Array.from({ length: serverCount }, (_, index) => serverDocument(serverName(index), `${upstream.origin}${echoPath}${serverName(index)}`, secrets));
  const publishedAt = performance.now();
  await publisher.replaceAll([accountDocument(secrets), ...servers]);
  const publishMs = performance.now() - publishedAt;

  const start = (): ReturnType<typeof startGateway> => startGateway({ script, name: 'gateway', folder, core: cores.proxy, redisUrl: redis.url, secrets, startLimitMs });
  const first = await start();
  stack.defer(() => first.process.stop());
  const rssAfterStartMb = usageOf(first.process.pid)?.rssMb ?? Number.NaN;
  const calls = load && (await callAll(first, serverCount, load, secrets, cores, folder));
  const editTimes = await measureEdits(first, publisher, upstream, secrets, serverCount, edits);
  const rssAfterEditsMb = usageOf(first.process.pid)?.rssMb ?? Number.NaN;

  // Stopping writes what is not on disk yet; then nothing but the disk is left to start from.
  await first.process.stop();
  await publisher.close();
  await redis.stop();
  const second = await start();
  stack.defer(() => second.process.stop());
  return { serverCount, publishMs, startFromRedisMs: first.readyAfterMs, startFromDiskMs: second.readyAfterMs, rssAfterStartMb, rssAfterEditsMb, edits: editTimes, ...(calls && { calls }) };
}

async function callAll({ origin, process }: RunningGateway, serverCount: number, { warmUpSeconds, seconds }: Pick<RoundPlan, 'warmUpSeconds' | 'seconds'>, { authorization }: BenchSecrets, { rest: core }: Cores, folder: string): Promise<SpreadCalls> {
  const load = { url: `${origin}/mcp/default/${serverName('')}`, headers: { Authorization: authorization }, spreadOver: serverCount, connections, core, folder };
  if (warmUpSeconds > 0) await runWrk({ ...load, answerHas: echoPath, seconds: warmUpSeconds });
  const before = usageOf(process.pid)?.cpuSeconds ?? Number.NaN;
  const { requests, requestsPerSecond, p50Ms, p99Ms } = await runWrk({ ...load, seconds });
  const cpuMicroseconds = (((usageOf(process.pid)?.cpuSeconds ?? Number.NaN) - before) / requests) * 1e6;
  return { requestsPerSecond, p50Ms, p99Ms, cpuMicroseconds };
}

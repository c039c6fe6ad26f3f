import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { type BenchSecrets, makeSecrets } from '../bench-secrets.ts';
import { type Cores, pinned } from '../cores.ts';
import { startGateway } from '../gateway.ts';
import type { Latency } from '../measure-latency.ts';
import { usageOf } from '../process-usage.ts';
import { accountDocument, connectPublisher, serverDocument } from '../publish-configuration.ts';
import { RunningProcess } from '../running-process.ts';
import { type LoadOptions, runWrk } from '../run-wrk.ts';
import { samplePath } from '../sample-call.ts';
import { startRedis } from '../workspace-support.ts';
import { descriptorLimit, descriptorsOf } from './descriptors.ts';
import { answerMark } from './report-calls.ts';
import type { ReportPlan } from './report-plan.ts';

export interface StreamsResult {
  /** As many were open, each a GET that waits for events. */
  readonly count: number;
  /** As many should have been: where they were fewer, the machine allows no more open files. */
  readonly wanted: number;
  readonly descriptorLimit: number | null;
  readonly openedInMs: number;
  readonly rssBeforeMb: number;
  readonly rssOpenMb: number;
  readonly rssClosedMb: number;
  readonly descriptorsBefore: number;
  readonly descriptorsOpen: number;
  readonly descriptorsClosed: number;
  readonly idleSeconds: number;
  /** How often each silent stream gets a comment. */
  readonly commentMs: number;
  /** How many got one meanwhile. */
  readonly commented: number;
  /** Of one core, while nothing but that happened. */
  readonly idleCpuShare: number;
  /** Calls at one connection, without the streams and beside them. */
  readonly callsBefore: Latency;
  readonly callsBeside: Latency;
}

interface Held {
  readonly open: number;
  readonly failed: number;
  readonly closed: number;
  readonly commented: number;
}

/** What is open besides streams, with room to spare. */
const otherDescriptors = 200;

/** Streams that only listen, on one data plane: what each takes, and what they take from calls. */
export async function measureStreams({ count: wanted, idleSeconds, commentMs, latencySeconds }: ReportPlan['streams'], script: string, cores: Cores, folder: string): Promise<StreamsResult> {
  await using stack = new AsyncDisposableStack();
  const limit = descriptorLimit();
  // The gateway has two for each.
  const count = Math.min(wanted, Math.floor((limit - otherDescriptors) / 2));
  const secrets = makeSecrets();
  const upstream = await startStreamUpstream(cores, folder);
  stack.defer(() => upstream.process.stop());
  const redis = await startRedis();
  stack.defer(() => redis.stop());
  const publisher = connectPublisher(redis.url, secrets);
  await publisher.replaceAll([accountDocument(secrets), serverDocument('orders', `http://127.0.0.1:${upstream.port}/mcp`, secrets)]);
  await publisher.close();
  const environment = { GATEHOUSE_KEEP_ALIVE_COMMENT_MS: String(commentMs) };
  const gateway = await startGateway({ script, name: 'gateway', folder, core: cores.proxy, redisUrl: redis.url, secrets, environment });
  stack.defer(() => gateway.process.stop());
  const { pid } = gateway.process;

  const url = gateway.origin + samplePath;
  const load: LoadOptions = { url, headers: { Authorization: secrets.authorization }, answerHas: answerMark, connections: 1, seconds: latencySeconds, core: cores.rest, folder };
  const callsBefore = latencyOf(await runWrk(load));
  const [rssBeforeMb, descriptorsBefore] = takenBy(pid);

  const startedAt = performance.now();
  const holder = holdStreams(url, count, secrets, cores, folder);
  stack.defer(() => holder.stop());
  await holder.until('the streams', async () => {
    const held = await lastLine(holder.outputFile);
    return held !== undefined && held.open + held.failed + held.closed >= count ? held : undefined;
  }, 20, 120_000);
  const openedInMs = performance.now() - startedAt;

  // What was made to open them is still being collected.
  await delay(1_000);
  const before = usageOf(pid)?.cpuSeconds ?? Number.NaN;
  await delay(idleSeconds * 1_000);
  const idleCpuShare = ((usageOf(pid)?.cpuSeconds ?? Number.NaN) - before) / idleSeconds;
  const [rssOpenMb, descriptorsOpen] = takenBy(pid);
  const held = await lastLine(holder.outputFile);
  if (held?.open !== count) throw new Error(`of ${count} streams ${held?.open} are still open`);
  const callsBeside = latencyOf(await runWrk(load));

  await holder.stop();
  const [rssClosedMb, descriptorsClosed] = await untilClosed(pid, descriptorsBefore);
  return {
    count, wanted, descriptorLimit: Number.isFinite(limit) ? limit : null, openedInMs, rssBeforeMb, rssOpenMb, rssClosedMb, descriptorsBefore, descriptorsOpen, descriptorsClosed,
    idleSeconds, commentMs, commented: held.commented, idleCpuShare, callsBefore, callsBeside,
  };
}

async function startStreamUpstream({ rest }: Cores, folder: string): Promise<{ port: number; process: RunningProcess }> {
  const outputFile = join(folder, 'stream-upstream.log');
  const upstream = new RunningProcess({ command: pinned(rest, [process.execPath, join(import.meta.dirname, 'stream-upstream.ts')]), outputFile });
  const { port } = await upstream.until('the upstream', () => lastLine<{ port: number }>(outputFile));
  return { port, process: upstream };
}

function holdStreams(url: string, count: number, { authorization }: BenchSecrets, { rest }: Cores, folder: string): RunningProcess {
  const command = [process.execPath, join(import.meta.dirname, 'hold-streams.ts'), `--count=${count}`, url] as const;
  return new RunningProcess({ command: pinned(rest, command), environment: { BENCH_AUTHORIZATION: authorization }, outputFile: join(folder, 'hold-streams.log') });
}

/** The last whole line that is JSON. */
async function lastLine<T = Held>(file: string): Promise<T | undefined> {
  const line = (await readFile(file, 'utf8')).split('\n').findLast((text) => text.startsWith('{') && text.endsWith('}'));
  return line === undefined ? undefined : (JSON.parse(line) as T);
}

const latencyOf = ({ p50Ms, p99Ms }: Latency): Latency => ({ p50Ms, p99Ms });
const takenBy = (pid: number): [rssMb: number, descriptors: number] => [usageOf(pid)?.rssMb ?? Number.NaN, descriptorsOf(pid) ?? Number.NaN];

/** What is taken once nobody listens any more, or after ten seconds. */
async function untilClosed(pid: number, descriptors: number): Promise<[rssMb: number, descriptors: number]> {
  for (let waits = 0; waits < 50 && (descriptorsOf(pid) ?? 0) > descriptors; waits += 1) await delay(200);
  return takenBy(pid);
}

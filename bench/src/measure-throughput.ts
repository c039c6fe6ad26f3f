import type { BenchOptions } from './options.ts';
import type { Proxy } from './nginx-proxy.ts';
import { usageOf } from './process-usage.ts';
import { type LoadOptions, type LoadResult, runWrk } from './run-wrk.ts';
import { median } from './statistics.ts';

export interface Throughput {
  readonly name: string;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rssMb: number;
  /** CPU time of the proxy per request: hardly changes when other work shares the machine. */
  readonly cpuMicroseconds: number;
  /** Part of the time that the proxy had its core: below about 0.95 it was not what limited the rate. */
  readonly cpuShare: number;
}

export const connections = 48;

type Round = LoadResult & { readonly cpuMicroseconds: number; readonly cpuShare: number };

/** Loads each proxy in turn, several times over, so that a slow moment of the machine meets all of them; gives medians. */
export async function measureThroughput(proxies: readonly Proxy[], load: Pick<LoadOptions, 'core' | 'folder'>, { quick }: BenchOptions): Promise<Throughput[]> {
  const [warmUpSeconds, rounds, seconds] = quick ? [1, 3, 2] : [4, 3, 5];
  for (const { url, headers } of proxies) await runWrk({ ...load, url, headers, connections, seconds: warmUpSeconds });
  const results = new Map<string, Round[]>(proxies.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const proxy of proxies) results.get(proxy.name)?.push(await runRound(proxy, { ...load, url: proxy.url, headers: proxy.headers, connections, seconds }));
  }
  return proxies.map(({ name, process }) => summarise(name, results.get(name) ?? [], usageOf(process.pid)?.rssMb ?? Number.NaN));
}

async function runRound({ process }: Proxy, load: LoadOptions): Promise<Round> {
  const before = usageOf(process.pid)?.cpuSeconds ?? Number.NaN;
  const result = await runWrk(load);
  const cpuSeconds = (usageOf(process.pid)?.cpuSeconds ?? Number.NaN) - before;
  return { ...result, cpuMicroseconds: (cpuSeconds / result.requests) * 1e6, cpuShare: cpuSeconds / (result.requests / result.requestsPerSecond) };
}

function summarise(name: string, rounds: readonly Round[], rssMb: number): Throughput {
  const of = (field: Exclude<keyof Round, 'requests'>): number => median(rounds.map((round) => round[field]));
  return {
    name,
    requestsPerSecond: of('requestsPerSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    rssMb,
    cpuMicroseconds: of('cpuMicroseconds'),
    cpuShare: of('cpuShare'),
  };
}

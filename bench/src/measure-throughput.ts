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

export interface RoundPlan {
  readonly warmUpSeconds: number;
  readonly rounds: number;
  /** Of each. */
  readonly seconds: number;
}

type Round = LoadResult & { readonly cpuMicroseconds: number; readonly cpuShare: number };

/** Loads each proxy in turn, several times over, so that a slow moment of the machine meets all of them; gives medians. */
export async function measureThroughput(proxies: readonly Proxy[], load: Pick<LoadOptions, 'core' | 'folder'>, { warmUpSeconds, rounds, seconds }: RoundPlan): Promise<Throughput[]> {
  if (warmUpSeconds > 0) for (const proxy of proxies) await runWrk({ ...load, ...targetOf(proxy), connections, seconds: warmUpSeconds });
  const results = new Map<string, Round[]>(proxies.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const proxy of proxies) results.get(proxy.name)?.push(await runRound(proxy, { ...load, ...targetOf(proxy), connections, seconds }));
  }
  return proxies.map(({ name, process }) => summarise(name, results.get(name) ?? [], usageOf(process.pid)?.rssMb ?? Number.NaN));
}

export const targetOf = ({ url, headers, request }: Pick<Proxy, 'url' | 'headers' | 'request'>): Pick<LoadOptions, 'url' | 'headers' | 'request'> => ({ url, headers, ...(request && { request }) });

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

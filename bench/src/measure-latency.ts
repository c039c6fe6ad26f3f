import type { Proxy } from './nginx-proxy.ts';
import { type LoadOptions, runWrk } from './run-wrk.ts';
import { median } from './statistics.ts';
import { type RoundPlan, targetOf } from './measure-throughput.ts';

export type LatencyTarget = Pick<Proxy, 'name' | 'url' | 'headers' | 'request'>;

/** Milliseconds. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Latency at one connection, by name: medians of rounds that alternate between the targets. */
export async function measureLatency(targets: readonly LatencyTarget[], load: Pick<LoadOptions, 'core' | 'folder'>, { rounds, seconds }: Pick<RoundPlan, 'rounds' | 'seconds'>): Promise<Map<string, Latency>> {
  const results = new Map<string, Latency[]>(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const target of targets) results.get(target.name)?.push(await runWrk({ ...load, ...targetOf(target), connections: 1, seconds }));
  }
  return new Map([...results].map(([name, values]) => [name, { p50Ms: median(values.map(({ p50Ms }) => p50Ms)), p99Ms: median(values.map(({ p99Ms }) => p99Ms)) }]));
}

import { type LoadOptions, runWrk } from './run-wrk.ts';
import { median } from './statistics.ts';
import type { BenchOptions } from './options.ts';

export interface LatencyTarget {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Latency at one connection, in milliseconds: p50 of rounds that alternate between the targets. */
export async function measureLatency(targets: readonly LatencyTarget[], load: Pick<LoadOptions, 'core' | 'folder'>, { quick }: BenchOptions): Promise<Map<string, number>> {
  const [rounds, seconds] = quick ? [3, 1] : [3, 3];
  const p50s = new Map<string, number[]>(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, url, headers } of targets) {
      const { p50Ms } = await runWrk({ ...load, url, headers, connections: 1, seconds });
      p50s.get(name)?.push(p50Ms);
    }
  }
  return new Map([...p50s].map(([name, values]) => [name, median(values)]));
}

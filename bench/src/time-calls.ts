import { quantile } from './statistics.ts';

export interface Timing {
  readonly calls: number;
  readonly rounds: number;
}

/** Microseconds per call. */
export interface CallTime {
  readonly median: number;
  /** Nine rounds of ten were slower: what it costs where nothing else uses the core or its caches. */
  readonly fastestTenth: number;
}

/**
 * Times calls, in rounds: short ones, so that other work on the machine falls into few of them. What a
 * round works on is made before its clock starts; the first quarter of the rounds only warms up.
 */
export async function timeCalls<T>({ calls, rounds }: Timing, prepare: (count: number) => readonly T[], call: (item: T) => unknown, isAsync = true): Promise<CallTime> {
  const results: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const items = prepare(calls);
    const startedAt = performance.now();
    if (isAsync) for (const item of items) await call(item);
    else for (const item of items) call(item);
    results.push(((performance.now() - startedAt) * 1000) / calls);
  }
  const warm = results.slice(Math.ceil(rounds / 4));
  return { median: quantile(warm, 0.5), fastestTenth: quantile(warm, 0.1) };
}

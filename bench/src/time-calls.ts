import { median } from './statistics.ts';

export interface Timing {
  readonly calls: number;
  readonly rounds: number;
}

/**
 * Microseconds per call, the median of rounds. What each round works on is made before its clock starts; the first quarter of
 * the rounds only warms up.
 */
export async function timeCalls<T>({ calls, rounds }: Timing, prepare: (count: number) => readonly T[], call: (item: T) => unknown, isAsync = true): Promise<number> {
  const results: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const items = prepare(calls);
    const startedAt = performance.now();
    if (isAsync) for (const item of items) await call(item);
    else for (const item of items) call(item);
    results.push(((performance.now() - startedAt) * 1000) / calls);
  }
  return median(results.slice(Math.ceil(rounds / 4)));
}

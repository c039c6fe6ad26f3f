import type { SharedBuckets } from './shared-buckets.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Of `gatehouse up`, where all data planes are in this process. @param now milliseconds, monotonic */
export function createMemorySharedBuckets(now: () => number): SharedBuckets {
  const buckets = new TokenBuckets(now);
  return {
    take: (key, rate, wanted, atLeast = 1) => {
      const there = buckets.there(key, rate);
      const granted = there < atLeast ? 0 : Math.min(there, wanted);
      if (granted > 0) buckets.take(key, rate, granted);
      return Promise.resolve({ granted, nextMs: buckets.nextMs(key, rate) });
    },
    close: () => Promise.resolve(),
  };
}

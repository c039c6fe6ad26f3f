import type { SharedBuckets } from './shared-buckets.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Of `gatehouse up`, where all data planes are in this process. @param now milliseconds, monotonic */
export function createMemorySharedBuckets(now: () => number): SharedBuckets {
  const buckets = new TokenBuckets(now);
  return {
    take: (key, rate, wanted) => {
      const granted = Math.min(buckets.there(key, rate), wanted);
      if (granted > 0) buckets.take(key, rate, granted);
      return Promise.resolve({ granted, nextMs: buckets.waitMs(key, rate, 1) });
    },
    close: () => Promise.resolve(),
  };
}

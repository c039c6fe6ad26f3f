import type { BucketRate } from './token-buckets.ts';

export interface TakenTokens {
  /** As many as were there, up to what was wanted. */
  readonly granted: number;
  /** Milliseconds until there is another one. Below 0 where there are some: by an interval for each but the first. */
  readonly nextMs: number;
}

/** Token buckets that all data planes take from. Two implementations: Redis, and in process. */
export interface SharedBuckets {
  /**
   * Rejects where the buckets are away, within 250 ms.
   * @param atLeast where fewer are there none are taken, as nobody could use them; 1 when absent
   */
  readonly take: (key: string, rate: BucketRate, wanted: number, atLeast?: number) => Promise<TakenTokens>;
  readonly close: () => Promise<void>;
}

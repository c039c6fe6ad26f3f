import type { BucketRate } from './token-buckets.ts';

export interface TakenTokens {
  /** As many as were there, up to what was wanted. */
  readonly granted: number;
  /** Milliseconds until there is another one; 0 where there is. */
  readonly nextMs: number;
}

/** Token buckets that all data planes take from. Two implementations: Redis, and in process. */
export interface SharedBuckets {
  /** Rejects where the buckets are away, within 250 ms. */
  readonly take: (key: string, rate: BucketRate, wanted: number) => Promise<TakenTokens>;
  readonly close: () => Promise<void>;
}

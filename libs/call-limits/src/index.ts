export { CallLimiter, type CallLimiterOptions, type Entered, type Limit, type LimitedRequest, type LimitRefusal, type Place } from './call-limiter.ts';
export { createMemorySharedBuckets } from './memory-shared-buckets.ts';
export { isByTool, type LimitsConfig, type PreparedLimits, prepareLimits, type RateConfig } from './prepare-limits.ts';
export type { SharedBuckets, TakenTokens } from './shared-buckets.ts';
export { type BucketRate } from './token-buckets.ts';

import { CallLimiter, type Limit, type SharedBuckets } from '@gatehouse/call-limits';
import type { Logger } from '@gatehouse/service-runtime';
import type { PreparedServer } from '@gatehouse/upstream-request';
import type { Registry } from 'prom-client';
import { observeLimited, observePlaces, observeSharedLimits } from './observe-limits.ts';

/** How often, and how many at a time, callers may call. */
export interface CallLimits {
  readonly limiter: CallLimiter;
  /** A limit of this server has refused a call. */
  readonly refused: (server: PreparedServer, limit: Limit) => void;
}

export interface CallLimitsOptions {
  readonly settings: { readonly CONCURRENT_CALLS_PER_SERVER: number; readonly CONCURRENT_CALLS_PER_CALLER: number };
  /** Of limits that all data planes share. */
  readonly buckets: SharedBuckets;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly isConfigured: (workspace: string, server: string) => boolean;
}

export function openCallLimits({ settings, buckets, registry, logger, now, isConfigured }: CallLimitsOptions): CallLimits {
  const defaults = { server: settings.CONCURRENT_CALLS_PER_SERVER, caller: settings.CONCURRENT_CALLS_PER_CALLER };
  const limiter = new CallLimiter({ now, buckets, defaults, ...observeSharedLimits(registry, logger) });
  observePlaces(registry, limiter);
  return { limiter, refused: observeLimited(registry, isConfigured) };
}

import type { OwnerClient } from '../connection.ts';

/** 0.75 to 1.25: what began together does not come due together. */
const jitter = (): number => 0.75 + Math.random() / 2;

const longestAheadSeconds = 600;
const shortestAheadSeconds = 60;
const longestPauseSeconds = 60;
const day = 86_400;

/** How long before its expiry a token is refreshed: a fifth of its life, at least a minute, at most ten, and never more than half. */
function aheadSeconds(lifeSeconds: number): number {
  return Math.min(Math.max(lifeSeconds * 0.2, shortestAheadSeconds), longestAheadSeconds, lifeSeconds / 2);
}

/** When to refresh tokens that were just given, from now; null for never, which is until somebody asks. */
export function nextRefreshSeconds(expiresInSeconds: number | undefined, refresh: OwnerClient['refresh']): number | null {
  if (expiresInSeconds === undefined) return keepAliveSeconds(refresh);
  return Math.max(expiresInSeconds - aheadSeconds(expiresInSeconds) * jitter(), 1);
}

/** When to refresh what nobody uses, so that the provider does not drop it: well before that. */
export function keepAliveSeconds({ idleDays }: OwnerClient['refresh']): number | null {
  return idleDays === undefined ? null : idleDays * day * 0.6 * jitter();
}

/** How long to leave a provider alone after so many failures. */
export function pauseSeconds(failures: number): number {
  return Math.min(2 ** Math.min(failures, 6), longestPauseSeconds) * jitter();
}

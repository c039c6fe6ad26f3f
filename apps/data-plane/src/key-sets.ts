import { performance } from 'node:perf_hooks';
import { type AddressGuard, guardedFetch, OriginPools } from '@gatehouse/egress';
import type { Logger } from '@gatehouse/service-runtime';
import { KeySets, keySetLimits } from '@gatehouse/token-verification';

export interface OpenKeySets {
  readonly keySets: KeySets;
  close(): Promise<void>;
}

/** The key sets that callers' tokens are verified with, fetched over guarded connections of their own. */
export function openKeySets(guard: AddressGuard, logger: Logger): OpenKeySets {
  const pools = new OriginPools({ guard, connectionsPerOrigin: 2 });
  const keySets = new KeySets({
    fetch: guardedFetch(pools, keySetLimits),
    // Monotonic: when to ask again does not depend on what the clock is set to.
    now: () => performance.now(),
    onFailure: (url, cause) => logger.warn({ keySet: url, err: cause }, 'a key set could not be fetched'),
  });
  return {
    keySets,
    close: async () => {
      keySets.close();
      await pools.destroy();
    },
  };
}

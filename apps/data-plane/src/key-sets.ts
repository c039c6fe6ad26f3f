import { performance } from 'node:perf_hooks';
import { type AddressGuard, guardedFetch, OriginPools } from '@gatehouse/egress';
import type { Logger } from '@gatehouse/service-runtime';
import { KeySets, keySetLimits } from '@gatehouse/token-verification';
import type { ObserveDependency } from './metrics/observe-dependencies.ts';

export interface OpenKeySets {
  readonly keySets: KeySets;
  readonly pools: OriginPools;
  close(): Promise<void>;
}

/** The key sets that callers' tokens are verified with, fetched over guarded connections of their own. */
export function openKeySets(guard: AddressGuard, logger: Logger, observe: ObserveDependency): OpenKeySets {
  const pools = new OriginPools({ guard, connectionsPerOrigin: 2 });
  const fetch = guardedFetch(pools, keySetLimits);
  const keySets = new KeySets({
    fetch: (url, init) => observe('key_set', () => fetch(url, init)),
    // Monotonic: when to ask again does not depend on what the clock is set to.
    now: () => performance.now(),
    onFailure: (url, cause) => logger.warn({ keySet: url, err: cause }, 'a key set could not be fetched'),
  });
  return {
    keySets,
    pools,
    close: async () => {
      keySets.close();
      await pools.destroy();
    },
  };
}

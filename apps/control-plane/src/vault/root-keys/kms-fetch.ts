import { createAddressGuard, type GuardedFetch, guardedFetch, OriginPools } from '@gatehouse/egress';
import { exceptPublic } from '../../identity/providers/provider-egress.service.ts';

export interface KmsFetch {
  readonly fetch: GuardedFetch;
  readonly close: () => Promise<void>;
}

/** Whoever waits holds a database connection. */
const timeouts = { headersMs: 4_000, bodyMs: 4_000, totalMs: 4_000 };

/**
 * Connections to a key management service. The deployment names it, as it does its database: it may be in a private network,
 * whatever upstreams may be. Over plain http it has to be: the token and the data keys go over that line.
 */
export function openKmsFetch(): KmsFetch {
  const guard = createAddressGuard({ allowedRanges: ['loopback', 'private'] });
  const https = new OriginPools({ guard, connectionsPerOrigin: 16 });
  const http = new OriginPools({ guard: exceptPublic(guard), connectionsPerOrigin: 16 });
  const [overHttps, overHttp] = [https, http].map((pools) => guardedFetch(pools, { timeouts, maxResponseBytes: 65_536 })) as [GuardedFetch, GuardedFetch];
  return {
    fetch: (input, init) => (new URL(input instanceof Request ? input.url : input).protocol === 'https:' ? overHttps : overHttp)(input, init),
    close: async () => void (await Promise.all([https.destroy(), http.destroy()])),
  };
}

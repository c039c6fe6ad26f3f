import { AccessTokens } from '@gatehouse/access-tokens';
import { type AddressGuard, guardedFetch, OriginPools } from '@gatehouse/egress';
import { openBrokerLine } from './ask-broker.ts';
import type { DataPlaneSettings } from './data-plane.ts';
import type { ObserveDependency } from './metrics/observe-dependencies.ts';

export interface OpenTokens {
  readonly tokens: AccessTokens;
  readonly pools: { readonly broker?: OriginPools; readonly providers: OriginPools };
  close(): Promise<void>;
}

/** What a provider's answer may take, and how large it may be. */
const providerLimits = { timeouts: { headersMs: 10_000, totalMs: 15_000 }, maxResponseBytes: 262_144 };

/** The tokens of connections and clients, over connections of their own: to the broker kept open, to providers guarded. */
export function openTokens(settings: Pick<DataPlaneSettings, 'INTERNAL_URL' | 'DATA_PLANE_TOKEN'>, guard: AddressGuard, observe: ObserveDependency): OpenTokens {
  const providers = new OriginPools({ guard, connectionsPerOrigin: 8 });
  const broker = openBrokerLine(settings);
  const fetch = guardedFetch(providers, providerLimits);
  const tokens = new AccessTokens({
    post: broker && ((body, trace) => observe('broker', () => broker.post(body, trace))),
    fetch: (url, init) => observe('provider', () => fetch(url, init)),
    now: Date.now,
  });
  return {
    tokens,
    pools: { ...(broker && { broker: broker.pools }), providers },
    close: async () => {
      await Promise.all([providers.destroy(), broker?.close()]);
    },
  };
}

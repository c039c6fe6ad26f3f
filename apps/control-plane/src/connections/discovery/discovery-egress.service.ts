import { type AddressGuard, createAddressGuard, type GuardedFetch, guardedFetch, OriginPools, type ResolveName } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import type { Fetch } from '@gatehouse/oauth-client';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { exceptPublic } from '../../identity/providers/provider-egress.service.ts';
import { addressGuardToken } from '../../servers/probe/address-guard.provider.ts';
import { ConnectionEgress } from '../connection-egress.service.ts';
import { type ReachedUpstream, reachUpstream } from './reach-upstream.ts';

const timeouts = { headersMs: 15_000, bodyMs: 15_000, totalMs: 15_000 };

/**
 * How what upstreams name is reached. What the deployment allows besides public addresses is for what administrators name: an upstream
 * somewhere on the internet sends nobody into the private network. One that is there itself may name its neighbours.
 */
@Injectable()
export class DiscoveryEgress implements OnApplicationShutdown {
  readonly #pools: readonly OriginPools[];
  readonly #public: Fetch;
  readonly #near: Fetch;
  readonly #both: Fetch;

  constructor(@Inject(addressGuardToken) guard: AddressGuard, egress: ConnectionEgress) {
    const { anywhere, near, pools } = discoveryFetches(guard);
    this.#pools = pools;
    this.#public = anywhere;
    this.#near = near;
    this.#both = egress.fetch;
  }

  /** For an upstream, which administrators name. */
  upstream(): ReachedUpstream {
    return reachUpstream({ anywhere: this.#public, near: this.#near });
  }

  /** For what an upstream names that is near, or is not. */
  of(isNear: boolean): Fetch {
    return isNear ? this.#both : this.#public;
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
  }
}

/** What reaches public addresses only, over https, and what reaches only those that the guard allows besides. */
export function discoveryFetches(guard: AddressGuard, resolveName?: ResolveName): { anywhere: Fetch; near: Fetch; pools: readonly OriginPools[] } {
  const options = { connectionsPerOrigin: 4, maxPools: 200, ...(resolveName && { resolveName }) };
  const pools = [createAddressGuard({ allowedRanges: [] }), exceptPublic(guard)].map((each) => new OriginPools({ ...options, guard: each }));
  const [anywhere, near] = pools.map((pool) => guardedFetch(pool, { timeouts, maxResponseBytes: 262_144 })) as [GuardedFetch, GuardedFetch];
  return { anywhere: onlyHttps(anywhere), near, pools };
}

const onlyHttps = (fetch: GuardedFetch): Fetch => (url, init) =>
  new URL(url).protocol === 'https:' ? fetch(url, init) : Promise.reject(new GatewayError('upstream_address_refused', { detail: 'not https' }));

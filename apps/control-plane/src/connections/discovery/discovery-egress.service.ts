import { lookup } from 'node:dns/promises';
import { type AddressGuard, createAddressGuard, type GuardedFetch, guardedFetch, OriginPools } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import type { Fetch } from '@gatehouse/oauth-client';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { addressGuardToken } from '../../servers/probe/address-guard.provider.ts';
import { ConnectionEgress } from '../connection-egress.service.ts';

const timeouts = { headersMs: 15_000, bodyMs: 15_000, totalMs: 15_000 };

/**
 * How what upstreams name is reached. What the deployment allows besides public addresses is for what administrators name: an upstream
 * somewhere on the internet sends nobody into the private network. One that is there itself may name its neighbours.
 */
@Injectable()
export class DiscoveryEgress implements OnApplicationShutdown {
  readonly #guard: AddressGuard;
  readonly #anyone: AddressGuard;
  readonly #pools: OriginPools;
  readonly #public: Fetch;
  /** For what administrators name. */
  readonly fetch: Fetch;

  constructor(@Inject(addressGuardToken) guard: AddressGuard, egress: ConnectionEgress) {
    this.#guard = guard;
    this.#anyone = createAddressGuard({ allowedRanges: [] });
    this.#pools = new OriginPools({ guard: this.#anyone, connectionsPerOrigin: 4, maxPools: 200 });
    this.#public = onlyHttps(guardedFetch(this.#pools, { timeouts, maxResponseBytes: 262_144 }));
    this.fetch = egress.fetch;
  }

  /** For what an upstream names that is near, or is not. */
  of(isNear: boolean): Fetch {
    return isNear ? this.fetch : this.#public;
  }

  /** Whether a URL is of an address that only the deployment's own setting allows. */
  async isNear(url: string): Promise<boolean> {
    const addresses = await lookup(new URL(url).hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => []);
    return addresses.length > 0 && addresses.every(({ address }) => this.#guard.allows(address) && !this.#anyone.allows(address));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#pools.destroy();
  }
}

const onlyHttps = (fetch: GuardedFetch): Fetch => (url, init) =>
  new URL(url).protocol === 'https:' ? fetch(url, init) : Promise.reject(new GatewayError('upstream_address_refused', { detail: 'not https' }));

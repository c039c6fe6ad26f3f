import { type AddressGuard, type GuardedFetch, guardedFetch, OriginPools } from '@gatehouse/egress';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { addressGuardToken } from '../servers/probe/address-guard.provider.ts';

/** A client's request waits for it. */
const timeouts = { headersMs: 2_500, bodyMs: 2_500, totalMs: 2_500 };

/** How the authorization server fetches what clients publish about themselves: metadata documents and key sets. Nothing is followed elsewhere. */
@Injectable()
export class OAuthEgress implements OnApplicationShutdown {
  readonly #pools: OriginPools;
  readonly fetch: GuardedFetch;

  constructor(@Inject(addressGuardToken) guard: AddressGuard) {
    this.#pools = new OriginPools({ guard, connectionsPerOrigin: 4, maxPools: 200 });
    this.fetch = guardedFetch(this.#pools, { timeouts, maxResponseBytes: 65_536 });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#pools.destroy();
  }
}

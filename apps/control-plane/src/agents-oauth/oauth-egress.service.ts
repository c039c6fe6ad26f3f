import { GatewayError } from '@gatehouse/errors';
import { createAddressGuard, type GuardedFetch, guardedFetch, OriginPools } from '@gatehouse/egress';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';

/** A client's request waits for it. */
const timeouts = { headersMs: 2_500, bodyMs: 2_500, totalMs: 2_500 };

/**
 * How the authorization server fetches what clients publish about themselves: metadata documents and key sets. Anyone may name their
 * URLs, so that what administrators may reach (`EGRESS_ALLOWED_RANGES`) says nothing here: public addresses, over https, unless a
 * setting of its own says otherwise. Nothing is followed elsewhere.
 */
@Injectable()
export class OAuthEgress implements OnApplicationShutdown {
  readonly #pools: OriginPools;
  readonly fetch: GuardedFetch;

  constructor(@Inject(settingsToken) { OAUTH_CLIENT_ALLOWED_RANGES: allowedRanges }: ControlPlaneSettings) {
    this.#pools = new OriginPools({ guard: createAddressGuard({ allowedRanges }), connectionsPerOrigin: 4, maxPools: 200 });
    this.fetch = onlyHttps(guardedFetch(this.#pools, { timeouts, maxResponseBytes: 65_536 }));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#pools.destroy();
  }
}

const onlyHttps = (fetch: GuardedFetch): GuardedFetch => (input, init) =>
  new URL(input instanceof Request ? input.url : input).protocol === 'https:' ? fetch(input, init) : Promise.reject(new GatewayError('upstream_address_refused', { detail: 'not https' }));

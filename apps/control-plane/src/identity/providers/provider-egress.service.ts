import { type AddressGuard, createAddressGuard, type GuardedFetch, guardedFetch, type GuardedFetchOptions, OriginPools } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { addressGuardToken } from '../../servers/probe/address-guard.provider.ts';

/** Someone waits before a login page. */
const limits: GuardedFetchOptions = { timeouts: { headersMs: 5_000, bodyMs: 5_000, totalMs: 5_000 } };

/**
 * Every connection to an identity provider. Plain http goes only where the deployment expressly allows connections to besides
 * public addresses (loopback, a private network): over the internet whoever sits between could be everyone.
 */
@Injectable()
export class ProviderEgress implements OnApplicationShutdown {
  readonly #https: OriginPools;
  readonly #http: OriginPools;
  readonly fetch: GuardedFetch;

  constructor(@Inject(addressGuardToken) guard: AddressGuard) {
    this.#https = new OriginPools({ guard, connectionsPerOrigin: 8 });
    this.#http = new OriginPools({ guard: exceptPublic(guard), connectionsPerOrigin: 8 });
    this.fetch = this.fetchOf(limits);
  }

  fetchOf(options: GuardedFetchOptions): GuardedFetch {
    const overHttps = guardedFetch(this.#https, options);
    const overHttp = guardedFetch(this.#http, options);
    return (input, init) => (urlOf(input).protocol === 'https:' ? overHttps : overHttp)(input, init);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.#https.destroy(), this.#http.destroy()]);
  }
}

const urlOf = (input: string | URL | Request): URL => new URL(input instanceof Request ? input.url : input);

/** What remains of a guard without public addresses. */
export function exceptPublic(guard: AddressGuard): AddressGuard {
  const anyone = createAddressGuard({ allowedRanges: [] });
  return {
    allows: (address) => guard.allows(address) && !anyone.allows(address),
    assertAllowed: (address, host) => {
      if (anyone.allows(address)) throw new GatewayError('upstream_address_refused', { detail: `plain http to the public address ${address} (${host ?? 'no name'})` });
      guard.assertAllowed(address, host);
    },
  };
}

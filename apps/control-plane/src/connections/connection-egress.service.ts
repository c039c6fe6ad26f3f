import type { GuardedFetch } from '@gatehouse/egress';
import { Injectable } from '@nestjs/common';
import { ProviderEgress } from '../identity/providers/provider-egress.service.ts';

/** How token and revocation endpoints are reached. Redirects are not followed: what is sent there are secrets. */
@Injectable()
export class ConnectionEgress {
  readonly fetch: GuardedFetch;

  constructor(egress: ProviderEgress) {
    // Their own timeouts count for the whole of a request.
    this.fetch = egress.fetchOf({ timeouts: { headersMs: 15_000, bodyMs: 15_000, totalMs: 15_000 }, maxResponseBytes: 262_144 });
  }
}

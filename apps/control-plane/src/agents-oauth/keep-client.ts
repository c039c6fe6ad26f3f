import { errors } from 'oidc-provider';
import type { Sql } from '../database/sql.ts';
import { lifetimes } from './lifetimes.ts';
import type { OAuthState, WrittenState } from './oauth-state.service.ts';
import { hasManyNewClients } from './oauth-state.store.ts';

export interface ClientKeeping {
  readonly sql: Sql;
  readonly state: Pick<OAuthState, 'put'>;
  readonly maxUnusedClients: number;
}

/**
 * Keeps a client that registers itself: for a day, unless somebody allows it something. Anyone can register any number from any
 * number of addresses, so that all of them together are bounded.
 */
export async function keepNewClient(client: WrittenState, { sql, state, maxUnusedClients }: ClientKeeping): Promise<void> {
  if (await hasManyNewClients(sql, maxUnusedClients, lifetimes.newClient)) {
    const full = new errors.OIDCProviderError(503, 'temporarily_unavailable');
    throw Object.assign(full, { expose: true, error_description: 'too many clients have registered and were never used; try again tomorrow, or have an administrator register this one' });
  }
  await state.put({ ...client, lifeSeconds: lifetimes.newClient });
}

import { authorizationServerId } from '@gatehouse/gateway-config';
import type { Sql } from '../database/sql.ts';
import { takeRevision } from '../snapshots/revisions.store.ts';
import { lockGrantsOfGoneProviders } from './grants.store.ts';
import { revokeGrants } from './revoke-grants.ts';

/**
 * In the transaction that has changed an identity provider: data planes are told which ones are switched off, and what people of one
 * that is gone, or is another issuer by now, allowed their agents ends.
 */
export async function followProviderChange(sql: Sql): Promise<void> {
  await revokeGrants(sql, await lockGrantsOfGoneProviders(sql));
  await takeRevision(sql, [authorizationServerId]);
}

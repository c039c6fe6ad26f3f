import { authorizationServerId } from '@gatehouse/gateway-config';
import type { Sql } from '../database/sql.ts';
import { takeRevision } from '../snapshots/revisions.store.ts';
import { forgetConsentsWithoutGrants } from './consents.store.ts';
import { deleteGrants, type GrantRow } from './grants.store.ts';
import { lifetimes } from './lifetimes.ts';
import { deleteStateOfGrants } from './oauth-state.store.ts';
import { insertRevocations } from './revocations.store.ts';

/**
 * Ends grants, in the transaction that has locked them: nothing of theirs is accepted here any more, and data planes refuse their
 * access tokens as soon as they have this revision.
 */
export async function revokeGrants(sql: Sql, grants: readonly GrantRow[]): Promise<void> {
  if (grants.length === 0) return;
  const ids = grants.map(({ id }) => id);
  await deleteStateOfGrants(sql, ids);
  await deleteGrants(sql, ids);
  await forgetConsentsWithoutGrants(sql, [...new Set(grants.map(({ personId }) => personId))]);
  await insertRevocations(sql, ids, lifetimes.revocation);
  await takeRevision(sql, [authorizationServerId]);
}

import type { Logger } from '@gatehouse/service-runtime';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import type { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { renewSentinel } from './check-sentinel.ts';
import type { WrappedKey } from './data-keys.store.ts';
import {
  type DataKeyName, destroyKey, lockOldKey, lockRotation, noteEmptied, noteNotEmpty, noteUnreadable, type OldKeys, promoteKey, readEmptiedKeys, readKeysOfOtherRoots, readOldKeys,
  readPromotableKeys, readRequests, replaceWrapped, stageKey,
} from './key-rotation.store.ts';
import { rewrapValues } from './rewrap-values.ts';
import { sealedColumns } from './sealed-columns.ts';
import { countValues } from './sealed-values.store.ts';
import { gatewayItself, type Vault } from './vault.ts';
import { everyReplicaOpens } from './vault-replicas.store.ts';

export interface RotationContext {
  readonly database: Database;
  readonly vault: Vault;
  readonly logger: Logger;
  /** How long an old key is kept after the last value under it is sealed anew. */
  readonly graceSeconds: number;
}

/** So many owners per step: between two steps another replica may go on. */
const ownersAtOnce = 20;

/*
 * The steps of a rotation. Each looks at what the database says, does what can be done now and may end at any point: whoever looks
 * next goes on. Transactions under one lock, which one replica has at a time.
 */

/** Requested rotations get their next key. */
export async function stageKeys({ database, vault }: RotationContext): Promise<void> {
  for (const request of await readRequests(database.sql, ownersAtOnce)) {
    // Not inside of the transaction: a key management service takes its time.
    const key = await vault.makeDataKey(database.sql, { workspaceId: request.workspaceId, term: request.nextTerm });
    await database.transaction(async (sql) => (await lockRotation(sql)) && stageKey(sql, request, key));
  }
}

/** Staged keys that every replica has unwrapped begin to seal. */
export async function promoteKeys({ database, logger }: RotationContext): Promise<void> {
  for (const key of await readPromotableKeys(database.sql, ownersAtOnce)) {
    await database.transaction(async (sql) => {
      if (!(await lockRotation(sql)) || !(await promoteKey(sql, key))) return;
      await audit(sql, 'data-key.activated', key);
      logger.info({ ...key }, 'a data key is active');
    });
  }
}

/** Values under old keys are sealed anew. @returns the owners with values that nothing opens */
export async function rewrapAll(context: RotationContext, isDue: (workspaceId: string) => boolean): Promise<string[]> {
  const stuck: string[] = [];
  for (const old of await readOldKeys(context.database.sql)) {
    if (isDue(old.workspaceId) && (await rewrapOwner(context, old)) === 'stuck') stuck.push(old.workspaceId);
  }
  return stuck;
}

async function rewrapOwner({ database, vault, logger }: RotationContext, { workspaceId, terms }: OldKeys): Promise<'done' | 'elsewhere' | 'stuck'> {
  const unreadable = new Map(terms.map((term) => [term, 0]));
  for (const column of sealedColumns.filter(({ workspace }) => workspace !== undefined || workspaceId === gatewayItself)) {
    const outcome = await rewrapValues(database, vault, { column, workspaceId, terms });
    if (!outcome.isMine) return 'elsewhere';
    for (const [term, count] of outcome.unreadable) {
      unreadable.set(term, (unreadable.get(term) ?? 0) + count);
      logger.error({ workspaceId, term, table: column.table, count }, 'sealed values cannot be opened where they are; their key is kept');
    }
    if (outcome.rewrapped > 0) logger.debug({ workspaceId, table: column.table, values: outcome.rewrapped }, 'values were sealed anew');
  }
  const counts = await countValues(database.sql, sealedColumns, [workspaceId]);
  const emptied = terms.filter((term) => !counts.some((count) => count.term === term && count.values > 0));
  await noteEmptied(database.sql, workspaceId, emptied);
  for (const term of terms.filter((each) => !emptied.includes(each))) await noteUnreadable(database.sql, workspaceId, term, unreadable.get(term) ?? 0);
  return [...unreadable.values()].some((count) => count > 0) ? 'stuck' : 'done';
}

/** Old keys under which there has been no value for a while are no more. */
export async function destroyKeys({ database, graceSeconds, logger }: RotationContext): Promise<void> {
  for (const key of await readEmptiedKeys(database.sql, graceSeconds, ownersAtOnce)) {
    await database.transaction(async (sql) => {
      if (!(await lockRotation(sql)) || !(await lockOldKey(sql, key))) return;
      // Counted under the lock: who wrote a value before is seen, and who would write one now waits, and fails.
      const counts = await countValues(sql, sealedColumns, [key.workspaceId]);
      if (counts.some(({ term, values }) => term === key.term && values > 0)) return noteNotEmpty(sql, key);
      await destroyKey(sql, key);
      await audit(sql, 'data-key.destroyed', key);
      logger.info({ ...key }, 'a data key is destroyed');
    });
  }
}

/** What another root key wrapped is wrapped under the current one, as soon as every replica opens that. The sentinel first: who cannot, does not start any more. @returns whether nothing is left */
export async function renewRoots({ database, vault, logger }: RotationContext): Promise<boolean> {
  const { rootKeys } = vault;
  const rows = await readKeysOfOtherRoots(database.sql, rootKeys.current.id, ownersAtOnce);
  if (rows.length === 0 && !rootKeys.isBeingReplaced) return true;
  if (!(await everyReplicaOpens(database.sql, rootKeys.current.id))) return false;
  if (await renewSentinel(database, rootKeys)) logger.info({ root: rootKeys.current.id }, 'the sentinel is wrapped under the new root key');
  for (const row of rows) {
    const place = { workspaceId: row.workspaceId, term: row.term };
    const plaintext = await rootKeys.unwrap(place, row.wrapped, row.root);
    const key: WrappedKey = { term: row.term, root: rootKeys.current.id, wrapped: await rootKeys.current.wrap(place, plaintext) };
    await database.transaction(async (sql) => (await lockRotation(sql)) && replaceWrapped(sql, row, key));
  }
  return rows.length === 0;
}

async function audit(sql: Sql, action: string, { workspaceId, term }: DataKeyName): Promise<void> {
  const [workspace] = await sql<{ name: string }>('select name from workspaces where id = $1', [workspaceId]);
  const actor = { name: 'gatehouse', attempt: undefined };
  await appendAuditEvent(sql, { actor, action, workspace: workspace?.name ?? null, targetKind: 'DataKey', targetId: workspaceId, targetName: String(term), fields: [] });
}

import type { Sql } from '../database/sql.ts';
import type { UsableKeyRow, WrappedKey } from './data-keys.store.ts';
import { isLoadedEverywhere } from './vault-replicas.store.ts';

/** Any number that nobody else locks. */
const lockId = 7_401_164;

/** Until the end of the transaction this replica is the one that rotates. @returns false where another one is */
export async function lockRotation(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ locked: boolean }>('select pg_try_advisory_xact_lock($1) as locked', [lockId]);
  return row?.locked === true;
}

/** Of these owners, or of all. @returns the owners; one that has no key yet has none to rotate */
export async function requestRotations(sql: Sql, workspaceIds?: readonly string[]): Promise<string[]> {
  const rows = await sql<{ workspaceId: string }>(
    `insert into key_rotations (workspace_id) select workspace_id from data_keys where state = 'active' and ($1::uuid[] is null or workspace_id = any($1))
     on conflict on constraint key_rotations_pkey do update set requested_at = key_rotations.requested_at returning workspace_id as "workspaceId"`,
    [workspaceIds ?? null],
  );
  return rows.map(({ workspaceId }) => workspaceId);
}

export interface RequestedRotation {
  readonly workspaceId: string;
  readonly nextTerm: number;
  /** As text: to the microsecond, which tells a request from one made later. */
  readonly requestedAt: string;
}

/** Those that can begin, the oldest first. */
export function readRequests(sql: Sql, limit: number): Promise<RequestedRotation[]> {
  return sql<RequestedRotation>(
    `select r.workspace_id as "workspaceId", r.requested_at::text as "requestedAt", (select max(term) + 1 from data_keys k where k.workspace_id = r.workspace_id) as "nextTerm"
     from key_rotations r where exists (select from data_keys k where k.workspace_id = r.workspace_id and k.state = 'active')
       and not exists (select from data_keys k where k.workspace_id = r.workspace_id and k.state = 'staged')
     order by r.requested_at limit $1`,
    [limit],
  );
}

/** The next key of an owner, for every replica to see before it is used. @returns whether it was this one */
export async function stageKey(sql: Sql, { workspaceId, requestedAt }: RequestedRotation, { term, wrapped, root }: WrappedKey): Promise<boolean> {
  const taken = await sql('delete from key_rotations where workspace_id = $1 and requested_at = $2::timestamptz returning workspace_id', [workspaceId, requestedAt]);
  if (taken.length === 0) return false;
  await sql(`insert into data_keys (workspace_id, term, state, wrapped, root) values ($1, $2, 'staged', $3, $4)`, [workspaceId, term, wrapped, root]);
  return true;
}

export function readStagedKeys(sql: Sql): Promise<UsableKeyRow[]> {
  return sql<UsableKeyRow>(`select workspace_id as "workspaceId", term, wrapped, root from data_keys where state = 'staged'`);
}

export interface DataKeyName {
  readonly workspaceId: string;
  readonly term: number;
}

/** How long a key is staged at least: nobody opens with keys that they read before it was there. */
const stagedFor = `interval '3 seconds'`;

/** Staged keys that every replica has unwrapped. */
export function readPromotableKeys(sql: Sql, limit: number): Promise<DataKeyName[]> {
  return sql<DataKeyName>(
    `select workspace_id as "workspaceId", term from data_keys k where state = 'staged' and created_at < now() - ${stagedFor} and ${isLoadedEverywhere} limit $1`,
    [limit],
  );
}

/** The staged key seals from now on, the one before it only opens. Waits for transactions that seal. */
export async function promoteKey(sql: Sql, { workspaceId, term }: DataKeyName): Promise<boolean> {
  await sql(`update data_keys set state = 'decrypt_only' where workspace_id = $1 and state = 'active'`, [workspaceId]);
  const promoted = await sql(
    `update data_keys set state = 'active', activated_at = now() where workspace_id = $1 and term = $2 and state = 'staged' returning term`,
    [workspaceId, term],
  );
  return promoted.length > 0;
}

export interface OldKeys {
  readonly workspaceId: string;
  readonly terms: readonly number[];
}

/** Keys that only open, and under which there still are values, by owner. */
export function readOldKeys(sql: Sql): Promise<OldKeys[]> {
  return sql<OldKeys>(
    `select workspace_id as "workspaceId", array_agg(term order by term) as terms from data_keys where state = 'decrypt_only' and emptied_at is null
     group by workspace_id order by workspace_id`,
  );
}

export async function noteEmptied(sql: Sql, workspaceId: string, terms: readonly number[]): Promise<void> {
  await sql(`update data_keys set emptied_at = now(), unreadable = 0 where workspace_id = $1 and term = any($2) and state = 'decrypt_only'`, [workspaceId, terms]);
}

export async function noteUnreadable(sql: Sql, workspaceId: string, term: number, unreadable: number): Promise<void> {
  await sql(`update data_keys set unreadable = $3 where workspace_id = $1 and term = $2 and unreadable <> $3`, [workspaceId, term, unreadable]);
}

/** Keys under which there has been no value for so long that nobody is opening one any more. */
export function readEmptiedKeys(sql: Sql, graceSeconds: number, limit: number): Promise<DataKeyName[]> {
  return sql<DataKeyName>(
    `select workspace_id as "workspaceId", term from data_keys where state = 'decrypt_only' and emptied_at < now() - make_interval(secs => $1) limit $2`,
    [graceSeconds, limit],
  );
}

/** Waits for everyone who is storing a value under it, and lets nobody begin. */
export async function lockOldKey(sql: Sql, { workspaceId, term }: DataKeyName): Promise<boolean> {
  const rows = await sql(`select term from data_keys where workspace_id = $1 and term = $2 and state = 'decrypt_only' for update`, [workspaceId, term]);
  return rows.length > 0;
}

/** Nothing opens what it sealed, backups of other tables included. */
export async function destroyKey(sql: Sql, { workspaceId, term }: DataKeyName): Promise<void> {
  await sql(`update data_keys set state = 'destroyed', wrapped = '', root = null, destroyed_at = now() where workspace_id = $1 and term = $2`, [workspaceId, term]);
}

/** A value came under it after all. */
export async function noteNotEmpty(sql: Sql, { workspaceId, term }: DataKeyName): Promise<void> {
  await sql('update data_keys set emptied_at = null where workspace_id = $1 and term = $2', [workspaceId, term]);
}

export function readKeysOfOtherRoots(sql: Sql, root: string, limit: number): Promise<UsableKeyRow[]> {
  return sql<UsableKeyRow>(
    `select workspace_id as "workspaceId", term, wrapped, root from data_keys where state <> 'destroyed' and root is distinct from $1 order by workspace_id, term limit $2`,
    [root, limit],
  );
}

export async function replaceWrapped(sql: Sql, row: UsableKeyRow, { wrapped, root }: WrappedKey): Promise<void> {
  await sql('update data_keys set wrapped = $4, root = $5 where workspace_id = $1 and term = $2 and wrapped = $3', [row.workspaceId, row.term, row.wrapped, wrapped, root]);
}

export interface KeyUse {
  /** Of all active keys the highest. */
  readonly highest: number;
  readonly due: number;
  readonly unreadable: number;
}

export async function readKeyUse(sql: Sql, limit: number): Promise<KeyUse> {
  const [use] = await sql<KeyUse>(
    `select coalesce(max(sealed_count) filter (where state = 'active'), 0)::bigint as highest, count(*) filter (where state = 'active' and sealed_count >= $1) as due,
       coalesce(sum(unreadable), 0)::bigint as unreadable from data_keys where state <> 'destroyed'`,
    [limit],
  );
  return use ?? { highest: 0, due: 0, unreadable: 0 };
}

import { GatewayError } from '@gatehouse/errors';
import { violates } from '../database/database-errors.ts';
import type { Sql } from '../database/sql.ts';
import { referenceColumn } from '../database/reference.ts';

export interface ServiceAccountRow {
  readonly id: string;
  readonly workspaceId: string;
  /** The workspace's name. */
  readonly workspace: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly keyId: string;
  readonly keyHash: string;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const select = `select a.id, a.workspace_id as "workspaceId", w.name as workspace, a.name, a.groups, a.key_id as "keyId",
  a.key_hash as "keyHash", a.revision, a.created_at as "createdAt", a.updated_at as "updatedAt"
  from service_accounts a join workspaces w on w.id = a.workspace_id`;

/** @throws GatewayError not_found; `reference` is a name or an id. */
export async function findServiceAccount(sql: Sql, workspaceId: string, reference: string, lock = false): Promise<ServiceAccountRow> {
  const column = referenceColumn(reference);
  const forUpdate = lock ? 'for update of a' : '';
  const [row] = column
    ? await sql<ServiceAccountRow>(`${select} where a.workspace_id = $1 and a.${column} = $2 ${forUpdate}`, [workspaceId, reference])
    : [];
  if (!row) throw new GatewayError('not_found', { detail: 'service account' });
  return row;
}

export function listServiceAccounts(sql: Sql, workspaceId: string, after: string | undefined, limit: number): Promise<ServiceAccountRow[]> {
  return sql<ServiceAccountRow>(`${select} where a.workspace_id = $1 and a.name > $2 order by a.name limit $3`, [workspaceId, after ?? '', limit]);
}

export function readServiceAccounts(sql: Sql, ids: readonly string[]): Promise<ServiceAccountRow[]> {
  return sql<ServiceAccountRow>(`${select} where a.id = any($1)`, [ids]);
}

/** Of any workspace: whoever asks compares it. */
export async function findServiceAccountByKeyId(sql: Sql, keyId: string): Promise<ServiceAccountRow | undefined> {
  const [row] = await sql<ServiceAccountRow>(`${select} where a.key_id = $1`, [keyId]);
  return row;
}

export interface NewServiceAccount {
  readonly id: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly keyId: string;
  readonly keyHash: string;
}

export async function insertServiceAccount(sql: Sql, workspaceId: string, account: NewServiceAccount): Promise<void> {
  try {
    await sql(
      `insert into service_accounts (id, workspace_id, name, groups, key_id, key_hash, revision) values ($1, $2, $3, $4, $5, $6, 0)`,
      [account.id, workspaceId, account.name, JSON.stringify(account.groups), account.keyId, account.keyHash],
    );
  } catch (error) {
    if (!violates(error, 'service_accounts_name')) throw error;
    throw new GatewayError('name_taken', { problems: [{ pointer: '/name', detail: 'is already in use in this workspace', code: 'name_taken' }] });
  }
}

export async function updateKey(sql: Sql, id: string, key: { keyId: string; keyHash: string }): Promise<void> {
  await sql('update service_accounts set key_id = $2, key_hash = $3, updated_at = now() where id = $1', [id, key.keyId, key.keyHash]);
}

export async function setServiceAccountRevision(sql: Sql, id: string, revision: number): Promise<void> {
  await sql('update service_accounts set revision = $2 where id = $1', [id, revision]);
}

export async function deleteServiceAccount(sql: Sql, id: string): Promise<void> {
  await sql('delete from service_accounts where id = $1', [id]);
}

export async function updateGroups(sql: Sql, id: string, groups: readonly string[]): Promise<void> {
  await sql('update service_accounts set groups = $2, updated_at = now() where id = $1', [id, JSON.stringify(groups)]);
}

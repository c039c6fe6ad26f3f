import { GatewayError } from '@gatehouse/errors';
import type { WorkspaceAccess } from '@gatehouse/gateway-config';
import { violates } from '../database/database-errors.ts';
import type { Sql } from '../database/sql.ts';
import { referenceColumn } from '../database/reference.ts';

export interface WorkspaceRow {
  readonly id: string;
  readonly name: string;
  /** Who belongs to it; null for everyone who can log in. */
  readonly access: WorkspaceAccess | null;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const columns = 'id, name, access, revision, created_at as "createdAt", updated_at as "updatedAt"';

/** @throws GatewayError not_found; `reference` is a name or an id. */
export async function findWorkspace(sql: Sql, reference: string, lock = false): Promise<WorkspaceRow> {
  const column = referenceColumn(reference);
  const [row] = column ? await sql<WorkspaceRow>(`select ${columns} from workspaces where ${column} = $1 ${lock ? 'for update' : ''}`, [reference]) : [];
  if (!row) throw new GatewayError('not_found', { detail: 'workspace' });
  return row;
}

export function listWorkspaces(sql: Sql, after: string | undefined, limit: number): Promise<WorkspaceRow[]> {
  return sql<WorkspaceRow>(`select ${columns} from workspaces where name > $1 order by name limit $2`, [after ?? '', limit]);
}

/** In all: who belongs to which is decided here and not by the database. */
export function listAllWorkspaces(sql: Sql): Promise<WorkspaceRow[]> {
  return sql<WorkspaceRow>(`select ${columns} from workspaces`);
}

export function readWorkspaces(sql: Sql, ids: readonly string[]): Promise<WorkspaceRow[]> {
  return sql<WorkspaceRow>(`select ${columns} from workspaces where id = any($1)`, [ids]);
}

export async function insertWorkspace(sql: Sql, id: string, { name, access }: Pick<WorkspaceRow, 'name' | 'access'>): Promise<WorkspaceRow> {
  try {
    const [row] = await sql<WorkspaceRow>(`insert into workspaces (id, name, access) values ($1, $2, $3) returning ${columns}`, [id, name, access && JSON.stringify(access)]);
    return row as WorkspaceRow;
  } catch (error) {
    if (!violates(error, 'workspaces_name')) throw error;
    throw new GatewayError('name_taken', { problems: [{ pointer: '/name', detail: 'is already in use', code: 'name_taken' }] });
  }
}

export async function updateWorkspace(sql: Sql, { id, access }: Pick<WorkspaceRow, 'id' | 'access'>): Promise<WorkspaceRow> {
  const [row] = await sql<WorkspaceRow>(
    `update workspaces set access = $2, revision = revision + 1, updated_at = now() where id = $1 returning ${columns}`,
    [id, access && JSON.stringify(access)],
  );
  return row as WorkspaceRow;
}

/** @returns whether there was none before. */
export async function insertDefaultWorkspace(sql: Sql, id: string): Promise<boolean> {
  const rows = await sql(`insert into workspaces (id, name) select $1, 'default' where not exists (select from workspaces) on conflict do nothing returning id`, [id]);
  return rows.length > 0;
}

/** What still belongs to the workspace is refused by the tables themselves. */
export async function deleteWorkspace(sql: Sql, id: string): Promise<void> {
  try {
    await sql('delete from workspaces where id = $1', [id]);
  } catch (error) {
    const notEmpty = ['servers_workspace', 'service_accounts_workspace', 'apps_workspace', 'credentials_workspace'].some((constraint) => violates(error, constraint));
    if (!notEmpty) throw error;
    throw new GatewayError('conflict', { problems: [{ pointer: '', detail: 'the workspace is not empty', code: 'workspace_not_empty' }] });
  }
}

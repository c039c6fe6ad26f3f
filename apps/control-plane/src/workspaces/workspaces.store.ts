import { GatewayError } from '@gatehouse/errors';
import { violates } from '../database/database-errors.ts';
import type { Sql } from '../database/sql.ts';
import { referenceColumn } from '../database/reference.ts';

export interface WorkspaceRow {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
}

const columns = 'id, name, created_at as "createdAt"';

/** @throws GatewayError not_found; `reference` is a name or an id. */
export async function findWorkspace(sql: Sql, reference: string): Promise<WorkspaceRow> {
  const column = referenceColumn(reference);
  const [row] = column ? await sql<WorkspaceRow>(`select ${columns} from workspaces where ${column} = $1`, [reference]) : [];
  if (!row) throw new GatewayError('not_found', { detail: 'workspace' });
  return row;
}

export function listWorkspaces(sql: Sql, after: string | undefined, limit: number): Promise<WorkspaceRow[]> {
  return sql<WorkspaceRow>(`select ${columns} from workspaces where name > $1 order by name limit $2`, [after ?? '', limit]);
}

export async function insertWorkspace(sql: Sql, id: string, name: string): Promise<WorkspaceRow> {
  try {
    const [row] = await sql<WorkspaceRow>(`insert into workspaces (id, name) values ($1, $2) returning ${columns}`, [id, name]);
    return row as WorkspaceRow;
  } catch (error) {
    if (!violates(error, 'workspaces_name')) throw error;
    throw new GatewayError('name_taken', { problems: [{ pointer: '/name', detail: 'is already in use', code: 'name_taken' }] });
  }
}

export async function insertDefaultWorkspace(sql: Sql, id: string): Promise<void> {
  await sql(`insert into workspaces (id, name) select $1, 'default' where not exists (select from workspaces) on conflict do nothing`, [id]);
}

/** What still belongs to the workspace is refused by the tables themselves. */
export async function deleteWorkspace(sql: Sql, id: string): Promise<void> {
  try {
    await sql('delete from workspaces where id = $1', [id]);
  } catch (error) {
    const notEmpty = ['servers_workspace', 'service_accounts_workspace', 'apps_workspace'].some((constraint) => violates(error, constraint));
    if (!notEmpty) throw error;
    throw new GatewayError('conflict', { problems: [{ pointer: '', detail: 'the workspace is not empty', code: 'workspace_not_empty' }] });
  }
}

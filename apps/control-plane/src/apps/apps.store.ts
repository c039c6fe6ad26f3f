import { GatewayError } from '@gatehouse/errors';
import { violates } from '../database/database-errors.ts';
import { referenceColumn } from '../database/reference.ts';
import type { Sql } from '../database/sql.ts';
import type { StoredDocument } from '../servers/servers.store.ts';

export interface AppRow {
  readonly id: string;
  readonly workspaceId: string;
  /** The workspace's name. */
  readonly workspace: string;
  readonly name: string;
  readonly document: StoredDocument;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const select = `select a.id, a.workspace_id as "workspaceId", w.name as workspace, a.name, a.document, a.revision,
  a.created_at as "createdAt", a.updated_at as "updatedAt" from apps a join workspaces w on w.id = a.workspace_id`;

/** `reference` is a name or an id. */
export async function lookUpApp(sql: Sql, workspaceId: string, reference: string, lock = false): Promise<AppRow | undefined> {
  const column = referenceColumn(reference);
  const [row] = column ? await sql<AppRow>(`${select} where a.workspace_id = $1 and a.${column} = $2 ${lock ? 'for update of a' : ''}`, [workspaceId, reference]) : [];
  return row;
}

/** @throws GatewayError not_found */
export async function findApp(sql: Sql, workspaceId: string, reference: string, lock = false): Promise<AppRow> {
  const row = await lookUpApp(sql, workspaceId, reference, lock);
  if (!row) throw new GatewayError('not_found', { detail: 'app' });
  return row;
}

export function listApps(sql: Sql, workspaceId: string, after: string | undefined, limit: number): Promise<AppRow[]> {
  return sql<AppRow>(`${select} where a.workspace_id = $1 and a.name > $2 order by a.name limit $3`, [workspaceId, after ?? '', limit]);
}

export interface WrittenRow {
  readonly id: string;
  readonly name: string;
  readonly document: StoredDocument;
}

export async function insertApp(sql: Sql, workspaceId: string, { id, name, document }: WrittenRow): Promise<void> {
  await refusingTakenNames(sql('insert into apps (id, workspace_id, name, document) values ($1, $2, $3, $4)', [id, workspaceId, name, JSON.stringify(document)]));
}

export async function updateApp(sql: Sql, { id, name, document }: WrittenRow): Promise<void> {
  await refusingTakenNames(sql('update apps set name = $2, document = $3, revision = revision + 1, updated_at = now() where id = $1', [id, name, JSON.stringify(document)]));
}

export async function deleteApp(sql: Sql, id: string): Promise<void> {
  await sql('delete from apps where id = $1', [id]);
}

/** Names of servers that refer to an app by its name, a few of them where there are many. */
export async function serversOfApp(sql: Sql, workspaceId: string, name: string, limit: number): Promise<string[]> {
  const rows = await sql<{ name: string }>(
    `select name from servers where workspace_id = $1 and document->'appAuth'->>'app' = $2 order by name limit $3`,
    [workspaceId, name, limit],
  );
  return rows.map((row) => row.name);
}

async function refusingTakenNames(statement: Promise<unknown>): Promise<void> {
  try {
    await statement;
  } catch (error) {
    if (!violates(error, 'apps_name')) throw error;
    throw new GatewayError('name_taken', { problems: [{ pointer: '/name', detail: 'is already in use in this workspace', code: 'name_taken' }] });
  }
}

import { GatewayError } from '@gatehouse/errors';
import { violates } from '../database/database-errors.ts';
import type { Sql } from '../database/sql.ts';
import { referenceColumn } from '../database/reference.ts';

/** A server's document as it is stored: everything but its secrets and what reading adds. */
export type StoredDocument = Readonly<Record<string, unknown>>;

export interface ServerRow {
  readonly id: string;
  readonly workspaceId: string;
  /** The workspace's name. */
  readonly workspace: string;
  readonly name: string;
  readonly document: StoredDocument;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Of an API's tools, what there is to say without reading them; null where it has none of its own. */
  readonly tools: ToolsSummary | null;
}

export interface ToolsSummary {
  /** What was imported: another one where it would be imported from elsewhere, or otherwise. */
  readonly importKey: string;
  /** As callers see them. */
  readonly toolCount: number;
  readonly leftOutCount: number;
  readonly orphanedEdits: number;
}

const select = `select s.id, s.workspace_id as "workspaceId", w.name as workspace, s.name, s.document, s.revision,
  s.created_at as "createdAt", s.updated_at as "updatedAt",
  case when t.server_id is not null then jsonb_build_object('importKey', t.import_key, 'toolCount', t.tool_count, 'leftOutCount', t.left_out_count, 'orphanedEdits', t.orphaned_edits) end as tools
  from servers s join workspaces w on w.id = s.workspace_id left join server_tools t on t.server_id = s.id`;

/** @throws GatewayError server_not_found; `reference` is a name or an id. */
export async function findServer(sql: Sql, workspaceId: string, reference: string, lock = false): Promise<ServerRow> {
  const forUpdate = lock ? 'for update of s' : '';
  const column = referenceColumn(reference);
  const [row] = column ? await sql<ServerRow>(`${select} where s.workspace_id = $1 and s.${column} = $2 ${forUpdate}`, [workspaceId, reference]) : [];
  if (!row) throw new GatewayError('server_not_found');
  return row;
}

export function listServers(sql: Sql, workspaceId: string, after: string | undefined, limit: number): Promise<ServerRow[]> {
  return sql<ServerRow>(`${select} where s.workspace_id = $1 and s.name > $2 order by s.name limit $3`, [workspaceId, after ?? '', limit]);
}

/** Of every workspace, by workspace and name; `after` is the names of both, with a slash between them. */
export function listAllServers(sql: Sql, after: string | undefined, limit: number): Promise<ServerRow[]> {
  const [workspace, name] = after?.split('/') ?? ['', ''];
  return sql<ServerRow>(`${select} where (w.name, s.name) > ($1, $2) order by w.name, s.name limit $3`, [workspace, name, limit]);
}

export const findServersByName = (sql: Sql, workspaceId: string, names: readonly string[]): Promise<ServerRow[]> =>
  sql<ServerRow>(`${select} where s.workspace_id = $1 and s.name = any($2)`, [workspaceId, names]);

export function readServers(sql: Sql, ids: readonly string[]): Promise<ServerRow[]> {
  return sql<ServerRow>(`${select} where s.id = any($1)`, [ids]);
}

export interface WrittenServer {
  readonly id: string;
  readonly name: string;
  readonly document: StoredDocument;
  readonly revision: number;
}

export async function insertServer(sql: Sql, workspaceId: string, server: WrittenServer): Promise<void> {
  await refusingTakenNames(
    sql('insert into servers (id, workspace_id, name, document, revision) values ($1, $2, $3, $4, $5)', [
      server.id, workspaceId, server.name, JSON.stringify(server.document), server.revision,
    ]),
  );
}

export async function updateServer(sql: Sql, server: WrittenServer): Promise<void> {
  await refusingTakenNames(
    sql('update servers set name = $2, document = $3, revision = $4, updated_at = now() where id = $1', [
      server.id, server.name, JSON.stringify(server.document), server.revision,
    ]),
  );
}

export async function deleteServer(sql: Sql, id: string): Promise<void> {
  await sql('delete from servers where id = $1', [id]);
}

async function refusingTakenNames(statement: Promise<unknown>): Promise<void> {
  try {
    await statement;
  } catch (error) {
    if (!violates(error, 'servers_name')) throw error;
    throw new GatewayError('name_taken', { problems: [{ pointer: '/name', detail: 'is already in use in this workspace', code: 'name_taken' }] });
  }
}

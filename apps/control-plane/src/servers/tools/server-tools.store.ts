import type { ApiOperation, ImportWarning, LeftOut } from '@gatehouse/api-tools';
import type { Sql } from '../../database/sql.ts';

/** The tools of an API as they were imported. */
export interface ServerTools {
  /** See `importKeyOf`. */
  readonly importKey: string;
  readonly title: string;
  readonly version: string;
  /** What the document itself had as source, text or object; undefined where it was fetched or written out. */
  readonly source: string | object | undefined;
  /** SHA-256 of what was read, in hexadecimal digits. */
  readonly sourceDigest: string;
  readonly operations: readonly ApiOperation[];
  readonly leftOut: readonly LeftOut[];
  readonly warnings: readonly ImportWarning[];
}

/** What follows of a document's edits. */
export interface EditOutcome {
  readonly toolCount: number;
  readonly orphanedEdits: number;
}

export interface StoredServerTools extends ServerTools {
  readonly importedAt: Date;
}

export async function writeServerTools(sql: Sql, serverId: string, tools: ServerTools, { toolCount, orphanedEdits }: EditOutcome): Promise<void> {
  const { importKey, title, version, source, sourceDigest, operations, leftOut, warnings } = tools;
  await sql(
    `insert into server_tools (server_id, import_key, title, version, source, source_digest, operations, left_out, warnings, tool_count, left_out_count, orphaned_edits)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     on conflict on constraint server_tools_pkey do update set import_key = $2, title = $3, version = $4, source = $5, source_digest = $6,
       operations = $7, left_out = $8, warnings = $9, tool_count = $10, left_out_count = $11, orphaned_edits = $12, imported_at = now()`,
    [
      serverId, importKey, storable(title), storable(version), source === undefined ? null : JSON.stringify(source), sourceDigest,
      JSON.stringify(operations), JSON.stringify(leftOut), JSON.stringify(warnings), toolCount, leftOut.length, orphanedEdits,
    ],
  );
}

/** After a change of the edits alone. */
export async function writeEditOutcome(sql: Sql, serverId: string, { toolCount, orphanedEdits }: EditOutcome): Promise<void> {
  await sql('update server_tools set tool_count = $2, orphaned_edits = $3 where server_id = $1', [serverId, toolCount, orphanedEdits]);
}

export async function deleteServerTools(sql: Sql, serverId: string): Promise<void> {
  await sql('delete from server_tools where server_id = $1', [serverId]);
}

export async function findServerTools(sql: Sql, serverId: string): Promise<StoredServerTools | undefined> {
  const [row] = await sql<StoredRow>(
    `select import_key as "importKey", title, version, source, source_digest as "sourceDigest", operations, left_out as "leftOut", warnings, imported_at as "importedAt"
     from server_tools where server_id = $1`,
    [serverId],
  );
  if (row === undefined) return undefined;
  const { source, operations, leftOut, warnings, ...rest } = row;
  return {
    ...rest,
    source: source === null ? undefined : (JSON.parse(source) as string | object),
    operations: JSON.parse(operations) as ApiOperation[],
    leftOut: JSON.parse(leftOut) as LeftOut[],
    warnings: JSON.parse(warnings) as ImportWarning[],
  };
}

interface StoredRow extends Pick<StoredServerTools, 'importKey' | 'title' | 'version' | 'sourceDigest' | 'importedAt'> {
  readonly source: string | null;
  readonly operations: string;
  readonly leftOut: string;
  readonly warnings: string;
}

/** The imported tools of many servers, by their ids. */
export async function readOperations(sql: Sql, serverIds: readonly string[]): Promise<Map<string, readonly ApiOperation[]>> {
  if (serverIds.length === 0) return new Map();
  const rows = await sql<{ id: string; operations: string }>('select server_id as id, operations from server_tools where server_id = any($1)', [serverIds]);
  return new Map(rows.map(({ id, operations }) => [id, JSON.parse(operations) as ApiOperation[]]));
}

/** Postgres keeps no NUL, and no halves of surrogate pairs. */
const storable = (text: string): string => text.replaceAll('\0', '').toWellFormed();

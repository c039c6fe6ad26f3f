import type { Sql } from '../database/sql.ts';

export interface DataKeyRow {
  readonly term: number;
  readonly wrapped: Buffer;
  /** Id of the root key that wrapped it; null where an earlier release did. */
  readonly root: string | null;
}

export interface WrappedKey extends DataKeyRow {
  readonly root: string;
}

export interface OpeningKeyRow extends DataKeyRow {
  /** Nothing is sealed under it yet. */
  readonly isStaged: boolean;
}

export interface UsableKeyRow extends DataKeyRow {
  readonly workspaceId: string;
}

/** The active data key, counted as having sealed `seals` values more: rotation is due far below 2³² of them. */
export async function useActiveKey(sql: Sql, workspaceId: string, seals: number): Promise<DataKeyRow | undefined> {
  const [row] = await sql<DataKeyRow>(
    `update data_keys set sealed_count = sealed_count + $2 where workspace_id = $1 and state = 'active' returning term, wrapped, root`,
    [workspaceId, seals],
  );
  return row;
}

/** Of two that insert the first key at once, one waits for the other and changes nothing. */
export async function insertFirstKey(sql: Sql, workspaceId: string, { term, wrapped, root }: WrappedKey): Promise<void> {
  await sql(
    `insert into data_keys (workspace_id, term, state, wrapped, root, activated_at) values ($1, $2, 'active', $3, $4, now()) on conflict do nothing`,
    [workspaceId, term, wrapped, root],
  );
}

export function readUsableKeys(sql: Sql, workspaceId: string): Promise<OpeningKeyRow[]> {
  return sql<OpeningKeyRow>(
    `select term, wrapped, root, state = 'staged' as "isStaged" from data_keys where workspace_id = $1 and state <> 'destroyed' order by term`,
    [workspaceId],
  );
}

export function readAllUsableKeys(sql: Sql): Promise<UsableKeyRow[]> {
  return sql<UsableKeyRow>(`select workspace_id as "workspaceId", term, wrapped, root from data_keys where state <> 'destroyed'`);
}

export async function deleteKeys(sql: Sql, workspaceId: string): Promise<void> {
  await sql('delete from key_rotations where workspace_id = $1', [workspaceId]);
  await sql('delete from data_keys where workspace_id = $1', [workspaceId]);
}

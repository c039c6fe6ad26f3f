import type { Sql } from '../database/sql.ts';

export interface DataKeyRow {
  readonly term: number;
  readonly wrapped: Buffer;
}

/** The active data key, counted as having sealed `seals` values more: rotation is due far below 2³² of them. */
export async function useActiveKey(sql: Sql, workspaceId: string, seals: number): Promise<DataKeyRow | undefined> {
  const [row] = await sql<DataKeyRow>(
    `update data_keys set sealed_count = sealed_count + $2 where workspace_id = $1 and state = 'active' returning term, wrapped`,
    [workspaceId, seals],
  );
  return row;
}

/** Of two that insert the first key at once, one waits for the other and changes nothing. */
export async function insertFirstKey(sql: Sql, workspaceId: string, key: DataKeyRow): Promise<void> {
  await sql(`insert into data_keys (workspace_id, term, state, wrapped) values ($1, $2, 'active', $3) on conflict do nothing`, [
    workspaceId, key.term, key.wrapped,
  ]);
}

export function readUsableKeys(sql: Sql, workspaceId: string): Promise<DataKeyRow[]> {
  return sql<DataKeyRow>(`select term, wrapped from data_keys where workspace_id = $1 and state <> 'destroyed' order by term`, [workspaceId]);
}

export async function deleteKeys(sql: Sql, workspaceId: string): Promise<void> {
  await sql('delete from data_keys where workspace_id = $1', [workspaceId]);
}

import type { Sql } from '../database/sql.ts';

export interface DataKeyState {
  readonly workspaceId: string;
  readonly workspace: string | null;
  readonly term: number;
  readonly state: 'staged' | 'active' | 'decrypt_only' | 'destroyed';
  readonly root: string | null;
  readonly sealedCount: number;
  readonly unreadable: number;
  readonly createdAt: Date;
  readonly activatedAt: Date | null;
  readonly destroyedAt: Date | null;
}

export interface DataKeyPosition {
  readonly workspaceId: string;
  readonly term: number;
}

export function listDataKeys(sql: Sql, workspaceId: string | undefined, after: DataKeyPosition | undefined, limit: number): Promise<DataKeyState[]> {
  return sql<DataKeyState>(
    `select k.workspace_id as "workspaceId", w.name as workspace, term, state, root, sealed_count as "sealedCount", unreadable, k.created_at as "createdAt",
       activated_at as "activatedAt", destroyed_at as "destroyedAt"
     from data_keys k left join workspaces w on w.id = k.workspace_id
     where ($1::uuid is null or k.workspace_id = $1) and ($2::uuid is null or (k.workspace_id, term) > ($2, $3::int))
     order by k.workspace_id, term limit $4`,
    [workspaceId ?? null, after?.workspaceId ?? null, after?.term ?? null, limit],
  );
}

/** Whether something is still to be done that can be done: what is left of values that nothing opens cannot. */
export async function isRotating(sql: Sql, workspaceId: string | undefined, isOpen: (key: DataKeyPosition & { unreadable: number }) => Promise<boolean>): Promise<boolean> {
  const requested = await sql('select from key_rotations where $1::uuid is null or workspace_id = $1 limit 1', [workspaceId ?? null]);
  if (requested.length > 0) return true;
  const keys = await sql<DataKeyPosition & { unreadable: number }>(
    `select workspace_id as "workspaceId", term, unreadable from data_keys where state in ('staged', 'decrypt_only') and ($1::uuid is null or workspace_id = $1) order by unreadable`,
    [workspaceId ?? null],
  );
  for (const key of keys) if (await isOpen(key)) return true;
  return false;
}

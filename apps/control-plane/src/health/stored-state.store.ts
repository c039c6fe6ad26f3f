import type { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';

/** How much there is of what a control plane looks after, as far as somebody may have to do something about it. */
export interface StoredState {
  /** Of ended connections, to be given back to their providers. */
  readonly pendingRevocations: number;
  readonly oldestRevocationSeconds: number;
  /** Of the vault, by state: staged, active, decrypt_only, destroyed. */
  readonly dataKeys: Readonly<Record<string, number>>;
  readonly oldestActiveKeySeconds: number;
  readonly auditEvents: number;
}

const connectionStates = { active: 0, failing: 0, reconnect_required: 0 };
const keyStates = { staged: 0, active: 0, decrypt_only: 0, destroyed: 0 };

export async function readStoredState(sql: Sql): Promise<StoredState> {
  const [row] = await sql<StoredState & { dataKeys: Record<string, number> | null }>(
    `select
       (select count(*) from pending_revocations) as "pendingRevocations",
       coalesce((select extract(epoch from now() - min(created_at)) from pending_revocations), 0)::float8 as "oldestRevocationSeconds",
       (select jsonb_object_agg(state, count) from (select state, count(*) from data_keys group by state) k) as "dataKeys",
       coalesce((select extract(epoch from now() - min(activated_at)) from data_keys where state = 'active'), 0)::float8 as "oldestActiveKeySeconds",
       coalesce((select sequence from audit_head where id = 1), 0) as "auditEvents"`,
  );
  if (row === undefined) throw new TypeError('a select without a table has no row');
  return { ...row, dataKeys: { ...keyStates, ...row.dataKeys } };
}

/**
 * Connections by state: active, failing (its last refresh did not succeed), reconnect_required. It reads the whole table.
 * @param patienceMs after which the database itself ends it: whoever waits for it only stops waiting. At most that of any statement.
 */
export function countConnections(database: Pick<Database, 'transaction'>, patienceMs: number): Promise<Readonly<Record<string, number>>> {
  return database.transaction(async (sql) => {
    await sql(`select set_config('statement_timeout', $1, true)`, [String(patienceMs)]);
    const rows = await sql<{ state: string; count: number }>(
      `select case when state = 'active' and failure is not null then 'failing' else state end as state, count(*)::int as count from connections group by 1`,
    );
    return { ...connectionStates, ...Object.fromEntries(rows.map(({ state, count }) => [state, count])) };
  });
}

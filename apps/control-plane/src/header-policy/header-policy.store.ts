import type { StoredHeaderPolicy } from '@gatehouse/gateway-config';
import type { Sql } from '../database/sql.ts';

/** The one document of the global header policy. */
export interface HeaderPolicyRow {
  readonly document: StoredHeaderPolicy;
  readonly revision: number;
  readonly updatedAt: Date;
}

const columns = 'document, revision, updated_at as "updatedAt"';

/** Nothing, as long as no document is stored. */
export async function findHeaderPolicy(sql: Sql): Promise<HeaderPolicyRow | undefined> {
  const [row] = await sql<HeaderPolicyRow>(`select ${columns} from header_policy where id = 1`);
  return row;
}

/** Until the end of the transaction nobody else changes it. A row that is not there cannot be locked: so the table is, which readers do not notice. */
export async function lockHeaderPolicy(sql: Sql): Promise<void> {
  await sql('lock table header_policy in share row exclusive mode');
}

export async function putHeaderPolicy(sql: Sql, document: StoredHeaderPolicy, revision: number): Promise<HeaderPolicyRow> {
  const [row] = await sql<HeaderPolicyRow>(
    `insert into header_policy (id, document, revision) values (1, $1, $2)
     on conflict (id) do update set document = excluded.document, revision = excluded.revision, updated_at = now()
     returning ${columns}`,
    [JSON.stringify(document), revision],
  );
  return row as HeaderPolicyRow;
}

export async function deleteHeaderPolicy(sql: Sql): Promise<void> {
  await sql('delete from header_policy where id = 1');
}

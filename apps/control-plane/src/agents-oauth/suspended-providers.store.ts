import type { Sql } from '../database/sql.ts';

/** Names of identity providers that are switched off: their people are not let in, and are back when it is on again. */
export async function readSuspendedProviders(sql: Sql): Promise<string[]> {
  const rows = await sql<{ name: string }>(`select name from identity_providers where not coalesce((document->>'enabled')::boolean, true) order by name`);
  return rows.map(({ name }) => name);
}

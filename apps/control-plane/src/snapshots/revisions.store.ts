import type { Sql } from '../database/sql.ts';

/**
 * Takes the next revision for a change of the given ids. The counter's row is locked until the commit: revisions become
 * visible in their order, so whoever has seen one has seen all before it.
 */
export async function takeRevision(sql: Sql, changedIds: readonly string[]): Promise<number> {
  const [counter] = await sql<{ revision: number }>('update revision_counter set revision = revision + 1 where id = 1 returning revision');
  if (!counter) throw new TypeError('the database has no revision counter');
  await sql('insert into revisions (revision, changed) values ($1, $2)', [counter.revision, JSON.stringify(changedIds)]);
  return counter.revision;
}

export async function readRevision(sql: Sql): Promise<number> {
  const [counter] = await sql<{ revision: number }>('select revision from revision_counter where id = 1');
  return counter?.revision ?? 0;
}

export interface ChangesSince {
  readonly revision: number;
  /** Ids that any revision in between changed. */
  readonly changed: readonly string[];
}

/** What changed after `revision`, and up to which one. One statement, and so one moment. */
export async function readChangesSince(sql: Sql, revision: number): Promise<ChangesSince> {
  const [row] = await sql<ChangesSince>(
    `select (select revision from revision_counter where id = 1) as revision,
       coalesce((select jsonb_agg(distinct id) from revisions, jsonb_array_elements_text(changed) as id where revisions.revision > $1), '[]') as changed`,
    [revision],
  );
  return row ?? { revision: 0, changed: [] };
}

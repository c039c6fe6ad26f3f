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

/** Whoever takes a revision after this waits for this transaction, and whoever has taken one before has committed: what is read now is all there is. */
export async function lockRevision(sql: Sql): Promise<void> {
  await sql('select from revision_counter where id = 1 for update');
}

export async function readRevision(sql: Sql): Promise<number> {
  const [counter] = await sql<{ revision: number }>('select revision from revision_counter where id = 1');
  return counter?.revision ?? 0;
}

/** A revision, and when it was taken: of two histories of one database, the same number has another time. */
export interface SeenRevision {
  readonly revision: number;
  readonly at: string | null;
}

/** The newest revision; null is the time of none. */
export async function readSeenRevision(sql: Sql): Promise<SeenRevision> {
  const [row] = await sql<SeenRevision>(
    `select c.revision, r.at::text as at from revision_counter c left join revisions r on r.revision = c.revision where c.id = 1`,
  );
  return row ?? { revision: 0, at: null };
}

/** How many of the newest are kept. Who is further behind publishes everything. */
const revisionsKept = 10_000;
const forgottenAtOnce = 50_000;

/** Several processes may do this at once: the newest ones are the same for all, and a row is deleted by one of them. */
export async function forgetOldRevisions(sql: Sql, kept = revisionsKept): Promise<void> {
  await sql(
    `delete from revisions where revision in (
       select revision from revisions where revision <= (select revision from revision_counter where id = 1) - $1::bigint order by revision limit $2)`,
    [kept, forgottenAtOnce],
  );
}

export interface ChangesSince extends SeenRevision {
  /** Ids that any revision in between changed. */
  readonly changed: readonly string[];
  /** Whether what was seen before is still part of this database's history, and every revision since is still known. */
  readonly continues: boolean;
}

/** What changed after `revision`, and up to which one. One statement, and so one moment. */
export async function readChangesSince(sql: Sql, revision: number, seen: SeenRevision | undefined): Promise<ChangesSince> {
  const [row] = await sql<ChangesSince>(
    `select c.revision, r.at::text as at,
       coalesce((select jsonb_agg(distinct element) from revisions, jsonb_array_elements_text(revisions.changed) as elements (element) where revisions.revision > $1), '[]') as changed,
       ($3::text is null or exists (select from revisions where revision = $2 and at::text = $3))
         and (c.revision <= $1 or exists (select from revisions where revision = $1 + 1)) as continues
     from revision_counter c left join revisions r on r.revision = c.revision where c.id = 1`,
    [revision, seen?.revision ?? 0, seen?.at ?? null],
  );
  return row ?? { revision: 0, at: null, changed: [], continues: false };
}

import type { Sql } from '../database/sql.ts';
import type { SealedColumn } from './sealed-column.ts';
import { gatewayItself } from './vault.ts';

/** A sealed value and the row it is in, wherever the row is at the moment. */
export interface SealedValue {
  readonly position: string;
  readonly sealed: Buffer;
  readonly row: Readonly<Record<string, unknown>>;
}

export const firstPosition = '(0,0)';

const ownedBy = ({ workspace }: SealedColumn): string => (workspace === undefined ? `$1::uuid = '${gatewayItself}'` : `${workspace} = $1::uuid`);

/** The next values under the given terms in the order of the table's pages: one pass over it, and no index of its own. */
export async function readValues(sql: Sql, column: SealedColumn, workspaceId: string, terms: readonly number[], after: string, limit: number): Promise<SealedValue[]> {
  const rows = await sql<Record<string, unknown> & { position: string; value: Buffer }>(
    `select ctid::text as position, ${column.sealed} as value, ${column.reads.join(', ')} from ${column.table}
     where ${ownedBy(column)} and ${column.term} = any($2) and ctid > $3::tid order by ctid limit $4`,
    [workspaceId, terms, after, limit],
  );
  return rows.map(({ position, value, ...row }) => ({ position, sealed: value, row }));
}

export interface ReplacedValue {
  readonly position: string;
  readonly before: Buffer;
  readonly after: Buffer;
}

/**
 * Puts values in the place of those they were made of. Whoever has written meanwhile has won, and whoever is writing is not waited
 * for: that row is left for the next pass. @returns how many were replaced
 */
export async function replaceValues(sql: Sql, column: SealedColumn, term: number, values: readonly ReplacedValue[]): Promise<number> {
  const { table, sealed, isTermGenerated } = column;
  const given = [values.map(({ position }) => position), values.map(({ before }) => before), values.map(({ after }) => after)];
  const rows = await sql(
    `with given as (select * from unnest($1::tid[], $2::bytea[], $3::bytea[]) as given (position, before, after)),
       mine as (select t.ctid as position, given.after from ${table} t join given on t.ctid = given.position where t.${sealed} = given.before for update of t skip locked)
     update ${table} t set ${sealed} = mine.after${isTermGenerated ? '' : `, ${column.term} = $4`} from mine where t.ctid = mine.position returning t.ctid`,
    isTermGenerated ? given : [...given, term],
  );
  return rows.length;
}

export interface ValueCount {
  readonly workspaceId: string;
  readonly term: number;
  readonly values: number;
}

/** How many values there are under each key of these owners. */
export async function countValues(sql: Sql, columns: readonly SealedColumn[], workspaceIds: readonly string[]): Promise<ValueCount[]> {
  const counts = columns.map((column) => {
    const owner = column.workspace ?? `'${gatewayItself}'::uuid`;
    return `select ${owner} as owner, ${column.term} as term, count(*) as values from ${column.table} where ${owner} = any($1) and ${column.term} is not null group by 1, 2`;
  });
  return sql<ValueCount>(`select owner as "workspaceId", term, sum(values)::bigint as values from (${counts.join(' union all ')}) as counted group by 1, 2`, [workspaceIds]);
}

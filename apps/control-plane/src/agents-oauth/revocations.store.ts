import type { Sql } from '../database/sql.ts';

export interface Revocation {
  readonly grant: string;
  /** Seconds since the epoch. */
  readonly until: number;
}

export async function insertRevocations(sql: Sql, grantIds: readonly string[], seconds: number): Promise<void> {
  await sql(
    'insert into oauth_revocations (grant_id, until) select id, now() + make_interval(secs => $2) from unnest($1::uuid[]) as ids (id) on conflict do nothing',
    [grantIds, seconds],
  );
}

/** Those that still matter to someone. */
export function readRevocations(sql: Sql): Promise<Revocation[]> {
  return sql<Revocation>(`select grant_id as "grant", ceil(extract(epoch from until))::bigint as until from oauth_revocations where until > now() order by grant_id`);
}

export async function forgetRevocations(sql: Sql): Promise<void> {
  await sql(`delete from oauth_revocations where until < now() - interval '1 hour'`);
}

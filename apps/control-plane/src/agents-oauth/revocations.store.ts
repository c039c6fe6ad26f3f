import type { Sql } from '../database/sql.ts';

export interface Revocation {
  readonly grant: string;
  /** Seconds since the epoch. */
  readonly until: number;
}

/** @returns whether it was not revoked before. */
export async function insertRevocation(sql: Sql, grantId: string, seconds: number): Promise<boolean> {
  const rows = await sql(
    `insert into oauth_revocations (grant_id, until) values ($1, now() + make_interval(secs => $2)) on conflict do nothing returning grant_id`,
    [grantId, seconds],
  );
  return rows.length > 0;
}

/** Those that still matter to someone. */
export function readRevocations(sql: Sql): Promise<Revocation[]> {
  return sql<Revocation>(`select grant_id as "grant", ceil(extract(epoch from until))::bigint as until from oauth_revocations where until > now() order by grant_id`);
}

export async function forgetRevocations(sql: Sql): Promise<void> {
  await sql(`delete from oauth_revocations where until < now() - interval '1 hour'`);
}

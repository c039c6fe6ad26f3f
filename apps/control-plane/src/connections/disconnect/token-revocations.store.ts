import type { Sql } from '../../database/sql.ts';

export interface TokenRevocation {
  /** A connection, an owner or a person. */
  readonly subject: string;
  /** Seconds since the epoch. */
  readonly until: number;
}

/** No data plane keeps a token for longer than an hour; clocks differ. */
const seconds = 3600 + 600;

export async function insertTokenRevocations(sql: Sql, subjects: readonly string[]): Promise<void> {
  await sql(
    `insert into token_revocations (subject, until) select subject, now() + make_interval(secs => $2) from unnest($1::uuid[]) as subjects (subject)
     on conflict (subject) do update set until = excluded.until`,
    [subjects, seconds],
  );
}

export function readTokenRevocations(sql: Sql): Promise<TokenRevocation[]> {
  return sql<TokenRevocation>('select subject, ceil(extract(epoch from until))::bigint as until from token_revocations where until > now() order by subject');
}

export async function forgetTokenRevocations(sql: Sql): Promise<void> {
  await sql(`delete from token_revocations where until < now() - interval '1 hour'`);
}

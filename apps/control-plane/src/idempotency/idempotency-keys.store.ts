import type { Sql } from '../database/sql.ts';

export interface IdempotencyScope {
  readonly actor: string;
  readonly route: string;
  readonly key: string;
}

export interface RecordedAnswer {
  readonly attempt: string;
  readonly sealedRequest: Buffer;
  /** Null while the request is still running. */
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly sealedBody: Buffer | null;
}

/**
 * Claims a key for an attempt. A claim that was never concluded is given up after a minute: no request lives longer, so its
 * process has died.
 * @returns whether it is ours
 */
export async function claimKey(sql: Sql, { actor, route, key }: IdempotencyScope, attempt: string, sealedRequest: Buffer): Promise<boolean> {
  const claimed = await sql(
    `insert into idempotency_keys (actor, route, key, attempt, sealed_request) values ($1, $2, $3, $4, $5)
     on conflict on constraint idempotency_keys_pkey do update
       set attempt = excluded.attempt, sealed_request = excluded.sealed_request, status = null, headers = null, sealed_body = null, created_at = now()
       where idempotency_keys.created_at < now() - case when idempotency_keys.status is null then interval '1 minute' else interval '24 hours' end
     returning attempt`,
    [actor, route, key, attempt, sealedRequest],
  );
  return claimed.length > 0;
}

export async function readAnswer(sql: Sql, { actor, route, key }: IdempotencyScope): Promise<RecordedAnswer | undefined> {
  const [answer] = await sql<RecordedAnswer>(
    `select attempt, sealed_request as "sealedRequest", status, headers, sealed_body as "sealedBody" from idempotency_keys
     where actor = $1 and route = $2 and key = $3`,
    [actor, route, key],
  );
  return answer;
}

export async function recordAnswer(sql: Sql, attempt: string, status: number, headers: Record<string, string>, sealedBody: Buffer): Promise<void> {
  await sql('update idempotency_keys set status = $2, headers = $3, sealed_body = $4 where attempt = $1', [attempt, status, JSON.stringify(headers), sealedBody]);
}

export async function releaseKey(sql: Sql, attempt: string): Promise<void> {
  await sql('delete from idempotency_keys where attempt = $1', [attempt]);
}

export async function forgetOldKeys(sql: Sql): Promise<void> {
  await sql(`delete from idempotency_keys where created_at < now() - interval '24 hours'`);
}

import type { Sql } from '../database/sql.ts';

export interface IdempotencyScope {
  readonly actor: string;
  readonly route: string;
  readonly key: string;
}

export interface RecordedAnswer {
  readonly attempt: string;
  readonly sealedRequest: Buffer;
  /** Null while the request is still running, and when its answer was lost. */
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly sealedBody: Buffer | null;
  /** Whether the change was made so long ago that its answer will not come any more. */
  readonly isLost: boolean;
}

/** How long a claim may be without an answer: no request lives longer, so its process has died. */
const claimLife = `interval '1 minute'`;
/** A change leaves its audit event, which has the attempt's id, in its own transaction. */
const isCarriedOut = 'exists (select from audit_events where audit_events.id = idempotency_keys.attempt)';

/**
 * Claims a key for an attempt. A claim that was never concluded is given up after a minute, unless its change was made: an
 * answer was lost then, and the change must not be made again.
 * @returns whether it is ours
 */
export async function claimKey(sql: Sql, { actor, route, key }: IdempotencyScope, attempt: string, sealedRequest: Buffer): Promise<boolean> {
  const claimed = await sql(
    `insert into idempotency_keys (actor, route, key, attempt, sealed_request) values ($1, $2, $3, $4, $5)
     on conflict on constraint idempotency_keys_pkey do update
       set attempt = excluded.attempt, sealed_request = excluded.sealed_request, status = null, headers = null, sealed_body = null, created_at = now()
       where idempotency_keys.created_at < now() - case when idempotency_keys.status is null then ${claimLife} else interval '24 hours' end
         and not (idempotency_keys.status is null and ${isCarriedOut})
     returning attempt`,
    [actor, route, key, attempt, sealedRequest],
  );
  return claimed.length > 0;
}

export async function readAnswer(sql: Sql, { actor, route, key }: IdempotencyScope): Promise<RecordedAnswer | undefined> {
  const [answer] = await sql<RecordedAnswer>(
    `select attempt, sealed_request as "sealedRequest", status, headers, sealed_body as "sealedBody",
       status is null and created_at < now() - ${claimLife} and ${isCarriedOut} as "isLost" from idempotency_keys
     where actor = $1 and route = $2 and key = $3`,
    [actor, route, key],
  );
  return answer;
}

export async function recordAnswer(sql: Sql, attempt: string, status: number, headers: Record<string, string>, sealedBody: Buffer): Promise<void> {
  await sql('update idempotency_keys set status = $2, headers = $3, sealed_body = $4 where attempt = $1', [attempt, status, JSON.stringify(headers), sealedBody]);
}

/** Of an attempt that made no change. */
export async function releaseKey(sql: Sql, attempt: string): Promise<void> {
  await sql(`delete from idempotency_keys where attempt = $1 and not ${isCarriedOut}`, [attempt]);
}

export async function forgetOldKeys(sql: Sql): Promise<void> {
  await sql(`delete from idempotency_keys where created_at < now() - interval '24 hours'`);
}

import type { Sql } from '../../database/sql.ts';
import { type SealedConnection, sealedColumns } from '../connections.store.ts';

export interface LeaseTerms {
  readonly id: string;
  readonly tokenVersion: number;
  readonly leaseOwner: string;
  readonly leaseSeconds: number;
  /** What the provider is known to do with refresh tokens; what it did counts too. */
  readonly rotates: boolean;
  readonly reuseSeconds: number;
  /** The access token is of no use any more, whatever its expiry says. */
  readonly isRefused: boolean;
}

export interface LeasedConnection extends SealedConnection {
  /** The refresh token may have been used already, and the answer was lost. */
  readonly isInDoubt: boolean;
}

/** Since when the refresh token may have been used: by a request without an answer, or by a holder of the lease who did not come back. */
const doubtSince = 'coalesce(c.in_doubt_since, case when c.lease_owner is not null then c.lease_until - make_interval(secs => $4) end)';

/** Callers would not get the access token any more. */
const nothingToLose = `(c.expires_at is null or c.expires_at <= now() + interval '5 seconds')`;

/**
 * Takes the right to refresh a connection, as long as its tokens are the ones that the caller has seen. Another's lease that ran out
 * was left by someone who died, or sleeps, perhaps after the provider had already changed the refresh token. Using it again may
 * make the provider revoke everything it gave (RFC 9700 section 4.14.2), the access token too: that waits until the access token is
 * of no more use, unless the provider takes it again.
 */
export async function takeLease(sql: Sql, { id, tokenVersion, leaseOwner, leaseSeconds, rotates, reuseSeconds, isRefused }: LeaseTerms): Promise<LeasedConnection | undefined> {
  const [row] = await sql<LeasedConnection>(
    `update connections c set lease_owner = $3, lease_until = now() + make_interval(secs => $4), in_doubt_since = ${doubtSince}
     where c.id = $1 and c.token_version = $2 and c.state = 'active' and c.refreshable and (c.lease_owner is null or c.lease_until <= now())
       and (${doubtSince} is null or not ($5 or coalesce(c.rotates, true)) or ${doubtSince} > now() - make_interval(secs => $6) or $7 or ${nothingToLose})
     returning ${sealedColumns}, c.in_doubt_since is not null as "isInDoubt"`,
    [id, tokenVersion, leaseOwner, leaseSeconds, rotates, reuseSeconds, isRefused],
  );
  return row;
}

/** Whether what keeps a refresh from being sent is a doubt, and no other's request. */
export async function isInDoubt(sql: Sql, id: string): Promise<boolean> {
  const rows = await sql(
    `select from connections c where c.id = $1 and (c.in_doubt_since is not null or c.lease_owner is not null) and (c.lease_owner is null or c.lease_until <= now())`,
    [id],
  );
  return rows.length > 0;
}

export interface Held {
  readonly id: string;
  readonly tokenVersion: number;
  readonly leaseOwner: string;
}

const held = 'c.id = $1 and c.token_version = $2 and c.lease_owner = $3';
const heldBy = ({ id, tokenVersion, leaseOwner }: Held) => [id, tokenVersion, leaseOwner] as const;

/** Locks the row, before the vault's keys are: everything takes them in this order. @returns whether the lease still holds. */
export async function lockHeld(sql: Sql, lease: Held): Promise<boolean> {
  return (await sql(`select from connections c where ${held} for update`, heldBy(lease))).length > 0;
}

export interface Refreshed {
  readonly sealed: Buffer;
  readonly keyTerm: number;
  /** Whether the provider gave another refresh token. */
  readonly rotated: boolean;
  readonly expiresInSeconds: number | null;
  readonly nextRefreshSeconds: number | null;
}

/** @returns the row as it is then; undefined where another's change came first. */
export async function storeRefreshed(sql: Sql, lease: Held, { sealed, keyTerm, rotated, expiresInSeconds, nextRefreshSeconds }: Refreshed): Promise<SealedConnection | undefined> {
  const [row] = await sql<SealedConnection>(
    `update connections c set sealed = $4, key_term = $5, token_version = token_version + 1, rotates = $6, expires_at = now() + make_interval(secs => $7),
       next_refresh_at = now() + make_interval(secs => $8), state = 'active', failure = null, failures = 0, retry_at = null, lease_owner = null, lease_until = null,
       in_doubt_since = null, refreshed_at = now(), updated_at = now()
     where ${held} returning ${sealedColumns}`,
    [...heldBy(lease), sealed, keyTerm, rotated, expiresInSeconds, nextRefreshSeconds],
  );
  return row;
}

export interface FailedRefresh {
  readonly failure: 'provider_unavailable' | 'misconfigured';
  /** The provider may have changed the refresh token all the same. */
  readonly mayHaveActed: boolean;
  readonly pauseSeconds: number;
}

/** Gives the lease back. Nothing of the tokens is touched: what fails may work again. */
export async function storeFailure(sql: Sql, lease: Held, { failure, mayHaveActed, pauseSeconds }: FailedRefresh): Promise<void> {
  await sql(
    `update connections c set failure = $4, failures = failures + 1, next_refresh_at = now() + make_interval(secs => $6),
       retry_at = now() + make_interval(secs => $6), lease_owner = null, lease_until = null,
       in_doubt_since = case when $5 then coalesce(in_doubt_since, now()) else in_doubt_since end, updated_at = now()
     where ${held}`,
    [...heldBy(lease), failure, mayHaveActed, pauseSeconds],
  );
}

/** As though it had not been taken. */
export async function returnLease(sql: Sql, lease: Held): Promise<void> {
  await sql(`update connections c set lease_owner = null, lease_until = null where ${held}`, heldBy(lease));
}

/** Only the person can help. @returns false where the tokens are others by now: then it was not about these. */
export async function storeRefusal(sql: Sql, lease: Held, failure: 'refused' | 'lost_rotation'): Promise<boolean> {
  const rows = await sql(
    `update connections c set state = 'reconnect_required', failure = $4, lease_owner = null, lease_until = null, next_refresh_at = null, in_doubt_since = null, updated_at = now()
     where ${held} returning c.id`,
    [...heldBy(lease), failure],
  );
  return rows.length > 0;
}

/** Nothing to refresh with, though the row had said so. */
export async function storeUnrefreshable(sql: Sql, lease: Held): Promise<void> {
  await sql(`update connections c set refreshable = false, lease_owner = null, lease_until = null, next_refresh_at = null, updated_at = now() where ${held}`, heldBy(lease));
}

export interface DueConnection extends SealedConnection {
  /** Since its last refresh. */
  readonly wasUsed: boolean;
  readonly idleSeconds: number;
}

/** What is due, for this replica: others see it a while later, should it die. */
export function claimDue(sql: Sql, limit: number, claimSeconds: number): Promise<DueConnection[]> {
  return sql<DueConnection>(
    `update connections c set next_refresh_at = now() + make_interval(secs => $2)
     where c.id in (select d.id from connections d where d.next_refresh_at <= now() order by d.next_refresh_at limit $1 for update skip locked)
     returning ${sealedColumns}, coalesce(c.last_used_at, c.created_at) >= c.refreshed_at as "wasUsed",
       extract(epoch from now() - c.refreshed_at)::float8 as "idleSeconds"`,
    [limit, claimSeconds],
  );
}

export async function postpone(sql: Sql, { id, tokenVersion }: Pick<SealedConnection, 'id' | 'tokenVersion'>, seconds: number | null): Promise<void> {
  await sql('update connections set next_refresh_at = now() + make_interval(secs => $3) where id = $1 and token_version = $2', [id, tokenVersion, seconds]);
}

import type { PublicSigningKey } from '@gatehouse/gateway-config';
import type { Sql } from '../database/sql.ts';

/** How long a key signs, how long before that it is known, and how long after that it is kept, in days. By the database's clock, which all replicas share. */
const signingDays = 90;
const knownBeforeDays = 1;
const keptAfterDays = 1;

export interface SigningKeyRow {
  readonly kid: string;
  readonly publicJwk: PublicSigningKey;
  readonly sealed: Buffer;
}

/** Until the end of the transaction nobody else makes or forgets keys; readers do not notice. */
export async function lockSigningKeys(sql: Sql): Promise<void> {
  await sql('lock table oauth_signing_keys in share row exclusive mode');
}

export interface KeysDue {
  /** No key signs, or the one that does has signed long enough and no other follows it. */
  readonly makes: 'now' | 'ahead' | undefined;
  readonly forgets: boolean;
}

const isForgotten = `k.signs_from < (select max(signs_from) from oauth_signing_keys where signs_from < now() - interval '${keptAfterDays} days')`;

export async function readKeysDue(sql: Sql): Promise<KeysDue> {
  const [row] = await sql<{ isSigning: boolean; isFollowed: boolean; forgets: boolean }>(
    `select exists (select from oauth_signing_keys where signs_from <= now()) as "isSigning",
       exists (select from oauth_signing_keys where signs_from > now() - interval '${signingDays - knownBeforeDays} days') as "isFollowed",
       exists (select from oauth_signing_keys k where ${isForgotten}) as forgets`,
  );
  return { makes: row?.isSigning !== true ? 'now' : row.isFollowed ? undefined : 'ahead', forgets: row?.forgets === true };
}

export async function insertSigningKey(sql: Sql, key: SigningKeyRow & { keyTerm: number }, when: 'now' | 'ahead'): Promise<void> {
  await sql(
    `insert into oauth_signing_keys (kid, public_jwk, sealed, key_term, signs_from) values ($1, $2, $3, $4, now() + make_interval(days => $5))`,
    [key.kid, JSON.stringify(key.publicJwk), key.sealed, key.keyTerm, when === 'now' ? 0 : knownBeforeDays],
  );
}

/** Those that signed nothing which has not expired. */
export async function forgetSigningKeys(sql: Sql): Promise<void> {
  await sql(`delete from oauth_signing_keys k where ${isForgotten}`);
}

export async function forgetOtherSigningKeys(sql: Sql, kid: string): Promise<void> {
  await sql('delete from oauth_signing_keys where kid <> $1', [kid]);
}

/** The one that signs first, then the others, the newest first. */
export function readSigningKeys(sql: Sql): Promise<SigningKeyRow[]> {
  return sql<SigningKeyRow>('select kid, public_jwk as "publicJwk", sealed from oauth_signing_keys order by signs_from > now(), signs_from desc, kid');
}

/** In an order that does not depend on the time of day. */
export async function readPublicKeys(sql: Sql): Promise<PublicSigningKey[]> {
  const rows = await sql<{ publicJwk: PublicSigningKey }>('select public_jwk as "publicJwk" from oauth_signing_keys order by signs_from, kid');
  return rows.map(({ publicJwk }) => publicJwk);
}

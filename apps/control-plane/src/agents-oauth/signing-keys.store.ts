import type { PublicSigningKey } from '@gatehouse/gateway-config';
import type { Sql } from '../database/sql.ts';
import type { SigningKeyUse } from './signing-key-uses.ts';

/** A name out of our own list. */
type Table = SigningKeyUse['table'];

/** How long a key signs, how long before that it is known, and how long after that it is kept, in days. By the database's clock, which all replicas share. */
const signingDays = 90;
const knownBeforeDays = 1;
const keptAfterDays = 1;

export interface SigningKeyRow {
  readonly kid: string;
  readonly publicJwk: PublicSigningKey;
  readonly sealed: Buffer;
  /** Seconds since the epoch. */
  readonly signsFrom: number;
}

type NewSigningKey = Omit<SigningKeyRow, 'signsFrom'> & { readonly keyTerm: number };

/** Until the end of the transaction nobody else makes or forgets keys; readers do not notice. */
export async function lockSigningKeys(sql: Sql, table: Table): Promise<void> {
  await sql(`lock table ${table} in share row exclusive mode`);
}

export interface KeysDue {
  /** No key signs, or the one that does has signed long enough and no other follows it. */
  readonly makes: 'now' | 'ahead' | undefined;
  readonly forgets: boolean;
}

const isForgotten = (table: Table): string => `k.signs_from < (select max(signs_from) from ${table} where signs_from < now() - interval '${keptAfterDays} days')`;

export async function readKeysDue(sql: Sql, table: Table): Promise<KeysDue> {
  const [row] = await sql<{ isSigning: boolean; isFollowed: boolean; forgets: boolean }>(
    `select exists (select from ${table} where signs_from <= now()) as "isSigning",
       exists (select from ${table} where signs_from > now() - interval '${signingDays - knownBeforeDays} days') as "isFollowed",
       exists (select from ${table} k where ${isForgotten(table)}) as forgets`,
  );
  return { makes: row?.isSigning !== true ? 'now' : row.isFollowed ? undefined : 'ahead', forgets: row?.forgets === true };
}

export async function insertSigningKey(sql: Sql, table: Table, key: NewSigningKey, when: 'now' | 'ahead'): Promise<void> {
  await sql(
    `insert into ${table} (kid, public_jwk, sealed, key_term, signs_from) values ($1, $2, $3, $4, now() + make_interval(days => $5))`,
    [key.kid, JSON.stringify(key.publicJwk), key.sealed, key.keyTerm, when === 'now' ? 0 : knownBeforeDays],
  );
}

/** Those that signed nothing which has not expired. */
export async function forgetSigningKeys(sql: Sql, table: Table): Promise<void> {
  await sql(`delete from ${table} k where ${isForgotten(table)}`);
}

export async function forgetOtherSigningKeys(sql: Sql, table: Table, kid: string): Promise<void> {
  await sql(`delete from ${table} where kid <> $1`, [kid]);
}

/** The one that signs first, then the others, the newest first. */
export function readSigningKeys(sql: Sql, table: Table): Promise<SigningKeyRow[]> {
  return sql<SigningKeyRow>(`select kid, public_jwk as "publicJwk", sealed, extract(epoch from signs_from)::bigint as "signsFrom" from ${table} order by signs_from > now(), signs_from desc, kid`);
}

/** In an order that does not depend on the time of day. */
export async function readPublicKeys(sql: Sql, table: Table): Promise<PublicSigningKey[]> {
  const rows = await sql<{ publicJwk: PublicSigningKey }>(`select public_jwk as "publicJwk" from ${table} order by signs_from, kid`);
  return rows.map(({ publicJwk }) => publicJwk);
}

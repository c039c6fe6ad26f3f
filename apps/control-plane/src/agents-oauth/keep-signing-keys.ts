import type { PublicSigningKey } from '@gatehouse/gateway-config';
import { type KeyRing, seal, sealedTerm } from '@gatehouse/sealing';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { takeRevision } from '../snapshots/revisions.store.ts';
import { gatewayItself, type Vault } from '../vault/vault.ts';
import type { SigningKeyUse } from './signing-key-uses.ts';
import { forgetSigningKeys, insertSigningKey, type KeysDue, lockSigningKeys, readKeysDue } from './signing-keys.store.ts';

export const signingAlgorithm = 'ES256';

/** Of a private key at rest. */
export const signingKeyContext = (table: SigningKeyUse['table'], kid: string) => [gatewayItself, table, kid, 'private'] as const;

/**
 * Makes the first signing key of a use, the next one when it is due, and forgets those that nothing is verified with any more. Any replica
 * may call it at any time; one of them does it.
 * @returns whether anything changed, which data planes have to be told.
 */
export async function keepSigningKeys(database: Database, vault: Vault, use: SigningKeyUse): Promise<boolean> {
  // Without a lock at first: there is nothing to do nearly always.
  if (isNothing(await readKeysDue(database.sql, use.table))) return false;
  return database.transaction(async (sql) => {
    await lockSigningKeys(sql, use.table);
    // Another replica may have been faster.
    const due = await readKeysDue(sql, use.table);
    if (isNothing(due)) return false;
    if (due.makes) await makeSigningKey(sql, vault, use, due.makes);
    if (due.forgets) await forgetSigningKeys(sql, use.table);
    await takeRevision(sql, [use.document]);
    return true;
  });
}

const isNothing = ({ makes, forgets }: KeysDue): boolean => makes === undefined && !forgets;

/** @returns its id */
export async function makeSigningKey(sql: Sql, vault: Vault, { table }: SigningKeyUse, when: 'now' | 'ahead'): Promise<string> {
  const ring = await vault.sealingRing(sql, gatewayItself, 1);
  const { publicJwk, sealed } = await newSigningKey(ring, table);
  await insertSigningKey(sql, table, { kid: publicJwk.kid, publicJwk, sealed, keyTerm: sealedTerm(sealed) }, when);
  return publicJwk.kid;
}

async function newSigningKey(ring: KeyRing, table: SigningKeyUse['table']): Promise<{ publicJwk: PublicSigningKey; sealed: Buffer }> {
  const { publicKey, privateKey } = await generateKeyPair(signingAlgorithm, { extractable: true });
  const { x, y } = await exportJWK(publicKey);
  const { d } = await exportJWK(privateKey);
  if (x === undefined || y === undefined || d === undefined) throw new TypeError('not an EC key');
  const curve = { kty: 'EC', crv: 'P-256', x, y } as const;
  // RFC 7638: the key's own hash, so that no two keys ever share a name.
  const kid = await calculateJwkThumbprint(curve);
  return { publicJwk: { ...curve, kid, alg: signingAlgorithm, use: 'sig' }, sealed: seal(ring, signingKeyContext(table, kid), d) };
}

import { GatewayError } from '@gatehouse/errors';
import { type IdentityKeysDocument, identityKeysId } from '@gatehouse/gateway-config';
import { unseal, UnsealError } from '@gatehouse/sealing';
import { signingKeyContext } from '../agents-oauth/keep-signing-keys.ts';
import { identityKeys } from '../agents-oauth/signing-key-uses.ts';
import { readSigningKeys } from '../agents-oauth/signing-keys.store.ts';
import type { Sql } from '../database/sql.ts';
import { gatewayItself, type Vault } from '../vault/vault.ts';

/**
 * What data planes sign callers' identities with.
 * @param issuer under whose `/.well-known/jwks.json` the public keys are
 * @throws GatewayError vault_sealed_value_unreadable
 */
export async function readIdentityKeys(sql: Sql, vault: Vault, issuer: string): Promise<IdentityKeysDocument> {
  const rows = await readSigningKeys(sql, identityKeys.table);
  try {
    const ring = await vault.openingRing(sql, gatewayItself);
    const keys = rows.map(({ kid, publicJwk: { kty, crv, x, y }, sealed, signsFrom }) => ({ signsFrom, jwk: { kty, crv, x, y, kid, d: unseal(ring, signingKeyContext(identityKeys.table, kid), sealed).toString('utf8') } }));
    // In an order that does not depend on the time of day.
    return { kind: 'identity-keys', id: identityKeysId, issuer, keys: keys.toSorted((a, b) => a.signsFrom - b.signsFrom) };
  } catch (cause) {
    if (!(cause instanceof UnsealError)) throw cause;
    throw new GatewayError('vault_sealed_value_unreadable', { detail: 'a key that signs identities', cause });
  }
}

import type { PublicSigningKey } from '@gatehouse/gateway-config';
import { unseal } from '@gatehouse/sealing';
import type { JWKS } from 'oidc-provider';
import type { Sql } from '../database/sql.ts';
import { gatewayItself, type Vault } from '../vault/vault.ts';
import { signingKeyContext } from './keep-signing-keys.ts';
import { accessTokenKeys } from './signing-key-uses.ts';
import { readSigningKeys } from './signing-keys.store.ts';

export interface OpenedKeys {
  /** Private. The one that signs comes first. */
  readonly jwks: JWKS;
  readonly publicKeys: readonly PublicSigningKey[];
  /** The one that signs. */
  readonly kid: string;
  /** Changes when any of it does. */
  readonly version: string;
}

/** @throws UnsealError */
export async function openSigningKeys(sql: Sql, vault: Vault): Promise<OpenedKeys> {
  const rows = await readSigningKeys(sql, accessTokenKeys.table);
  const [signing] = rows;
  if (!signing) throw new TypeError('there is no signing key');
  const ring = await vault.openingRing(sql, gatewayItself);
  const keys = rows.map(({ kid, publicJwk, sealed }) => ({ ...publicJwk, d: unseal(ring, signingKeyContext(accessTokenKeys.table, kid), sealed).toString('utf8') }));
  return { jwks: { keys }, publicKeys: rows.map(({ publicJwk }) => publicJwk), kid: signing.kid, version: rows.map(({ kid }) => kid).join(' ') };
}

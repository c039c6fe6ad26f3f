import type { IdentityKeysDocument } from '@gatehouse/gateway-config';
import { exportJWK, type JWK } from 'jose';
import { makeSigningKey } from './token-issuer.ts';

export interface SpecIdentityKey {
  readonly published: JWK;
  /** As data planes get it. */
  readonly signing: IdentityKeysDocument['keys'][number];
}

/** A key that signs callers' identities, as the control plane makes them. */
export async function makeIdentityKey(kid: string, signsFrom = 0): Promise<SpecIdentityKey> {
  const { publicJwk, privateKey } = await makeSigningKey('ES256', kid);
  const { x = '', y = '', d = '' } = await exportJWK(privateKey);
  return { published: publicJwk, signing: { signsFrom, jwk: { kty: 'EC', crv: 'P-256', x, y, kid, d } } };
}

import type { AuthorizationServerDocument } from '@gatehouse/gateway-config';
import { readPublicKeys } from '@gatehouse/token-verification';
import type { PreparedAuthorizationServer } from './current-snapshot.ts';

/** Whose access tokens are taken, compiled once per revision. `until` is not looked at: a grant that was revoked once never becomes good again. */
export function prepareAuthorizationServer({ issuer, jwks, revoked }: AuthorizationServerDocument): PreparedAuthorizationServer {
  const keys = readPublicKeys(jwks);
  if (keys === undefined) throw new TypeError('no key set');
  return { issuer, keys, revoked: new Set(revoked.map(({ grant }) => grant)), fingerprint: JSON.stringify([issuer, jwks]) };
}

import type { AuthorizationServerDocument } from '@gatehouse/gateway-config';
import { readPublicKeys } from '@gatehouse/token-verification';
import type { PreparedAuthorizationServer } from './current-snapshot.ts';

/** Whose access tokens are taken, compiled once per revision. `until` is not looked at: what is named as revoked is, whatever this clock says. */
export function prepareAuthorizationServer({ issuer, registersClients, jwks, revoked, suspendedProviders }: AuthorizationServerDocument): PreparedAuthorizationServer {
  const keys = readPublicKeys(jwks);
  if (keys === undefined) throw new TypeError('no key set');
  return { issuer, registersClients: registersClients !== false, keys, revoked: new Set(revoked.map(({ grant }) => grant)), suspendedProviders: new Set(suspendedProviders), fingerprint: JSON.stringify([issuer, jwks]) };
}

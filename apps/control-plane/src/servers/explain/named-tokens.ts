import type { AccessToken, TokenSource } from '@gatehouse/access-tokens';
import { Secret } from '@gatehouse/sealing';
import type { PreparedServer } from '@gatehouse/upstream-request';

/** Stands where a token would: short, so that of what is shown nothing looks like the end of one. */
export const named: AccessToken = { value: new Secret('token'), expiresAt: undefined, subjects: [] };

/** Of each request a proof goes along (RFC 9449): that there is one is all that is shown of it. */
const bound: AccessToken = { ...named, key: { proofOf: () => 'proof', learn: () => undefined } };

/** Nothing is fetched to explain a request; who calls counts all the same, as it does when tokens are obtained. */
export function namedTokens({ appAuth }: Pick<PreparedServer, 'appAuth'>): TokenSource {
  // An outbound header sends the token without its proof, whatever it is.
  const exchanged = appAuth.type === 'on-behalf-of' && appAuth.headerNames.includes('DPoP') ? bound : named;
  return { ofConnection: () => named, ofClient: () => named, ofLogin: () => named, ofCredential: () => named, ofExchange: () => exchanged };
}

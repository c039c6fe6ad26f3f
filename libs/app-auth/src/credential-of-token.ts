import type { AccessToken } from '@gatehouse/access-tokens';
import { isHeaderValue } from '@gatehouse/config-fields';
import { GatewayError } from '@gatehouse/errors';
import { Secret } from '@gatehouse/sealing';
import type { Credential } from './app-auth-type.ts';
import { toHeaderBytes } from './header-bytes.ts';

/** A token goes out many times, and is made into a header once. */
const made = new WeakMap<AccessToken, readonly Credential[]>();

/** The token as a bearer's (RFC 6750 section 2.1). @throws GatewayError credential_unavailable for what no header can hold */
export function credentialOfToken(token: AccessToken | Promise<AccessToken>): readonly Credential[] | Promise<readonly Credential[]> {
  return token instanceof Promise ? token.then(bearerOf) : bearerOf(token);
}

function bearerOf(token: AccessToken): readonly Credential[] {
  let credentials = made.get(token);
  if (credentials === undefined) {
    const text = token.value.reveal();
    if (!isHeaderValue(text)) throw new GatewayError('credential_unavailable', { detail: 'a token with control characters in it' });
    credentials = [{ in: 'header', name: 'Authorization', value: new Secret(toHeaderBytes(`Bearer ${text}`)), token }];
    made.set(token, credentials);
  }
  return credentials;
}

import type { AccessToken, TokenKey } from '@gatehouse/access-tokens';
import { isHeaderValue } from '@gatehouse/config-fields';
import { GatewayError } from '@gatehouse/errors';
import { Secret } from '@gatehouse/sealing';
import type { Credential, SigningCredential } from './app-auth-type.ts';
import { toHeaderBytes } from './header-bytes.ts';

/** A token goes out many times, and is made into a header once. */
const made = new WeakMap<AccessToken, readonly Credential[]>();

/** The token as a bearer's (RFC 6750 section 2.1), or with a proof of the key that it is bound to (RFC 9449 section 7.1). @throws GatewayError credential_unavailable for what no header can hold */
export function credentialOfToken(token: AccessToken | Promise<AccessToken>): readonly Credential[] | Promise<readonly Credential[]> {
  return token instanceof Promise ? token.then(madeOf) : madeOf(token);
}

function madeOf(token: AccessToken): readonly Credential[] {
  let credentials = made.get(token);
  if (credentials === undefined) {
    const text = token.value.reveal();
    if (!isHeaderValue(text)) throw new GatewayError('credential_unavailable', { detail: 'a token with control characters in it' });
    credentials = [token.key === undefined ? { in: 'header', name: 'Authorization', value: new Secret(toHeaderBytes(`Bearer ${text}`)), token } : boundCredential(token, token.key)];
    made.set(token, credentials);
  }
  return credentials;
}

/** Each request has a proof of its own, and the next ones have the nonce that the upstream wants by then (RFC 9449 section 9). */
function boundCredential(token: AccessToken, key: TokenKey): SigningCredential {
  const authorization = new Secret(toHeaderBytes(`DPoP ${token.value.reveal()}`));
  return {
    in: 'signature',
    headerNames: ['Authorization', 'DPoP'],
    token,
    sign: ({ method, url }) => [['Authorization', authorization], ['DPoP', new Secret(key.proofOf({ method, url }, token.value))]],
    learn: (url, headers) => {
      const nonce = headers['dpop-nonce'];
      if (typeof nonce === 'string') key.learn(url, nonce);
    },
  };
}

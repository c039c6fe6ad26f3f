import type { AccessToken, FetchTokens, RefusedToken, TokenSource } from '@gatehouse/access-tokens';
import { GatewayError } from '@gatehouse/errors';
import { clientCredentials, OAuthFailure } from '@gatehouse/oauth-client';
import { type ClientSecrets, clientAuthenticationOf } from './client-fields.ts';
import { digestOf } from './digest-of.ts';
import { tokenOf } from './token-of.ts';
import { originAndPath } from './would-call.ts';

export interface ClientTokenConfig extends ClientSecrets {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly scopes?: readonly string[] | undefined;
  readonly audience?: string | undefined;
  readonly resource?: string | undefined;
}

/** Tokens of a client of the gateway's own, compiled once per revision. */
export interface PreparedClientToken {
  /** For people: what is asked for one that is not at hand. */
  readonly wouldCall: string;
  /** @throws GatewayError provider_unavailable, credential_unavailable */
  readonly obtain: (tokens: TokenSource | undefined, refused?: RefusedToken) => AccessToken | Promise<AccessToken>;
}

/** RFC 6749 section 4.4. */
export function prepareClientToken({ tokenUrl, clientId, clientSecret, privateKey, clientAuth, scopes, audience, resource }: ClientTokenConfig): PreparedClientToken {
  const config = { tokenUrl, clientId, clientSecret, privateKey, clientAuth, scopes, audience, resource };
  // Servers with the same client share its tokens, wherever they send them; whatever is another, its tokens are others.
  const name = digestOf(config);
  const request = (fetch: FetchTokens): Promise<AccessToken> => requestToken(config, fetch);
  return {
    wouldCall: `POST ${originAndPath(tokenUrl)}`,
    obtain: (tokens, refused) => {
      if (tokens === undefined) throw new GatewayError('credential_unavailable', { detail: 'no token can be fetched from here' });
      return tokens.ofClient(name, request, refused);
    },
  };
}

async function requestToken({ tokenUrl, clientId, scopes, audience, resource, ...secrets }: ClientTokenConfig, fetch: FetchTokens): Promise<AccessToken> {
  try {
    return tokenOf(await clientCredentials({ tokenUrl, clientId, authentication: clientAuthenticationOf(secrets), resource, fetch }, { scopes, audience }));
  } catch (error) {
    if (!(error instanceof OAuthFailure)) throw error;
    throw new GatewayError(error.kind === 'unavailable' ? 'provider_unavailable' : 'credential_unavailable', { detail: error.message, cause: error });
  }
}

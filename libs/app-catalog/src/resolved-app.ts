import type { Secret } from '@gatehouse/sealing';

/** How a token is given back: by RFC 7009, by GitHub's own API, by a request that the access token itself authenticates, or not at all. */
export type Revocation = 'rfc7009' | 'github' | 'bearer-post' | 'bearer-delete' | 'none';

/** An app with everything known: what its document leaves out comes from the catalogue. */
export interface ResolvedApp {
  readonly issuer: string | undefined;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  /** Where tokens are refreshed; the token URL but for few. */
  readonly refreshUrl: string;
  /** Where `revocation` sends its request. */
  readonly revocationUrl: string | undefined;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  readonly clientAuth: 'basic' | 'post' | 'none';
  /** What is asked for, whoever connects; a server may want more. */
  readonly scopes: readonly string[];
  readonly scopeSeparator: ' ' | ',';
  /** The parameter of the authorization request that has the scopes; `scope` but where a provider tells users' from bots'. */
  readonly scopeParameter: string;
  readonly pkce: boolean;
  /** Of the authorization request, besides what RFC 6749 has. */
  readonly authorizationParameters: Readonly<Record<string, string>>;
  /** Of the requests to the token endpoint, likewise. */
  readonly tokenParameters: Readonly<Record<string, string>>;
  /** How the token endpoint takes a request: RFC 6749 says a form; some providers want JSON. */
  readonly tokenRequest: 'form' | 'json';
  /** RFC 8707: sent on authorization, token and refresh. */
  readonly resource: string | undefined;
  readonly refresh: {
    /** A refresh token is good for one use. So it is where nothing is known: to take care harms nobody. */
    readonly rotates: boolean;
    /** The provider drops a refresh token that was not used for so long. */
    readonly idleDays?: number;
    /** For so long the provider takes a refresh token again that was used already. */
    readonly reuseSeconds?: number;
  };
  /** JSON pointer to where the token endpoint's answer has the tokens; where there is nothing, they are at the top. */
  readonly tokensAt?: string;
  readonly revocation: Revocation;
}

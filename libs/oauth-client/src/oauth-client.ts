import type { Secret } from '@gatehouse/sealing';
import type { DPoPKey } from './dpop-key.ts';

/** How the client proves who it is (RFC 6749 section 2.3, RFC 7523 section 2.2). */
export type ClientAuthentication =
  | { readonly method: 'basic' | 'post'; readonly secret: Secret }
  | { readonly method: 'private-key-jwt'; /** A JWK as JSON, or PKCS #8 as PEM. */ readonly key: Secret }
  | { readonly method: 'none' };

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Us as a client of one provider: all that requests to its token and revocation endpoints take. */
export interface OAuthClient {
  /** The provider's own name, and so the audience of assertions; the token URL where it is not known. */
  readonly issuer?: string | undefined;
  readonly tokenUrl: string;
  /** Where tokens are refreshed; the token URL when absent. */
  readonly refreshUrl?: string | undefined;
  readonly revocationUrl?: string | undefined;
  readonly clientId: string;
  readonly authentication: ClientAuthentication;
  /** Sent with every token request, besides what the protocol has. */
  readonly tokenParameters?: Readonly<Record<string, string>> | undefined;
  /** RFC 8707: what the tokens are for. */
  readonly resource?: string | undefined;
  /** A space when absent (RFC 6749 section 3.3). */
  readonly scopeSeparator?: ' ' | ',' | undefined;
  /** JSON pointer to where the provider's answers have the tokens; the answer itself when absent. */
  readonly tokensAt?: string | undefined;
  /** RFC 6749 says a form, which it is when absent; some providers want JSON. */
  readonly tokenRequest?: 'form' | 'json' | undefined;
  /** By RFC 7009, by GitHub’s own API, by a request that the access token itself authenticates, or not at all, which it is when absent. */
  readonly revocation?: 'rfc7009' | 'github' | 'bearer-post' | 'bearer-delete' | 'none' | undefined;
  /** What tokens are to be bound to (RFC 9449); they are bearers' when absent. */
  readonly dpop?: DPoPKey | undefined;
  /** Every request goes through it: the egress guard. */
  readonly fetch: Fetch;
  /** Of a request with its answer; 7,000 when absent. */
  readonly timeoutMs?: number | undefined;
}

import type { Secret } from '@gatehouse/sealing';
import type { OAuthClient } from './oauth-client.ts';
import { OAuthFailure } from './oauth-failure.ts';
import { defaultTimeoutMs, requestTokens } from './request-tokens.ts';
import type { TokenSet } from './token-set.ts';

export interface CodeExchange {
  readonly code: Secret;
  readonly redirectUri: string;
  readonly codeVerifier?: Secret | undefined;
}

/** Redeems an authorization code (RFC 6749 section 4.1.3, RFC 7636). @throws OAuthFailure */
export function exchangeCode(client: OAuthClient, { code, redirectUri, codeVerifier }: CodeExchange): Promise<TokenSet> {
  const parameters = { code: code.reveal(), redirect_uri: redirectUri, code_verifier: codeVerifier?.reveal() };
  return requestTokens(client, { grantType: 'authorization_code', parameters, secrets: codeVerifier ? [code, codeVerifier] : [code] });
}

/**
 * Asks for new tokens (RFC 6749 section 6), with the scopes that were granted: none more can be had so. A provider that does not
 * want to hear them is asked again without; it has refused before acting. The client's timeout counts for both.
 * @throws OAuthFailure
 */
export async function refreshTokens(client: OAuthClient, refreshToken: Secret, scopes: readonly string[] = []): Promise<TokenSet> {
  const { timeoutMs = defaultTimeoutMs, tokenUrl, refreshUrl = tokenUrl } = client;
  const begun = performance.now();
  const refresh = (scope: string | undefined, leftMs: number): Promise<TokenSet> =>
    requestTokens({ ...client, tokenUrl: refreshUrl, timeoutMs: leftMs }, { grantType: 'refresh_token', parameters: { refresh_token: refreshToken.reveal(), scope }, secrets: [refreshToken] });
  const scope = joined(client, scopes);
  try {
    return await refresh(scope, timeoutMs);
  } catch (error) {
    const leftMs = Math.floor(timeoutMs - (performance.now() - begun));
    if (scope === undefined || !(error instanceof OAuthFailure) || error.error !== 'invalid_scope' || leftMs <= 0) throw error;
    return refresh(undefined, leftMs);
  }
}

export interface ClientCredentialsRequest {
  readonly scopes?: readonly string[] | undefined;
  /** What some providers want in place of RFC 8707's `resource`. */
  readonly audience?: string | undefined;
}

/** A token of our own (RFC 6749 section 4.4). @throws OAuthFailure */
export function clientCredentials(client: OAuthClient, { scopes = [], audience }: ClientCredentialsRequest = {}): Promise<TokenSet> {
  return requestTokens(client, { grantType: 'client_credentials', parameters: { scope: joined(client, scopes), audience }, secrets: [] });
}

const joined = ({ scopeSeparator = ' ' }: OAuthClient, scopes: readonly string[]): string | undefined => (scopes.length === 0 ? undefined : scopes.join(scopeSeparator));

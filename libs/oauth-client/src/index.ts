export type { ExpectedToken } from './check-token-type.ts';
export { DPoPKey, type ProvenRequest } from './dpop-key.ts';
export { discoverTokenUrl } from './discover-token-url.ts';
export { clientCredentials, type ClientCredentialsRequest, type CodeExchange, exchangeCode, refreshTokens } from './grants.ts';
export type { ClientAuthentication, Fetch, OAuthClient } from './oauth-client.ts';
export { isErrorCode, OAuthFailure, type OAuthFailureKind, type OAuthFailureOptions } from './oauth-failure.ts';
export { type GrantRequest, requestTokens } from './request-tokens.ts';
export { type RevokedTokens, revokeToken } from './revoke-token.ts';
export type { TokenSet } from './token-set.ts';

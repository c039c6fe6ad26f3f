export { clientCredentials, type ClientCredentialsRequest, type CodeExchange, exchangeCode, refreshTokens } from './grants.ts';
export type { ClientAuthentication, Fetch, OAuthClient } from './oauth-client.ts';
export { OAuthFailure, type OAuthFailureKind, type OAuthFailureOptions } from './oauth-failure.ts';
export { type RevokedTokens, revokeToken } from './revoke-token.ts';
export type { TokenSet } from './token-set.ts';

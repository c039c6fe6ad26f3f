export type { ClientAuthentication, Fetch, OAuthClient } from './oauth-client.ts';
export { OAuthFailure, type OAuthFailureKind, type OAuthFailureOptions } from './oauth-failure.ts';
export type { TokenSet } from './token-set.ts';

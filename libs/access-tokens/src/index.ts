export type { AccessToken, TokenGrounds, TokenKey } from './access-token.ts';
export { AccessTokens, type AccessTokensOptions, type ConnectingServer, type FetchTokens, type LoginOwner, type RefusedToken, type TokenSource } from './access-tokens.ts';
export { brokerPatienceMs, type ConnectReason, type LoginTokenKind, scopeToken, type TokenAnswer, tokenAnswer, type TokenRequest, tokenRequest, tokensPath, type TokenSubject, tokenSubject } from './broker-messages.ts';
export { ConnectError } from './connect-error.ts';
export type { PostToBroker, TraceRequest } from './token-broker.ts';
export { type CacheUse, type ObtainToken, TokenCache, type TokenCacheOptions } from './token-cache.ts';

export { agentAuthKey } from './agent-auth-key.ts';
export type { AgentAuthContext, Authentication, AuthorizationServerRecord, Denial, PreparedAgentAuth, PresentedCredentials, ServiceAccountRecord } from './agent-auth-type.ts';
export { bearerToken } from './bearer-token.ts';
export { anonymousCaller, type Caller } from './caller.ts';
export { type EmailVerification, emailVerification } from './email-verification.ts';
export { type AgentAuth, agentAuth, agentAuthTypes, prepareAgentAuth } from './registry.ts';
export { type ResourceForm, resourceUrl, resourceUrls, type ServerName } from './resource-urls.ts';
export { type IssuedKey, issueServiceAccountKey, keyIdOf, matchesKeyHash } from './service-account-key.ts';

export type { AgentAuthContext, Authentication, Denial, PreparedAgentAuth, PresentedCredentials, ServiceAccountRecord } from './agent-auth-type.ts';
export { anonymousCaller, type Caller } from './caller.ts';
export { type AgentAuth, agentAuth, agentAuthTypes, prepareAgentAuth } from './registry.ts';
export { type IssuedKey, issueServiceAccountKey, keyIdOf, matchesKeyHash } from './service-account-key.ts';

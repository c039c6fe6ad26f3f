import type { AgentAuth } from '@gatehouse/agent-auth';

/** Tokens of named issuers, for a named audience, that are checked with keys from a URL. */
export interface IssuedTokens {
  readonly issuers: readonly string[];
  readonly jwksUrl: string;
}

/**
 * What callers show, where it can prove who somebody is. Pasted keys are whoever’s who pasted them; without an audience, a token that
 * someone once gave to another service would do.
 */
export function issuedTokens(agentAuth: AgentAuth | null | undefined): IssuedTokens | undefined {
  const jwt = agentAuth?.type === 'passthrough' ? agentAuth.jwt : undefined;
  if (jwt?.jwksUrl === undefined || jwt.issuer === undefined || jwt.audience === undefined) return undefined;
  return { issuers: [jwt.issuer].flat(), jwksUrl: jwt.jwksUrl };
}

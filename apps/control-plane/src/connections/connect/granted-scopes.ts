import type { TokenSet } from '@gatehouse/oauth-client';

export interface GrantedScopes {
  /** What counts as there: all but what the server needs by its document and did not get. Nobody is asked again and again for the rest. */
  readonly scopes: readonly string[];
  /** What was asked for and not given. */
  readonly missing: readonly string[];
}

/** Many providers do not repeat these, and give what they stand for. */
const unechoed = new Set(['openid', 'profile', 'email', 'offline_access', 'offline', 'refresh_token']);

/**
 * What of the scopes asked for was given. A provider that says nothing gave them all (RFC 6749 section 5.1). One that names scopes
 * nobody asked for calls them otherwise (Google's `email` is a URL in its answer): what is missing there nobody can tell.
 */
export function grantedScopes(requested: readonly string[], needed: readonly string[], { scope }: TokenSet): GrantedScopes {
  if (scope === undefined || scope.length === 0 || scope.some((granted) => !requested.includes(granted))) return { scopes: requested, missing: [] };
  const missing = requested.filter((wanted) => !scope.includes(wanted) && !unechoed.has(wanted));
  return { scopes: requested.filter((wanted) => !missing.includes(wanted) || !needed.includes(wanted)), missing };
}

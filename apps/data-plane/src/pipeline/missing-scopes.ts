import { scopeToken } from '@gatehouse/access-tokens';
import type { UpstreamResponse } from './request.ts';

const maxScopes = 50;

/** The scopes that an upstream says a token lacks (RFC 6750 section 3.1; MCP authorization, step-up). */
export function missingScopes({ status, headers }: Pick<UpstreamResponse, 'status' | 'headers'>): readonly string[] | undefined {
  if (status !== 403) return undefined;
  const challenges = [headers['www-authenticate'] ?? []].flat().join(', ');
  if (!/(?:^|[\s,])error\s*=\s*"?insufficient_scope\b/i.test(challenges)) return undefined;
  const scopes = /(?:^|[\s,])scope\s*=\s*"([^"]{1,8000})"/i.exec(challenges)?.[1]?.split(' ').filter((scope) => scopeToken.test(scope)) ?? [];
  return scopes.length === 0 ? undefined : scopes.slice(0, maxScopes);
}

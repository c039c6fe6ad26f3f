import { createHash } from 'node:crypto';
import type { ResolvedApp } from '@gatehouse/app-catalog';

export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly codeVerifier: string;
  readonly scopes: readonly string[];
}

/** Where to send a browser to authorize us (RFC 6749 section 4.1.1, RFC 7636, RFC 8707). Nothing that an app adds replaces what the protocol has. */
export function authorizationUrl(app: ResolvedApp, { redirectUri, state, codeVerifier, scopes }: AuthorizationRequest): URL {
  const url = new URL(app.authorizationUrl);
  const parameters: Readonly<Record<string, string | undefined>> = {
    ...app.authorizationParameters,
    response_type: 'code',
    client_id: app.clientId,
    redirect_uri: redirectUri,
    state,
    [app.scopeParameter]: scopes.length === 0 ? undefined : scopes.join(app.scopeSeparator),
    resource: app.resource,
    code_challenge: app.pkce ? createHash('sha256').update(codeVerifier).digest('base64url') : undefined,
    code_challenge_method: app.pkce ? 'S256' : undefined,
  };
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return url;
}

import type { GuardedFetch } from '@gatehouse/egress';
import { type Configuration, errors, type JWKS, type KoaContextWithOIDC } from 'oidc-provider';
import type { LoginChecks } from '../identity/login/login-checks.service.ts';
import type { People } from '../identity/people.service.ts';
import { accessTokenClaims } from './access-token-claims.ts';
import { personOf } from './agent-account.ts';
import { agentResource, defaultResource, type ResourceParts, resourceServerOf } from './agent-resources.ts';
import { keptMetadata, settleClientMetadata } from './client-metadata.ts';
import { findAccount } from './find-account.ts';
import { agentInteractions } from './interaction-policy.ts';
import { signingAlgorithm } from './keep-signing-keys.ts';
import { mayFetchDocument } from './kept-client-documents.ts';
import { lifetimes } from './lifetimes.ts';
import { unlessUnavailable } from './oauth-unavailable.ts';
import { type AdapterParts, postgresAdapter } from './postgres-adapter.ts';
import { renderOAuthError } from './render-oauth-error.ts';
import { groupsNamedBy } from './server-access.ts';

export interface ProviderParts extends AdapterParts, ResourceParts {
  readonly isSecure: boolean;
  readonly cookieKey: Buffer;
  /** Private keys; the one that signs comes first. */
  readonly jwks: JWKS;
  readonly people: Pick<People, 'find'>;
  readonly logins: Pick<LoginChecks, 'check'>;
  readonly fetch: GuardedFetch;
  readonly allowsRegistration: boolean;
}

/** Where the authorization server's own endpoints are. */
export const oauthPaths = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  registration: '/oauth/register',
  jwks: '/oauth/jwks',
  revocation: '/oauth/revoke',
  introspection: '/oauth/introspect',
  pushed_authorization_request: '/oauth/par',
} as const;

export const interactionPath = (uid: string): string => `/oauth/interaction/${uid}`;

/** How oidc-provider serves agents. What is not said here is off, or what OAuth 2.1 has. */
export function providerConfiguration(parts: ProviderParts): Configuration {
  return {
    adapter: (model) => postgresAdapter(model, parts),
    jwks: parts.jwks,
    routes: oauthPaths,
    // With `mcp`, so that clients which ask for what the metadata lists ask for something.
    scopes: ['openid', 'offline_access', 'mcp'],
    responseTypes: ['code'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: signingAlgorithm,
    },
    extraClientMetadata: {
      properties: keptMetadata,
      validator: (_ctx, key, _value, metadata) => {
        if (key === keptMetadata[0]) settleClientMetadata(metadata);
      },
    },
    // OAuth 2.1 section 4.1.1: all clients, confidential ones too. Nothing but S256 is known to the library.
    pkce: { required: () => true },
    // OAuth 2.1 section 4.1.1 has the client send it; leaving it out is a needless difference between request and token.
    allowOmittingSingleRegisteredRedirectUri: false,
    cookies: cookiesOf(parts),
    interactions: { policy: agentInteractions, url: (_ctx, interaction) => interactionPath(interaction.uid) },
    findAccount: (ctx, id) => findAccount(ctx, id, parts),
    extraTokenClaims: (ctx, token) =>
      'grantId' in token && token.grantId !== undefined
        ? { ...accessTokenClaims(token.grantId, personOf(ctx.oidc.account), groupsNamedBy(resourceServerOf(ctx))) }
        : undefined,
    // A grant ends by itself or is revoked. It does not end with the browser's session, which agents outlive.
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // OAuth 2.1 section 4.3.1.
    rotateRefreshToken: () => true,
    ttl: ttls,
    // The others put codes where scripts of the page find them, or need a script on ours.
    extraParams: { response_mode: onlyQuery },
    clientBasedCORS,
    renderError: renderOAuthError,
    fetch: parts.fetch,
    fetchResponseBodyLimits: { 'client_id metadata document': 32_768, jwks_uri: 65_536, sector_identifier_uri: 1_024 },
    features: featuresOf(parts),
  };
}

const featuresOf = (parts: ProviderParts): NonNullable<Configuration['features']> => ({
  resourceIndicators: {
    enabled: true,
    getResourceServerInfo: (ctx, indicator) => unlessUnavailable(() => agentResource(ctx, indicator, parts)),
    // At the token endpoint there is the grant's, which is one.
    defaultResource: async (_ctx, _client, oneOf) => oneOf ?? unlessUnavailable(() => defaultResource(parts)),
    useGrantedResource: () => true,
  },
  clientIdMetadataDocument: { enabled: true, ack: 'draft-02', cacheDuration: { min: 300, max: 86_400 }, allowFetch: (ctx, id) => mayFetchDocument(ctx, id, parts.state) },
  registration: { enabled: parts.allowsRegistration, issueRegistrationAccessToken: false },
  pushedAuthorizationRequests: { enabled: true },
  revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
  introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
  devInteractions: { enabled: false },
  dPoP: { enabled: false },
  rpInitiatedLogout: { enabled: false },
  userinfo: { enabled: false },
});

/**
 * `__Secure-` and not `__Host-`: a flow's cookies are for its own path, so that two flows in one browser do not meet. What ties a
 * form to its browser is a `__Host-` cookie.
 */
function cookiesOf({ isSecure, cookieKey }: ProviderParts): NonNullable<Configuration['cookies']> {
  const prefix = isSecure ? '__Secure-' : '';
  const options = { httpOnly: true, sameSite: 'lax', secure: isSecure, signed: true, overwrite: true } as const;
  return {
    names: { session: `${prefix}gatehouse-oauth-session`, interaction: `${prefix}gatehouse-oauth-flow`, resume: `${prefix}gatehouse-oauth-resume` },
    long: options,
    short: options,
    keys: [cookieKey],
  };
}

const ttls: NonNullable<Configuration['ttl']> = {
  AccessToken: lifetimes.accessToken,
  AuthorizationCode: lifetimes.authorizationCode,
  Grant: lifetimes.grant,
  IdToken: lifetimes.idToken,
  Interaction: lifetimes.interaction,
  RefreshToken: (_ctx, token) => Math.max(1, Math.min(lifetimes.refreshToken, lifetimes.grant - token.totalLifetime())),
  Session: 1,
};

function onlyQuery({ oidc }: KoaContextWithOIDC, mode: string | undefined): void {
  if (mode === undefined || mode === 'query' || oidc.params === undefined) return;
  oidc.params['response_mode'] = undefined;
  throw new errors.UnsupportedResponseMode();
}

/** A client that runs in a browser asks from where it is sent back to. None of these requests carries cookies that mean anything. */
function clientBasedCORS(_ctx: KoaContextWithOIDC, origin: string, client: { readonly clientAuthMethod?: string | undefined; readonly redirectUris?: readonly string[] | undefined }): boolean {
  return client.clientAuthMethod === 'none' && (client.redirectUris ?? []).some((uri) => /^https?:/i.test(uri) && URL.parse(uri)?.origin === origin);
}

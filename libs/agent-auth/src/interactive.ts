import { slug } from '@gatehouse/config-fields';
import { GatewayError } from '@gatehouse/errors';
import { fixedKeySet, type TokenRules, VerifiedTokens, verifyToken } from '@gatehouse/token-verification';
import { z } from 'zod';
import { agentAuthType, type AgentAuthContext, type Authentication, type AuthorizationServerRecord, type Denial, type PreparedAgentAuth } from './agent-auth-type.ts';
import { bearerToken, missingToken, tokenRefusals, verifiedTokenLimits } from './bearer-token.ts';
import { readable, whoIs } from './caller-of-token.ts';
import { resourceUrls } from './resource-urls.ts';

// RFC 6749 section 3.3.
const scope = z.string().max(200).regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'is not a scope: printable characters without spaces, quotes and backslashes are');

const schema = z
  .strictObject({
    type: z.literal('interactive'),
    identityProvider: slug('Identity provider').optional().meta({ description: 'Where people must have logged in. Any when absent.' }),
    scopes: z.array(scope).min(1, 'must not be empty: leave it out where none is needed').max(50).optional().meta({ title: 'Scopes', description: 'A token must have all of them.' }),
  })
  .meta({ title: 'Interactive (SSO)' });

type Interactive = z.output<typeof schema>;

export const interactive = agentAuthType({
  type: 'interactive',
  title: 'Interactive (SSO)',
  description: 'A person. The client is given nothing but the URL, and opens the organisation’s login in a browser.',
  schema,
  prepare: (config) => ({
    type: 'interactive',
    open: false,
    restrictedHeaders: [],
    // The token is for the gateway and goes no further (D2, docs/rules.md; MCP authorization, access token privilege restriction).
    forwardsAuthorization: false,
    protectedResource: { scopes: config.scopes ?? [] },
    authenticate: prepareTokenCheck(config),
    stillAdmits: ({ kind, credential, claims }, { authorizationServer }) =>
      kind === 'person' && authorizationServer !== undefined && !isRevoked(authorizationServer, credential) && !isSuspended(authorizationServer, claims?.['idp']),
  }),
});

/** RFC 9068 section 2.2, and the grant by which a token can be revoked. */
const requiredClaims = ['sub', 'client_id', 'iat', 'jti', 'grant'] as const;
const clockToleranceSeconds = 30;
const algorithms: TokenRules['algorithms'] = new Set(['ES256', 'EdDSA', 'Ed25519'] as const);
const maxIdLength = 255;

const revoked: Denial = { denied: 'revoked_grant', description: 'The token has been revoked.' };
const suspended: Denial = { denied: 'suspended_identity_provider', description: 'The identity provider of this login is switched off at the gateway.' };
const otherProvider: Denial = { denied: 'wrong_identity_provider', description: 'This server wants a login with another identity provider.' };
const tooFewScopes: Denial = { denied: 'insufficient_scope', description: 'The token lacks a scope that this server needs.' };

/** What a token was found to be, and the grant that it lives by. */
interface Verified {
  readonly grant: string;
  readonly provider: unknown;
  readonly authentication: Authentication;
}

/**
 * Authenticates by an access token of the gateway's own authorization server; one that was verified before costs a look-up. What
 * was found holds as long as the token, the keys and this configuration do; whether it was withdrawn is looked up each time.
 */
function prepareTokenCheck(config: Interactive): PreparedAgentAuth['authenticate'] {
  // By the whole header, so that known tokens need not even be cut out of it.
  const verified = new VerifiedTokens<Verified>(verifiedTokenLimits);

  const verify = async (authorization: string, token: string, server: AuthorizationServerRecord, context: AgentAuthContext): Promise<Authentication> => {
    const audiences = resourceUrls(context.publicUrl, { workspace: context.workspace, name: context.server });
    const rules: TokenRules = { issuers: [server.issuer], audiences, algorithms, clockToleranceSeconds, requiredClaims, accessTokensOnly: true };
    const verification = await verifyToken(token, fixedKeySet(server.keys), rules, context.now());
    if ('denied' in verification) return tokenRefusals[verification.denied];
    const { claims, keys, expiresAt } = verification;
    const { sub, grant } = claims;
    if (!isId(sub) || !isId(grant)) return tokenRefusals.malformed_token;
    const value = { grant, provider: claims['idp'], authentication: authenticationOf(claims, { sub, grant, expiresAt }, config) };
    verified.add(authorization, { value, keys, expiresAt });
    return unlessWithdrawn(value, server);
  };

  return ({ authorization }, context) => {
    const server = context.authorizationServer;
    if (server === undefined) throw new GatewayError('caller_keys_unavailable', { detail: 'no authorization server in the snapshot' });
    if (authorization === undefined) return missingToken;
    const known = verified.get(authorization, server.keys, context.now());
    if (known !== undefined) return unlessWithdrawn(known, server);
    const token = bearerToken(authorization);
    return token === undefined ? missingToken : verify(authorization, token, server, context);
  };
}

type Claims = Readonly<Record<string, unknown>>;

interface Checked {
  readonly sub: string;
  readonly grant: string;
  readonly expiresAt: number;
}

function authenticationOf(claims: Claims, { sub, grant, expiresAt }: Checked, { identityProvider, scopes = [] }: Interactive): Authentication {
  if (identityProvider !== undefined && claims['idp'] !== identityProvider) return otherProvider;
  const { scope: granted, name } = claims;
  const has = new Set(typeof granted === 'string' ? granted.split(' ') : []);
  if (!scopes.every((needed) => has.has(needed))) return tooFewScopes;
  const who = { ...whoIs(claims), ...(isId(claims['idp']) && { identityProvider: claims['idp'] }) };
  return { caller: { id: `person:${sub}`, kind: 'person', name: readable(isId(name) ? name : (who.email ?? sub)), ...who, credential: grant, expiresAt, claims } };
}

function unlessWithdrawn({ grant, provider, authentication }: Verified, server: AuthorizationServerRecord): Authentication {
  if (isRevoked(server, grant)) return revoked;
  return isSuspended(server, provider) ? suspended : authentication;
}

const isRevoked = ({ revoked: grants }: AuthorizationServerRecord, grant = ''): boolean => grants.size > 0 && grants.has(grant);
const isSuspended = ({ suspendedProviders }: AuthorizationServerRecord, provider: unknown): boolean => typeof provider === 'string' && suspendedProviders?.has(provider) === true;
const isId = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= maxIdLength;

import { createHash } from 'node:crypto';
import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import type { Sql } from '../database/sql.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { agentAccount } from './agent-account.ts';
import { agentResource, defaultResource, type ResourceParts, resourceServerOf } from './agent-resources.ts';
import { clientIdentity } from './client-identity.ts';
import { useProvidedGrant } from './grants.store.ts';
import type { IdentityAssertion, IdentityAssertions } from './identity-assertions.service.ts';
import type { OAuthState } from './oauth-state.service.ts';
import { unlessUnavailable } from './oauth-unavailable.ts';
import { mayUse } from './server-access.ts';

export interface AssertionGrantParts extends ResourceParts {
  readonly sql: Sql;
  readonly state: Pick<OAuthState, 'insert'>;
  readonly assertions: Pick<IdentityAssertions, 'read'>;
}

export interface AssertionParameters {
  readonly assertion?: string;
  readonly resource?: string;
  readonly scope?: string;
}

export const assertionParameters = ['assertion', 'resource', 'scope'] as const;

/**
 * The JWT bearer grant (RFC 7523) with an identity assertion (ID-JAG): the organisation's identity provider has decided that the
 * client may act for the person, and nobody is asked. There is no refresh token: the provider is asked again, and may have
 * changed its mind.
 */
export async function assertionGrant(ctx: TokenEndpointGrantContext<AssertionParameters>, parts: AssertionGrantParts): Promise<void> {
  const { client, params, provider } = ctx.oidc;
  const assertion = await unlessUnavailable(() => parts.assertions.read(params.assertion ?? '', client.clientId));
  if (!assertion) throw new errors.InvalidGrant('not an assertion of an identity provider of ours for this client');
  const resource = await resourceFor(params, assertion, parts);
  const resourceServer = await unlessUnavailable(() => agentResource(ctx, resource, parts));
  const server = resourceServerOf(ctx);
  const { person } = assertion;
  const isOfProvider = server?.identityProvider === undefined || server.identityProvider === person.provider;
  if (!server || !isOfProvider || !mayUse(server, person)) throw new errors.InvalidGrant('the person may not use this server');
  // After everything that it can be refused for, so that a mistake can be corrected with the same one.
  await spend(assertion, parts);

  const scope = scopeFor(params, assertion, server.scopes);
  const { name, redirectHost } = clientIdentity(client, client.redirectUris?.[0] ?? '');
  const grantId = await unlessUnavailable(() =>
    useProvidedGrant(parts.sql, { id: uuidV7(), personId: person.id, clientId: client.clientId, clientName: name, redirectHost, resource: resourceServer.audience ?? resource }));
  const token = new provider.AccessToken({ accountId: person.id, client, grantId, gty: 'jwt-bearer', scope });
  token.resourceServer = new provider.ResourceServer(resource, resourceServer);
  ctx.oidc.entity('Account', agentAccount(person));
  ctx.body = { access_token: await token.save(), expires_in: token.expiration, token_type: token.tokenType, scope };
}

/** What the request asks for, as far as the assertion allows it; and if it does not ask, what the assertion says. */
function resourceFor({ resource: asked }: AssertionParameters, { resource: allowed }: IdentityAssertion, parts: AssertionGrantParts): string | Promise<string> {
  if (asked !== undefined && allowed !== undefined && asked !== allowed) throw new errors.InvalidTarget('not the resource of the assertion');
  return asked ?? allowed ?? unlessUnavailable(() => defaultResource(parts));
}

function scopeFor({ scope: asked }: AssertionParameters, { scope: allowed }: IdentityAssertion, offered: readonly string[]): string {
  const narrowed = [asked, allowed].filter((scope) => scope !== undefined).map((scope) => new Set(scope.split(' ')));
  const granted = offered.filter((scope, index) => index === 0 || narrowed.every((set) => set.has(scope)));
  return granted.join(' ');
}

/** RFC 7521 section 5.2, RFC 7523 section 3: each counts once, at all replicas together. */
async function spend({ issuer, jti, expiresAt }: IdentityAssertion, { state }: AssertionGrantParts): Promise<void> {
  const id = createHash('sha256').update(JSON.stringify([issuer, jti])).digest('base64url');
  const lifeSeconds = Math.max(1, expiresAt - Math.floor(Date.now() / 1_000)) + 60;
  if (!(await unlessUnavailable(() => state.insert({ model: 'IdentityAssertion', id, payload: {}, lifeSeconds })))) throw new errors.InvalidGrant('the assertion was already used');
}

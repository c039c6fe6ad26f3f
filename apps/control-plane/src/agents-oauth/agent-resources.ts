import { errors, type KoaContextWithOIDC, type ResourceServer as ProviderResourceServer } from 'oidc-provider';
import type { Sql } from '../database/sql.ts';
import { signingAlgorithm } from './keep-signing-keys.ts';
import { lifetimes } from './lifetimes.ts';
import { baseScope, findOnlyResourceServer, findResourceServer, readResource, type ResourceServer, resourceOf } from './resource-servers.ts';

export interface ResourceParts {
  readonly sql: Sql;
  readonly dataPlaneUrl: string;
  /** The key that signs. */
  readonly kid: string;
}

/** Which server a request was found to be for. */
const found = new WeakMap<object, ResourceServer>();

export const resourceServerOf = (ctx: KoaContextWithOIDC): ResourceServer | undefined => found.get(ctx);

/**
 * The server that a resource indicator names (RFC 8707). A token is for one: for several, each of them could use it at the others.
 * @throws InvalidTarget, InvalidGrant
 */
export async function agentResource(ctx: KoaContextWithOIDC, indicator: string, { sql, dataPlaneUrl, kid }: ResourceParts): Promise<ProviderResourceServer> {
  const { params } = ctx.oidc;
  if (Array.isArray(params?.['resource']) && params['resource'].length > 1) throw new errors.InvalidTarget('one resource at a time: a token is for one server');
  const name = readResource(indicator, dataPlaneUrl);
  const server = name && (await findResourceServer(sql, name));
  if (!name || !server) {
    // At the token endpoint it is the one that was agreed to, and is there no more: the grant is over. Clients stop at
    // `invalid_target` for good, and log in again at `invalid_grant`.
    if (ctx.oidc.route === 'token' && params?.['assertion'] === undefined) throw new errors.InvalidGrant('the server of this grant is not there any more');
    throw new errors.InvalidTarget('resource is not the URL of a server that people log in for here');
  }
  found.set(ctx, server);
  if (params !== undefined && ctx.oidc.route !== 'token') params['scope'] = settledScope(params['scope'], server.scopes);
  return {
    scope: server.scopes.join(' '),
    audience: name.audience,
    accessTokenTTL: lifetimes.accessToken,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: signingAlgorithm, kid } },
  };
}

/** The resource of a client that names none, as those of MCP 2025-03-26: the only server there is. @throws InvalidTarget */
export async function defaultResource({ sql, dataPlaneUrl }: ResourceParts): Promise<string> {
  const server = await findOnlyResourceServer(sql);
  if (!server) throw new errors.InvalidTarget('resource is missing: say which server the token is for (RFC 8707)');
  return resourceOf(server, dataPlaneUrl);
}

const ofTheProvider = new Set(['openid', 'offline_access']);

/** What there is of what was asked for (RFC 6749 section 3.3); of who asks for nothing in particular, everything. */
function settledScope(asked: unknown, offered: readonly string[]): string {
  const scopes = typeof asked === 'string' ? asked.split(' ') : [];
  const known = scopes.filter((scope) => offered.includes(scope));
  return [...new Set([baseScope, ...(known.length > 0 ? known : offered), ...scopes.filter((scope) => ofTheProvider.has(scope))])].join(' ');
}

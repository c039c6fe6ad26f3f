import type { PublicSigningKey } from '@gatehouse/gateway-config';
import { createLocalJWKSet, errors as joseErrors, type JWTPayload, jwtVerify } from 'jose';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Sql } from '../database/sql.ts';
import type { People } from '../identity/people.service.ts';
import type { AgentGrants } from './agent-grants.service.ts';
import { existsGrant } from './grants.store.ts';

export interface JwtTokenParts {
  readonly issuer: string;
  readonly grants: Pick<AgentGrants, 'end'>;
  readonly people: Pick<People, 'find'>;
  readonly sql: Sql;
  readonly publicKeys: readonly PublicSigningKey[];
}

/**
 * Introspection (RFC 7662) and revocation (RFC 7009) of our own access tokens: the library answers for opaque ones only. By then it
 * has authenticated the client, which gets to know something of its own tokens and nothing of others'.
 */
export function answerJwtTokens({ issuer, grants, people, sql, publicKeys }: JwtTokenParts) {
  const keys = createLocalJWKSet({ keys: [...publicKeys] });

  const ownClaims = async (ctx: KoaContextWithOIDC): Promise<(JWTPayload & { grant: string }) | undefined> => {
    const { payload } = await jwtVerify(String(ctx.oidc.params?.['token']), keys, { issuer, typ: 'at+jwt' });
    const { client_id: clientId, grant } = payload;
    return clientId === ctx.oidc.client?.clientId && typeof grant === 'string' ? { ...payload, grant } : undefined;
  };

  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const isUnsupported = (ctx.body as { error?: unknown } | undefined)?.error === 'unsupported_token_type';
    if (!isUnsupported) return;
    const claims = await ownClaims(ctx).catch(unlessInvalid);
    ctx.status = 200;
    if (ctx.oidc.route === 'revocation') {
      if (claims) await grants.end(claims.grant, 'given-back');
      ctx.body = '';
      return;
    }
    ctx.body = claims && (await existsGrant(sql, claims.grant)) && (await people.find(claims.sub ?? ''))?.disabled === false ? { active: true, ...claims, token_type: 'Bearer' } : { active: false };
  };
}

function unlessInvalid(error: unknown): undefined {
  if (!(error instanceof joseErrors.JOSEError)) throw error;
  return undefined;
}

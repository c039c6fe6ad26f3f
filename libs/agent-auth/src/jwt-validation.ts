import { createHash, hash } from 'node:crypto';
import { httpUrl } from '@gatehouse/config-fields';
import {
  fixedKeySet, keySetField, type KeySet, readPublicKeys, signatureAlgorithms, type TokenRules, VerifiedTokens, verifyToken,
} from '@gatehouse/token-verification';
import { z } from 'zod';
import type { AgentAuthContext, Authentication, PreparedAgentAuth } from './agent-auth-type.ts';
import { bearerToken, missingToken, tokenRefusals, verifiedTokenLimits } from './bearer-token.ts';
import type { Caller } from './caller.ts';
import { callerOfToken } from './caller-of-token.ts';

const name = z.string().min(1, 'must not be empty').max(2048);
const oneOrMore = (title: string, description: string) => z.union([name, z.array(name).min(1).max(100)]).meta({ title, description });
const algorithm = z.enum(signatureAlgorithms, { error: `must be one of ${signatureAlgorithms.join(', ')}: unsigned tokens and shared secrets (HS256) are never accepted` });

export const jwtValidation = z
  .strictObject({
    jwksUrl: httpUrl('JWKS URL').optional(),
    jwks: keySetField('JWKS').optional(),
    issuer: oneOrMore('Issuer', 'Exactly as in the token’s iss. Any when absent.').optional(),
    audience: oneOrMore('Audience', 'At least one must be in the token’s aud. Any when absent.').optional(),
    algorithms: z.array(algorithm).min(1).max(signatureAlgorithms.length).optional().meta({ title: 'Algorithms', description: 'All asymmetric ones when absent.' }),
    clockToleranceSeconds: z.number().min(0).max(300).optional().meta({ title: 'Clock tolerance', description: '30 seconds when absent.' }),
    requiredClaims: z.array(name).max(100).optional().meta({ title: 'Required claims', description: 'Besides exp, which always is.' }),
  })
  .superRefine(({ jwksUrl, jwks }, context) => {
    if (jwksUrl === undefined && jwks === undefined) context.addIssue({ code: 'custom', path: ['jwksUrl'], message: 'is required, or jwks in its place' });
    if (jwksUrl !== undefined && jwks !== undefined) context.addIssue({ code: 'custom', path: ['jwks'], message: 'must not be given together with jwksUrl' });
  })
  .meta({ title: 'Require JWT validation' });

export type JwtValidation = z.output<typeof jwtValidation>;

const defaultToleranceSeconds = 30;

/** Authenticates by a JWT in `Authorization: Bearer`; a token that was verified before costs a look-up. */
export function prepareJwtValidation(config: JwtValidation): PreparedAgentAuth['authenticate'] {
  const rules = rulesOf(config);
  const authority = authorityOf(config);
  const keySetIn = keySetOf(config);
  const verified = new VerifiedTokens<{ readonly caller: Caller }>(verifiedTokenLimits);

  const verify = async (authorization: string, token: string, keySet: KeySet, now: number): Promise<Authentication> => {
    const verification = await verifyToken(token, keySet, rules, now);
    if ('denied' in verification) return tokenRefusals[verification.denied];
    const { claims, keys, expiresAt } = verification;
    const tokenDigest = hash('sha256', token, 'base64url');
    const authentication = { caller: { ...callerOfToken(claims, token, authority), tokenDigest } };
    verified.add(authorization, { value: authentication, keys, expiresAt });
    return authentication;
  };

  return ({ authorization }, context) => {
    if (authorization === undefined) return missingToken;
    const keySet = keySetIn(context);
    const now = context.now();
    const known = verified.get(authorization, keySet.current(), now);
    if (known !== undefined) return known;
    const token = bearerToken(authorization);
    return token === undefined ? missingToken : verify(authorization, token, keySet, now);
  };
}

function rulesOf({ issuer, audience, algorithms, clockToleranceSeconds, requiredClaims }: JwtValidation): TokenRules {
  return {
    ...(issuer !== undefined && { issuers: [issuer].flat() }),
    ...(audience !== undefined && { audiences: [audience].flat() }),
    algorithms: new Set(algorithms ?? signatureAlgorithms),
    clockToleranceSeconds: clockToleranceSeconds ?? defaultToleranceSeconds,
    requiredClaims: requiredClaims ?? [],
  };
}

/** Whoever has the keys can put any issuer into a token: unless the configuration names the issuer, the keys are the authority. */
function authorityOf({ issuer, jwksUrl, jwks }: JwtValidation): readonly string[] {
  if (issuer !== undefined) return ['issuer'];
  return jwksUrl === undefined ? ['jwks', createHash('sha256').update(JSON.stringify(jwks)).digest('base64url')] : ['jwksUrl', jwksUrl];
}

function keySetOf({ jwksUrl, jwks }: JwtValidation): (context: AgentAuthContext) => KeySet {
  if (jwksUrl !== undefined) {
    const { href } = new URL(jwksUrl);
    return ({ keySets }) => keySets.at(href);
  }
  const keys = readPublicKeys(jwks);
  if (keys === undefined) throw new TypeError('no key set');
  const keySet = fixedKeySet(keys);
  return () => keySet;
}

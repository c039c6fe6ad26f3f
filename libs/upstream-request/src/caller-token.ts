import { bearerToken, type Caller } from '@gatehouse/agent-auth';
import type { CredentialContext } from '@gatehouse/app-auth';
import { Secret } from '@gatehouse/sealing';
import type { CallerHeaders } from './caller-headers.ts';

/**
 * The token that a caller came with, where it says who the caller is to others: one that the server has verified. The gateway's own
 * never leave it, wherever they come (D2, docs/rules.md), and neither does what nobody has looked at.
 * @param ownIssuer of the gateway's own tokens
 */
export function callerTokenOf({ kind, claims, tokenDigest }: Caller, { authorization }: Pick<CallerHeaders, 'authorization'>, ownIssuer: string | undefined): CredentialContext['callerToken'] {
  if (kind !== 'token' || authorization === undefined || (ownIssuer !== undefined && claims?.['iss'] === ownIssuer)) return undefined;
  const token = bearerToken(authorization);
  if (token === undefined) return undefined;
  const expiresAt = claims?.['exp'];
  return { value: new Secret(token), expiresAt: typeof expiresAt === 'number' ? expiresAt * 1000 : undefined, digest: tokenDigest };
}

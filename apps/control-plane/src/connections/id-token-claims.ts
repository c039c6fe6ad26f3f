import type { Secret } from '@gatehouse/sealing';

/**
 * What an ID token says. It came from the token endpoint itself, so that its signature says no more than the connection did (OpenID
 * Connect Core section 3.1.3.7, 6).
 */
export function idTokenClaims(idToken: Secret | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const claims: unknown = idToken && JSON.parse(Buffer.from(idToken.reveal().split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

interface WithIdToken {
  readonly idToken?: Secret | undefined;
}

/** Whether two authorizations are of one account; undefined where the provider does not say. What people are called there may be anybody's. */
export function isSameAccount(one: WithIdToken, other: WithIdToken): boolean | undefined {
  const [a, b] = [accountIdOf(one), accountIdOf(other)];
  return a === undefined || b === undefined ? undefined : a === b;
}

/**
 * Whether the ID token of a refresh takes the place of the former one: it has the issuer, the subject and the audience of that (OpenID
 * Connect Core section 12.2). Another one is of somebody else, or for somebody else.
 */
export function mayFollow(former: WithIdToken, { idToken }: WithIdToken): boolean {
  return idToken !== undefined && (former.idToken === undefined || idToken.reveal() === former.idToken.reveal() || identityOf(idToken) === identityOf(former.idToken));
}

/** Of one that cannot be read nothing is the same as of another. */
function identityOf(idToken: Secret): string | symbol {
  const { iss, sub, aud } = idTokenClaims(idToken) ?? {};
  if (typeof iss !== 'string' || typeof sub !== 'string') return Symbol('nobody');
  return JSON.stringify([iss, sub, [aud].flat().toSorted()]);
}

/** OpenID Connect Core section 5.7: nothing else identifies somebody. */
function accountIdOf({ idToken }: WithIdToken): string | undefined {
  const { iss, sub } = idTokenClaims(idToken) ?? {};
  return typeof iss === 'string' && typeof sub === 'string' && sub !== '' ? JSON.stringify([iss, sub]) : undefined;
}

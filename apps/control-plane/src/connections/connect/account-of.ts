import type { TokenSet } from '@gatehouse/oauth-client';
import { cleanWords } from './clean-words.ts';

const names = ['email', 'preferred_username', 'login', 'name', 'sub'] as const;

/**
 * What a person is called at the provider, where an ID token says so. It came from the token endpoint itself, so that its signature
 * says no more than the connection did (OpenID Connect Core section 3.1.3.7, 6), and it is a label and nothing else.
 */
export function accountOf({ idToken }: TokenSet): string | undefined {
  const claims = idToken && claimsOf(idToken.reveal());
  const name = claims && names.map((claim) => claims[claim]).find((value) => typeof value === 'string' && value.trim() !== '');
  return typeof name === 'string' ? cleanWords(name) : undefined;
}

function claimsOf(jwt: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

import type { TokenSet } from '@gatehouse/oauth-client';
import { idTokenClaims } from '../id-token-claims.ts';
import { cleanWords } from './clean-words.ts';

const names = ['email', 'preferred_username', 'login', 'name', 'sub'] as const;

/** What a person is called at the provider, where an ID token says so: a label and nothing else. */
export function accountOf({ idToken }: TokenSet): string | undefined {
  const claims = idTokenClaims(idToken);
  const name = claims && names.map((claim) => claims[claim]).find((value) => typeof value === 'string' && value.trim() !== '');
  return typeof name === 'string' ? cleanWords(name) : undefined;
}

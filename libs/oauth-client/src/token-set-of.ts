import { Secret } from '@gatehouse/sealing';
import { type Fields, fieldsAt } from './read-answer.ts';
import type { TokenSet } from './token-set.ts';

const maxSeconds = 10 * 365 * 86_400;

/** The tokens of an answer, or nothing where it has none. `nowMs` is when it came. */
export function tokenSetOf(answer: Fields, tokensAt: string | undefined, nowMs: number): TokenSet | undefined {
  // Slack has a user's tokens in a place of their own beside the bot's, which are never to be taken for them, but in the answer to
  // a refresh there is no such place.
  const fields = (tokensAt === undefined ? undefined : fieldsAt(answer, tokensAt)) ?? answer;
  const accessToken = textOf(fields['access_token']);
  if (accessToken === undefined) return undefined;
  const refreshToken = textOf(fields['refresh_token']);
  const idToken = textOf(fields['id_token']) ?? textOf(answer['id_token']);
  const expiresInSeconds = lifetimeOf(fields, nowMs);
  const scope = scopesOf(fields['scope']);
  return {
    accessToken: new Secret(accessToken),
    ...(refreshToken !== undefined && { refreshToken: new Secret(refreshToken) }),
    ...(idToken !== undefined && { idToken: new Secret(idToken) }),
    ...(expiresInSeconds !== undefined && { expiresInSeconds }),
    ...(scope !== undefined && { scope }),
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** `expires_in` as a number or as text; some say when instead (`expires_at`, Entra's `expires_on`). Zero is how some say "never"; less than a second is not that. */
function lifetimeOf(fields: Fields, nowMs: number): number | undefined {
  const seconds = numberOf(fields['expires_in']) ?? numberOf(fields['expires']);
  const at = numberOf(fields['expires_at']) ?? numberOf(fields['expires_on']);
  const lifetime = seconds ?? (at === undefined ? undefined : at - nowMs / 1000);
  return lifetime !== undefined && lifetime > 0 ? Math.min(Math.max(Math.floor(lifetime), 1), maxSeconds) : undefined;
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** With spaces between them (RFC 6749 section 3.3); some use commas, or an array. */
function scopesOf(value: unknown): string[] | undefined {
  const text = Array.isArray(value) ? value.filter((item) => typeof item === 'string').join(' ') : value;
  if (typeof text !== 'string') return undefined;
  return [...new Set(text.split(/[\s,]+/).filter((scope) => scope !== ''))];
}

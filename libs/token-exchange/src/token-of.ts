import type { AccessToken } from '@gatehouse/access-tokens';
import type { TokenSet } from '@gatehouse/oauth-client';

/** What a token endpoint just gave, as it is kept. */
export function tokenOf({ accessToken, expiresInSeconds }: TokenSet): AccessToken {
  return { value: accessToken, expiresAt: expiresInSeconds === undefined ? undefined : Date.now() + expiresInSeconds * 1000, subjects: [] };
}

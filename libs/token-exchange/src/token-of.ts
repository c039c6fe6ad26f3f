import type { AccessToken } from '@gatehouse/access-tokens';
import type { DPoPKey, TokenSet } from '@gatehouse/oauth-client';

/** What a token endpoint just gave, as it is kept. */
export function tokenOf({ accessToken, expiresInSeconds, isBound }: TokenSet, key?: DPoPKey): AccessToken {
  return { value: accessToken, ...(isBound && { key }), expiresAt: expiresInSeconds === undefined ? undefined : Date.now() + expiresInSeconds * 1000, subjects: [] };
}

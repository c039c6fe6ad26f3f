import { discoverTokenUrl, type Fetch } from '@gatehouse/oauth-client';

const rememberedMs = 60_000;

interface Found {
  readonly tokenUrl: Promise<string>;
  readonly until: number;
}

/** Finds an issuer's token endpoint, once for all who ask within a minute: every caller's token is presented there. */
export function rememberTokenUrl(issuer: string): (fetch: Fetch) => Promise<string> {
  let found: Found | undefined;
  return (fetch) => {
    const now = Date.now();
    // A clock that was set back makes nothing last longer.
    if (found !== undefined && found.until > now && found.until <= now + rememberedMs) return found.tokenUrl;
    const asked: Found = { tokenUrl: discoverTokenUrl(issuer, fetch), until: now + rememberedMs };
    found = asked;
    asked.tokenUrl.catch(() => {
      if (found === asked) found = undefined;
    });
    return asked.tokenUrl;
  };
}

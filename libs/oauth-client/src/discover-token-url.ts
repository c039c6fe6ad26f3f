import type { Fetch } from './oauth-client.ts';
import { OAuthFailure } from './oauth-failure.ts';
import { patientTimeout } from './patient-timeout.ts';
import { type Fields, readAnswer } from './read-answer.ts';
import { asFailure, defaultTimeoutMs } from './request-tokens.ts';

/**
 * The token endpoint that an issuer publishes: RFC 8414 section 3.1, then OpenID Connect Discovery section 4. The timeout is for each
 * document. @throws OAuthFailure
 */
export async function discoverTokenUrl(issuer: string, fetch: Fetch, timeoutMs = defaultTimeoutMs): Promise<string> {
  if (!URL.canParse(issuer)) throw new OAuthFailure('misconfigured', 'the issuer whose token endpoint is to be found is no URL');
  for (const url of metadataUrls(new URL(issuer))) {
    const metadata = await fetchMetadata(url, fetch, timeoutMs);
    if (metadata !== undefined) return tokenUrlOf(metadata, issuer, url);
  }
  throw new OAuthFailure('misconfigured', `${issuer} publishes no metadata`);
}

function metadataUrls({ origin, pathname }: URL): string[] {
  const path = pathname.replace(/\/$/, '');
  const appended = path === '' ? [] : [`${origin}/.well-known/openid-configuration${path}`];
  return [`${origin}/.well-known/oauth-authorization-server${path}`, ...appended, `${origin}${path}/.well-known/openid-configuration`];
}

async function fetchMetadata(url: string, fetch: Fetch, timeoutMs: number): Promise<Fields | undefined> {
  const { signal, clear } = patientTimeout(timeoutMs);
  try {
    const { status, fields } = await readAnswer(await fetch(url, { headers: { Accept: 'application/json' }, redirect: 'manual', signal }));
    if (status >= 500 || status === 429) throw new OAuthFailure('unavailable', `${url} answers ${status}`, { status });
    return status === 200 ? fields : undefined;
  } catch (error) {
    throw asFailure(error);
  } finally {
    clear();
  }
}

function tokenUrlOf({ issuer, token_endpoint: tokenUrl }: Fields, expected: string, url: string): string {
  // RFC 8414 section 3.3: whoever else it speaks for would get what is meant for the issuer. Of one with and without its last slash the
  // metadata is at the same place.
  if (typeof issuer !== 'string' || withoutSlash(issuer) !== withoutSlash(expected)) throw new OAuthFailure('misconfigured', `the metadata at ${url} is of another issuer`);
  const isUrl = typeof tokenUrl === 'string' && URL.canParse(tokenUrl) && /^https?:/.test(tokenUrl);
  if (!isUrl) throw new OAuthFailure('misconfigured', `the metadata at ${url} names no token endpoint`);
  if (tokenUrl.startsWith('http:') && expected.startsWith('https:')) throw new OAuthFailure('misconfigured', `the token endpoint that ${url} names is not https`);
  return tokenUrl;
}

const withoutSlash = (url: string): string => url.replace(/\/$/, '');

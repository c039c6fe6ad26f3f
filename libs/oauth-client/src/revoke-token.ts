import type { Secret } from '@gatehouse/sealing';
import { tokenRevocation } from 'openid-client';
import { failureOf } from './failure-of.ts';
import type { OAuthClient } from './oauth-client.ts';
import { OAuthFailure } from './oauth-failure.ts';
import { readAnswer } from './read-answer.ts';
import { asFailure, configurationOf, secretsOf } from './request-tokens.ts';

export interface RevokedTokens {
  readonly accessToken: Secret;
  readonly refreshToken?: Secret | undefined;
}

const githubApi = 'https://api.github.com/applications/{client_id}/grant';
/** RFC 7009 section 2.2: an unknown token is no error; some say so all the same. RFC 6749 and 6750 name them. */
const alreadyGone = new Set(['invalid_token', 'invalid_grant', 'unsupported_token_type', 'token_revoked']);

/**
 * Gives tokens back. The refresh token is the one that matters: with it goes what was made of it (RFC 7009 section 2.1), and
 * where it does not, the access token is given back after it.
 * @throws OAuthFailure, `unavailable` where trying again later may help
 */
export async function revokeToken(client: OAuthClient, { accessToken, refreshToken }: RevokedTokens): Promise<void> {
  switch (client.revocation ?? 'none') {
    case 'rfc7009':
      if (refreshToken) await revokeOne(client, refreshToken, 'refresh_token');
      return revokeOne(client, accessToken, 'access_token');
    case 'github':
      return revokeAtGitHub(client, accessToken);
    case 'bearer-post':
      return request(client, client.revocationUrl, { method: 'POST', headers: bearer(accessToken) }, [accessToken]);
    case 'bearer-delete':
      return request(client, client.revocationUrl, { method: 'DELETE', headers: bearer(accessToken) }, [accessToken]);
    case 'none':
      return undefined;
  }
}

const bearer = (token: Secret) => ({ Authorization: `Bearer ${token.reveal()}` });

async function revokeOne(client: OAuthClient, token: Secret, hint: 'refresh_token' | 'access_token'): Promise<void> {
  if (client.revocationUrl === undefined) throw new OAuthFailure('misconfigured', 'there is no revocation URL');
  const configuration = configurationOf(client, async (response) => {
    await accept(response, [token, ...secretsOf(client)]);
    return new Response(null, { status: 200 });
  });
  await tokenRevocation(configuration, token.reveal(), { token_type_hint: hint }).catch((error: unknown) => {
    throw asFailure(error);
  });
}

/** https://docs.github.com/rest/apps/oauth-applications: the grant goes, with all its tokens. */
function revokeAtGitHub(client: OAuthClient, accessToken: Secret): Promise<void> {
  const { clientId, authentication, revocationUrl = githubApi } = client;
  if (authentication.method !== 'basic' && authentication.method !== 'post') return Promise.reject(new OAuthFailure('misconfigured', 'there is no client secret'));
  const credentials = Buffer.from(`${clientId}:${authentication.secret.reveal()}`).toString('base64');
  const url = revocationUrl.replace(/\{client_id\}|%7Bclient_id%7D/i, encodeURIComponent(clientId));
  const headers = { Authorization: `Basic ${credentials}`, Accept: 'application/vnd.github+json', 'Content-Type': 'application/json', 'User-Agent': 'gatehouse' };
  return request(client, url, { method: 'DELETE', headers, body: JSON.stringify({ access_token: accessToken.reveal() }) }, [accessToken]);
}

async function request(client: OAuthClient, url: string | undefined, init: RequestInit, sent: readonly Secret[]): Promise<void> {
  if (url === undefined) throw new OAuthFailure('misconfigured', 'there is no revocation URL');
  try {
    const response = await client.fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(client.timeoutMs ?? 7_000) });
    // A token that is not accepted any more, or a grant that is not there, is what was wanted.
    if (response.status === 401 && client.revocation !== 'github') return await response.body?.cancel();
    if (response.status === 404 || response.status === 422) return await response.body?.cancel();
    await accept(response, [...sent, ...secretsOf(client)]);
  } catch (error) {
    throw asFailure(error);
  }
}

async function accept(response: Response, sent: readonly Secret[]): Promise<void> {
  const answer = await readAnswer(response);
  if (answer.status >= 200 && answer.status < 300 && answer.fields?.['ok'] !== false) return;
  const failure = failureOf(answer, sent);
  if (!alreadyGone.has(failure.error ?? '')) throw failure;
}

import { Secret } from '@gatehouse/sealing';
import { describe, expect, test } from 'vitest';
import { refreshTokens } from './grants.ts';
import type { OAuthClient } from './oauth-client.ts';
import { OAuthFailure } from './oauth-failure.ts';
import { type CannedAnswer, secretsOfSpec, useTokenEndpoint } from './spec-support.ts';
import type { TokenSet } from './token-set.ts';

const endpoint = useTokenEndpoint();
const json = (body: unknown, status = 200): CannedAnswer => ({ status, body: JSON.stringify(body) });
const refresh = (overrides: Partial<OAuthClient> = {}): Promise<TokenSet> => refreshTokens(endpoint.client(overrides), new Secret(secretsOfSpec.refresh), ['a', 'b']);

const plain = ({ accessToken, refreshToken, idToken, ...rest }: TokenSet) => ({
  access: accessToken.reveal(), ...(refreshToken && { refresh: refreshToken.reveal() }), ...(idToken && { id: idToken.reveal() }), ...rest,
});

describe('an answer is read whatever form it has', () => {
  test.each<[string, CannedAnswer, ReturnType<typeof plain>]>([
    ['as RFC 6749 section 5.1 has it', json({ access_token: 'A', token_type: 'Bearer', expires_in: 3600, refresh_token: 'R', scope: 'a b' }), { access: 'A', refresh: 'R', expiresInSeconds: 3600, scope: ['a', 'b'] }],
    ['a form (GitHub without Accept)', { type: 'application/x-www-form-urlencoded', body: 'access_token=A&expires_in=28800&refresh_token=R&scope=repo%2Cgist&token_type=bearer' }, { access: 'A', refresh: 'R', expiresInSeconds: 28_800, scope: ['repo', 'gist'] }],
    ['a form that is called text', { type: 'text/plain', body: 'access_token=A&expires=5184000' }, { access: 'A', expiresInSeconds: 5_184_000 }],
    ['JSON that is called text/html', { type: 'text/html', body: '{"access_token":"A"}' }, { access: 'A' }],
    ['JSON behind a byte order mark', { body: '\ufeff{"access_token":"A","expires_in":60}' }, { access: 'A', expiresInSeconds: 60 }],
    ['expires_in as text', json({ access_token: 'A', expires_in: '3599' }), { access: 'A', expiresInSeconds: 3599 }],
    ['expires_in with a fraction', json({ access_token: 'A', expires_in: 3599.7 }), { access: 'A', expiresInSeconds: 3599 }],
    ['expires_in of less than a second, which is not "never"', json({ access_token: 'A', expires_in: 0.4 }), { access: 'A', expiresInSeconds: 1 }],
    ['no expires_in', json({ access_token: 'A', token_type: 'bearer' }), { access: 'A' }],
    ['expires_in that says nothing', json({ access_token: 'A', expires_in: 'soon' }), { access: 'A' }],
    ['expires_in: null', json({ access_token: 'A', expires_in: null }), { access: 'A' }],
    ['expires_in: 0, which is "never"', json({ access_token: 'A', expires_in: 0 }), { access: 'A' }],
    ['no token_type', json({ access_token: 'A', refresh_token: '' }), { access: 'A' }],
    ['a token_type of its own (Slack)', json({ ok: true, access_token: 'A', token_type: 'bot' }), { access: 'A' }],
    ['commas between scopes', json({ access_token: 'A', scope: 'chat:write,users:read' }), { access: 'A', scope: ['chat:write', 'users:read'] }],
    ['scopes as an array', json({ access_token: 'A', scope: ['a', 'b', 7] }), { access: 'A', scope: ['a', 'b'] }],
    ['an ID token of anyone', json({ access_token: 'A', id_token: 'not.a.jwt' }), { access: 'A', id: 'not.a.jwt' }],
    ['201', json({ access_token: 'A' }, 201), { access: 'A' }],
  ])('%s', async (_name, answer, expected) => {
    endpoint.answer(answer);
    expect(plain(await refresh())).toEqual(expected);
  });

  test('expires_at and Entra’s expires_on say when', async () => {
    const inAnHour = Math.floor(Date.now() / 1000) + 3600;
    for (const name of ['expires_at', 'expires_on']) {
      endpoint.answer(json({ access_token: 'A', [name]: String(inAnHour) }));
      const { expiresInSeconds = 0 } = await refresh();
      expect(expiresInSeconds).toBeGreaterThan(3500);
      expect(expiresInSeconds).toBeLessThanOrEqual(3600);
    }
  });

  test('nested tokens (Slack): a user’s, and never the bot’s in their place', async () => {
    const tokensAt = '/authed_user';
    endpoint.answer(json({ ok: true, access_token: 'bot', authed_user: { id: 'U1', access_token: 'user', scope: 'search:read', refresh_token: 'R' } }));
    expect(plain(await refresh({ tokensAt }))).toEqual({ access: 'user', refresh: 'R', scope: ['search:read'] });
    endpoint.answer(json({ ok: true, access_token: 'user again', token_type: 'user' }));
    expect(plain(await refresh({ tokensAt }))).toEqual({ access: 'user again' });
    endpoint.answer(json({ ok: true, access_token: 'bot', authed_user: { id: 'U1' } }));
    await expect(refresh({ tokensAt })).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('an answer without tokens is of one of three kinds', () => {
  const html = (status: number): CannedAnswer => ({ status, type: 'text/html', body: '<!doctype html><title>error=invalid_grant</title>' });
  test.each<[string, CannedAnswer, OAuthFailure['kind'], boolean]>([
    ['invalid_grant', json({ error: 'invalid_grant' }, 400), 'refused', false],
    ['invalid_grant with 401', json({ error: 'invalid_grant' }, 401), 'refused', false],
    ['200 with error (GitHub)', json({ error: 'bad_refresh_token' }), 'refused', true],
    ['200 with a form of an error (GitHub)', { type: 'application/x-www-form-urlencoded', body: 'error=bad_verification_code&error_description=x' }, 'refused', true],
    ['200 with ok: false (Slack)', json({ ok: false, error: 'invalid_refresh_token' }), 'refused', true],
    ['BAD_REFRESH_TOKEN (HubSpot)', json({ status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token' }, 400), 'refused', false],
    ['unauthorized_client that means the token (Atlassian)', json({ error: 'unauthorized_client', error_description: 'refresh_token is invalid' }, 403), 'refused', false],
    ['invalid_request that means the token (Zoom)', json({ error: 'invalid_request', reason: 'Invalid Token!' }, 400), 'refused', false],
    ['a wrong client secret', json({ error: 'invalid_client' }, 401), 'misconfigured', false],
    ['a wrong client secret (GitHub)', json({ error: 'incorrect_client_credentials' }), 'misconfigured', true],
    ['401 with a page', html(401), 'misconfigured', false],
    ['unauthorized_client', json({ error: 'unauthorized_client' }, 400), 'misconfigured', false],
    ['a missing scope', json({ error: 'invalid_scope' }, 400), 'misconfigured', false],
    ['an error nobody knows', json({ error: 'no_such_thing' }, 400), 'misconfigured', false],
    ['an error as an object (Facebook)', json({ error: { message: 'x', type: 'OAuthException', code: 190 } }, 400), 'misconfigured', false],
    ['404: no token endpoint', html(404), 'misconfigured', false],
    ['a redirect', { status: 302, type: 'text/html' }, 'misconfigured', false],
    ['DPoP tokens', json({ access_token: 'A', token_type: 'DPoP' }), 'misconfigured', false],
    ['500', json({ error: 'invalid_grant' }, 500), 'unavailable', true],
    ['502 with a page', html(502), 'unavailable', true],
    ['503', html(503), 'unavailable', false],
    ['429', json({ error: 'invalid_request' }, 429), 'unavailable', false],
    ['a firewall’s 403', html(403), 'unavailable', false],
    ['400 with a page', html(400), 'unavailable', false],
    ['temporarily_unavailable', json({ error: 'temporarily_unavailable' }, 400), 'unavailable', false],
    ['rate limited (Slack)', json({ ok: false, error: 'ratelimited' }), 'unavailable', true],
    ['200 with a page', html(200), 'unavailable', true],
    ['200 with nothing', { body: '' }, 'unavailable', true],
    ['200 with half of it', { body: '{"access_token":"A' }, 'unavailable', true],
    ['200 without a token', json({}), 'unavailable', true],
    ['an access token that is no text', json({ access_token: { value: 'A' } }), 'unavailable', true],
    ['a reset', { reset: true }, 'unavailable', true],
    ['no answer in time', { hang: true }, 'unavailable', true],
  ])('%s', async (_name, answer, kind, mayHaveActed) => {
    endpoint.answer(answer);
    const failure = await refresh({ timeoutMs: 200 }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OAuthFailure);
    expect(failure).toMatchObject({ kind, mayHaveActed });
  });

  test('no connection: nothing was sent', async () => {
    const { GatewayError } = await import('@gatehouse/errors');
    const refusing = (code: 'upstream_unreachable' | 'upstream_address_refused') => refresh({ fetch: () => Promise.reject(new GatewayError(code, { detail: 'x' })) });
    await expect(refusing('upstream_unreachable')).rejects.toMatchObject({ kind: 'unavailable', mayHaveActed: false });
    await expect(refusing('upstream_address_refused')).rejects.toMatchObject({ kind: 'misconfigured', mayHaveActed: false });
  });

  test('a provider’s words are kept, and no secret that it repeats', async () => {
    const words = `Client authentication failed for the-client-secret with ${secretsOfSpec.refresh} and eyJhbGciOiJSUzI1NiJ9.abc\n`;
    endpoint.answer(json({ error: 'invalid_client', error_description: words }, 401));
    const failure = (await refresh().catch((error: unknown) => error)) as OAuthFailure;
    expect(failure.message).toBe('status 401: invalid_client: Client authentication failed for […] with […] and […]');
    endpoint.answer(json({ error: secretsOfSpec.refresh }, 400));
    expect(String(((await refresh().catch((error: unknown) => error)) as OAuthFailure).message)).toBe('status 400');
  });

  test.each<[string, string]>([
    ['percent-encoded (RFC 3986)', 'p%40ss%20w%2F0rd'],
    ['percent-encoded, in lower case', 'p%40ss%20w%2f0rd'],
    ['as a form has it', 'p%40ss+w%2F0rd'],
    ['in base64', 'cEBzcyB3LzByZA=='],
    ['in base64url', 'cEBzcyB3LzByZA'],
    ['with the client’s id, as Basic has it', Buffer.from('id:p%40ss%20w%2F0rd').toString('base64').slice(0, -1)],
  ])('a secret is not repeated %s', async (_name, spelled) => {
    endpoint.answer(json({ error: 'invalid_client', error_description: `wrong: ${spelled}` }, 401));
    const failure = (await refresh({ clientId: 'id', authentication: { method: 'basic', secret: new Secret('p@ss w/0rd') } }).catch((error: unknown) => error)) as OAuthFailure;
    expect(failure.message).toMatch(/^status 401: invalid_client: wrong: \[…\]=*$/);
  });

  test('nor as an error that looks like a code', async () => {
    endpoint.answer(json({ error: 'not_horse_staple' }, 401));
    const failure = (await refresh({ authentication: { method: 'post', secret: new Secret('horse_staple') } }).catch((error: unknown) => error)) as OAuthFailure;
    expect([failure.error, failure.message]).toEqual([undefined, 'status 401']);
  });
});

import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { Secret } from '@gatehouse/sealing';
import { expect, test } from 'vitest';
import { clientCredentials, exchangeCode, refreshTokens } from './grants.ts';
import { secretsOfSpec, useTokenEndpoint } from './spec-support.ts';
import { revokeToken } from './revoke-token.ts';

const endpoint = useTokenEndpoint();
const token = { body: '{"access_token":"A"}' };
const formOf = (index = 0): Record<string, string> => Object.fromEntries(new URLSearchParams(endpoint.received[index]?.body));
const tokens = { accessToken: new Secret('access-1'), refreshToken: new Secret('refresh-1') };

test('a code is exchanged with its verifier, its redirect URI and the resource', async () => {
  endpoint.answer(token);
  const client = endpoint.client({ resource: 'https://upstream.example/mcp', tokenParameters: { audience: 'x' } });
  await exchangeCode(client, { code: new Secret('C'), redirectUri: 'https://gateway.example/connect/callback/default/github', codeVerifier: new Secret('V') });
  expect(formOf()).toEqual({
    grant_type: 'authorization_code', code: 'C', code_verifier: 'V', redirect_uri: 'https://gateway.example/connect/callback/default/github',
    resource: 'https://upstream.example/mcp', audience: 'x', client_id: 'client-1', client_secret: 'the-client-secret',
  });
});

test('a refresh says resource and scopes again; where the scopes are not wanted, once more without', async () => {
  endpoint.answer({ status: 400, body: '{"error":"invalid_scope"}' }, token);
  await refreshTokens(endpoint.client({ resource: 'https://upstream.example/mcp', scopeSeparator: ',' }), new Secret('R'), ['a', 'b']);
  expect(formOf(0)).toMatchObject({ grant_type: 'refresh_token', refresh_token: 'R', resource: 'https://upstream.example/mcp', scope: 'a,b' });
  expect(formOf(1)).not.toHaveProperty('scope');
});

test('a refresh goes where the provider takes it', async () => {
  endpoint.answer({ body: '{"access_token":"a"}' });
  await refreshTokens(endpoint.client({ refreshUrl: `${endpoint.url}/refresh` }), new Secret('r'));
  expect(endpoint.received.map(({ path }) => path)).toEqual(['/refresh']);
});

test('a JSON body for those that want one', async () => {
  endpoint.answer(token);
  await refreshTokens(endpoint.client({ tokenRequest: 'json' }), new Secret('R'));
  expect(endpoint.received[0]?.headers['content-type']).toBe('application/json');
  expect(JSON.parse(endpoint.received[0]?.body ?? '')).toEqual({ grant_type: 'refresh_token', refresh_token: 'R', client_id: 'client-1', client_secret: 'the-client-secret' });
});

test.each([
  ['ordinary-secret_1.0~', 'client-1:ordinary-secret_1.0~'],
  ['with:colon %&ü', 'client-1:with%3Acolon%20%25%26%C3%BC'],
])('basic (RFC 6749 section 2.3.1): %s', async (secret, expected) => {
  endpoint.answer(token);
  await clientCredentials(endpoint.client({ authentication: { method: 'basic', secret: new Secret(secret) } }), { scopes: ['a', 'b'], audience: 'api' });
  expect(Buffer.from(endpoint.received[0]?.headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString()).toBe(expected);
  expect(formOf()).toEqual({ grant_type: 'client_credentials', scope: 'a b', audience: 'api' });
});

test.each(['rsa', 'ec', 'ed25519'] as const)('private_key_jwt (RFC 7523 section 2.2) with a key of %s', async (type) => {
  const { privateKey } = type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const forms = [privateKey.export({ type: 'pkcs8', format: 'pem' }), JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'key-1' })];
  const { jwtVerify } = await import('jose');
  for (const [index, form] of forms.entries()) {
    endpoint.answer(token);
    await clientCredentials(endpoint.client({ issuer: 'https://issuer.example', authentication: { method: 'private-key-jwt', key: new Secret(String(form)) } }));
    const { client_assertion: assertion = '', ...rest } = formOf();
    // A provider whose clock is half a minute behind takes it.
    const currentDate = new Date(Date.now() - 25_000);
    const { payload, protectedHeader } = await jwtVerify(assertion, createPublicKey(privateKey), { issuer: 'client-1', subject: 'client-1', audience: 'https://issuer.example', currentDate });
    expect(payload.jti).toBeTruthy();
    expect(protectedHeader.kid).toBe(index === 1 ? 'key-1' : undefined);
    expect(rest).toEqual({ grant_type: 'client_credentials', client_id: 'client-1', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' });
  }
});

test('a key that is none is misconfigured, and not quoted', async () => {
  const failure: unknown = await clientCredentials(endpoint.client({ authentication: { method: 'private-key-jwt', key: new Secret('{"kty":"oct","k":"hidden"}') } })).catch((error: unknown) => error);
  expect(failure).toMatchObject({ kind: 'misconfigured' });
  expect(String(failure)).not.toContain('hidden');
});

test('RFC 7009: the refresh token, then the access token', async () => {
  endpoint.answer({});
  await revokeToken(endpoint.client({ revocation: 'rfc7009' }), tokens);
  expect([formOf(0), formOf(1)]).toMatchObject([{ token: 'refresh-1', token_type_hint: 'refresh_token', client_id: 'client-1' }, { token: 'access-1', token_type_hint: 'access_token' }]);
  expect(endpoint.received.map(({ path }) => path)).toEqual(['/revoke', '/revoke']);
});

test('GitHub: the whole grant', async () => {
  endpoint.answer({ status: 204, body: '' });
  await revokeToken(endpoint.client({ revocation: 'github', revocationUrl: `${endpoint.url}/applications/{client_id}/grant` }), tokens);
  const [request] = endpoint.received;
  expect([request?.method, request?.path, request?.body]).toEqual(['DELETE', '/applications/client-1/grant', '{"access_token":"access-1"}']);
  expect(Buffer.from(request?.headers.authorization?.slice(6) ?? '', 'base64').toString()).toBe('client-1:the-client-secret');
});

test.each([['bearer-post', 'POST'], ['bearer-delete', 'DELETE']] as const)('%s', async (revocation, method) => {
  endpoint.answer({ status: 401, body: '' });
  await revokeToken(endpoint.client({ revocation }), tokens);
  expect(endpoint.received).toMatchObject([{ method, path: '/revoke', headers: { authorization: 'Bearer access-1' } }]);
});

test.each([
  [{ status: 400, body: '{"error":"invalid_token"}' }, undefined],
  [{ status: 400, body: '{"error":"unsupported_token_type"}' }, undefined],
  [{ status: 401, body: '{"error":"invalid_client"}' }, 'misconfigured'],
  [{ status: 503, body: '' }, 'unavailable'],
  [{ reset: true }, 'unavailable'],
] as const)('RFC 7009, an answer of %j', async (answer, kind) => {
  endpoint.answer(answer);
  const failure: unknown = await revokeToken(endpoint.client({ revocation: 'rfc7009' }), tokens).catch((error: unknown) => error);
  expect(failure === undefined ? undefined : (failure as { kind: string }).kind).toBe(kind);
  expect(String(failure)).not.toContain(secretsOfSpec.refresh);
});

test('nothing is sent where nothing can be', async () => {
  endpoint.answer({});
  await revokeToken(endpoint.client(), tokens);
  expect(endpoint.received).toEqual([]);
});

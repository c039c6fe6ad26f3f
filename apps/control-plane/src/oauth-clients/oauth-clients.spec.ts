import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { authorizationRequest, authorize, codeGrant, codeOf, type RegisteredAgent, useAgents } from '../spec-support/use-agents.ts';

const fixture = useAgents({ GATEHOUSE_OAUTH_DYNAMIC_REGISTRATION: 'false' });
const path = '/v1/oauth-clients';
const redirectUri = 'https://client.example/callback';
const create = (body: Record<string, unknown>) => fixture.plane.send<Record<string, unknown>>('POST', path, { body: { name: 'Desk', redirectUris: [redirectUri], ...body } });
const list = async (query = '') => (await fixture.plane.send<{ items: Record<string, unknown>[]; nextCursor?: string }>('GET', `${path}${query}`)).body;
const agentOf = ({ clientId, clientSecret }: Record<string, unknown>): RegisteredAgent => ({ clientId: String(clientId), clientSecret: clientSecret as string | undefined, redirectUri });

test('one with a secret: people are told who stands for it, it gets tokens, and its deletion logs them out', async () => {
  const { status, body } = await create({ authentication: 'secret' });
  expect([status, body]).toMatchObject([201, { name: 'Desk', redirectUris: [redirectUri], authentication: 'secret', registration: 'administrator', expiresAt: null, clientSecret: expect.any(String) as string }]);
  const agent = agentOf(body);
  const request = authorizationRequest(agent);
  const browser = fixture.browser();
  const page = await browser.open(request.url);
  expect(page.text).toContain('Whoever administers this gateway has registered');
  const { client_id: _id, ...grant } = codeGrant(agent, codeOf(await authorize(browser, request)), request.verifier);
  const headers = { Authorization: `Basic ${Buffer.from(`${agent.clientId}:${agent.clientSecret ?? ''}`).toString('base64')}` };
  const tokens = await fixture.post('/oauth/token', grant, { headers });
  expect([tokens.status, decodeJwt(String(tokens.body['access_token']))['client_id']]).toEqual([200, agent.clientId]);
  // It is used, and stays without an end.
  expect((await list()).items).toMatchObject([{ clientId: agent.clientId, expiresAt: null }]);
  expect(JSON.stringify(await list())).not.toContain(agent.clientSecret);
  expect((await fixture.plane.send('DELETE', `${path}/${agent.clientId}`)).status).toBe(204);
  expect((await fixture.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: String(tokens.body['refresh_token']) }, { headers })).body).toMatchObject({ error: 'invalid_client' });
  expect(await fixture.query('select from oauth_grants where client_id = $1', [agent.clientId])).toEqual([]);
  expect(await fixture.query('select from oauth_revocations')).toHaveLength(1);
  expect((await fixture.plane.send('DELETE', `${path}/${agent.clientId}`)).status).toBe(404);
});

test('public ones, and ones with keys', async () => {
  const jwks = { keys: [{ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid: 'k' }] };
  const replies = [await create({ redirectUris: ['http://127.0.0.1/callback', 'com.example.app:/callback'] }), await create({ authentication: 'keys', jwks })];
  expect(replies.map(({ status, body }) => [status, body['authentication'], 'clientSecret' in body])).toEqual([[201, 'none', false], [201, 'keys', false]]);
});

test.each<[string, Record<string, unknown>, string]>([
  ['no name', { name: ' ' }, '/name'],
  ['no redirect URI', { redirectUris: [] }, '/redirectUris'],
  ['plain http to another machine', { redirectUris: ['http://client.example/callback'] }, '/redirectUris'],
  ['a script', { redirectUris: ['javascript:alert(1)'] }, '/redirectUris'],
  ['keys without any', { authentication: 'keys' }, '/jwks'],
  ['keys that are not asked for', { jwks: { keys: [{}] } }, '/jwks'],
  ['what there is not', { scope: 'x' }, '/scope'],
])('%s is refused', async (_name, body, pointer) => {
  const { status, body: problem } = await create(body);
  expect([status, problem]).toMatchObject([422, { code: 'validation_failed', errors: [{ pointer }] }]);
});

test('they are listed in pages, by who registered them', async () => {
  await create({ name: 'One' });
  await create({ name: 'Two' });
  const first = await list('?limit=1&registration=administrator');
  const rest = await list(`?registration=administrator&cursor=${first.nextCursor ?? ''}`);
  expect(first.items).toHaveLength(1);
  expect(rest.items.map(({ clientId }) => clientId)).not.toContain(first.items[0]?.['clientId']);
  expect((await list('?registration=self')).items).toEqual([]);
  expect((await fixture.plane.send('GET', `${path}?registration=other`)).status).toBe(400);
});

import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forgedClient, type ForgingProvider, startForgingProvider } from '../../../../test/support/forging-provider.ts';
import { makeSigningKey } from '../../../../test/support/token-issuer.ts';
import { startTestControlPlane } from '../spec-support/start-test-control-plane.ts';
import { type RegisteredAgent, resourceUrl, useAgents } from '../spec-support/use-agents.ts';
import { publicOrigin } from '../spec-support/use-login.ts';

const fixture = useAgents();
const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
let enterprise: ForgingProvider;
let agent: RegisteredAgent;
let serial = 0;

type Claims = Record<string, unknown>;

/** As the organisation's provider would issue it; `undefined` leaves a claim out. */
const assertion = (claims: Claims = {}, options: Parameters<ForgingProvider['idToken']>[1] = {}) =>
  enterprise.idToken(
    { aud: publicOrigin, sub: 'carla', email: 'carla@corp.example', email_verified: true, client_id: agent.clientId, jti: `jti-${(serial += 1)}`, resource: resourceUrl('orders'), ...claims },
    { ...options, header: { typ: 'oauth-id-jag+jwt', ...options.header } },
  );
const present = (fields: Record<string, string>, { clientId, clientSecret = '' } = agent, at?: string) =>
  fixture.post('/oauth/token', { grant_type: grantType, client_id: clientId, client_secret: clientSecret, ...fields }, at === undefined ? {} : { at });

beforeAll(async () => {
  enterprise = await startForgingProvider();
  const { status, text } = await fixture.plane.send('POST', '/v1/identity-providers', {
    body: { name: 'enterprise', title: 'Enterprise', issuer: enterprise.issuer, clientId: forgedClient.clientId, clientSecret: forgedClient.clientSecret },
  });
  if (status !== 201) throw new Error(text);
  agent = await fixture.register({ token_endpoint_auth_method: 'client_secret_post' });
  await fixture.addServer('scoped', { agentAuth: { type: 'interactive', scopes: ['orders:read', 'orders:write'] } });
  await fixture.addServer('for-corp', { agentAuth: { type: 'interactive', identityProvider: 'corp' } });
  await fixture.addServer('for-sales', { access: { allow: [{ group: 'sales' }] } });
});
afterAll(() => enterprise.close());

test('the metadata says that there is it', async () => {
  const { body } = await fixture.plane.send('GET', '/.well-known/oauth-authorization-server', { authorization: undefined });
  expect(body).toMatchObject({
    grant_types_supported: expect.arrayContaining([grantType]) as string[],
    authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
  });
});

test('an assertion of the organisation’s provider gives a token for its person, its client and its server, and no refresh token', async () => {
  const { status, headers, body } = await present({ assertion: await assertion() });
  expect([status, headers.get('cache-control'), body]).toEqual([200, 'no-store', { access_token: expect.any(String) as string, expires_in: 300, token_type: 'Bearer', scope: 'mcp' }]);
  const [person] = await fixture.query<{ id: string; provider: string; email: string }>(`select id, provider, email from people where subject = 'carla'`);
  expect(person).toMatchObject({ provider: 'enterprise', email: 'carla@corp.example' });
  expect(decodeJwt(String(body['access_token']))).toMatchObject({ iss: publicOrigin, aud: resourceUrl('orders'), sub: person?.id, client_id: agent.clientId, idp: 'enterprise', scope: 'mcp' });
});

test('what it gives can be seen and taken back, as one grant however often it is asked for', async () => {
  const grants = await Promise.all([1, 2].map(async () => decodeJwt(String((await present({ assertion: await assertion({ sub: 'dora' }) })).body['access_token']))['grant']));
  const { body } = await present({ assertion: await assertion({ sub: 'dora' }) });
  const claims = decodeJwt(String(body['access_token']));
  expect(grants).toContain(claims['grant']);
  expect((await fixture.plane.send('DELETE', `/v1/users/${claims.sub}/grants/${String(claims['grant'])}`)).status).toBe(204);
  expect(await fixture.query('select from oauth_revocations where grant_id = $1', [claims['grant']])).toHaveLength(1);
});

describe('each counts once', () => {
  test('one after the other, at once, and at another replica', async () => {
    const once = await assertion();
    expect((await present({ assertion: once })).status).toBe(200);
    expect((await present({ assertion: once })).body).toMatchObject({ error: 'invalid_grant' });
    const plane = await startTestControlPlane({ environment: fixture.plane.environment });
    expect((await present({ assertion: once }, agent, plane.url)).body).toMatchObject({ error: 'invalid_grant' });
    const another = await assertion();
    const replies = await Promise.all([undefined, plane.url, undefined, plane.url].map((at) => present({ assertion: another }, agent, at)));
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 400, 400, 400]);
    await plane.close();
  });

  test('a mistake in the request does not use it up', async () => {
    const kept = await assertion();
    expect((await present({ assertion: kept, resource: resourceUrl('scoped') })).body).toMatchObject({ error: 'invalid_target' });
    expect((await present({ assertion: kept })).status).toBe(200);
  });
});

describe('everything has to be as it should be', () => {
  const now = Math.floor(Date.now() / 1_000);
  test.each<[string, () => Promise<string>]>([
    ['for another authorization server', () => assertion({ aud: 'https://elsewhere.example' })],
    ['for several', () => assertion({ aud: [publicOrigin, 'https://elsewhere.example'] })],
    ['for another client', () => assertion({ client_id: 'somebody-else' })],
    ['for no client', () => assertion({ client_id: undefined })],
    ['of another issuer', () => assertion({ iss: 'https://elsewhere.example' })],
    ['without a name of its own', () => assertion({ jti: undefined })],
    ['without a subject', () => assertion({ sub: undefined })],
    ['over', () => assertion({ iat: now - 700, exp: now - 100 })],
    ['without an end', () => assertion({ exp: undefined })],
    ['for very long', () => assertion({ iat: now, exp: now + 86_400 })],
    ['not yet valid', () => assertion({ nbf: now + 600 })],
    ['an ID token', () => assertion({}, { header: { typ: 'JWT' } })],
    ['an access token', () => assertion({}, { header: { typ: 'at+jwt' } })],
    ['of no type', () => assertion({}, { header: { typ: undefined } })],
    ['signed by somebody else', async () => assertion({}, { key: { ...(await makeSigningKey('RS256', 'forger-1')) } })],
    ['for more than is understood', () => assertion({ authorization_details: [{ type: 'orders' }] })],
    ['not signed', async () => (await assertion()).replace(/[^.]+$/, '')],
    ['no assertion', () => Promise.resolve('nonsense')],
    ['nothing', () => Promise.resolve('')],
  ])('%s: invalid_grant', async (_name, made) => {
    const { status, body } = await present({ assertion: await made() });
    expect([status, body]).toMatchObject([400, { error: 'invalid_grant' }]);
  });

  test('a client that does not authenticate has no use of it', async () => {
    const open = await fixture.register();
    const { status, body } = await present({ assertion: await assertion({ client_id: open.clientId }), client_secret: '' }, open);
    expect([status, body]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  test('somebody who is disabled gets nothing', async () => {
    await fixture.query(`update people set disabled = true where subject = 'carla'`);
    expect((await present({ assertion: await assertion() })).body).toMatchObject({ error: 'invalid_grant' });
    await fixture.query(`update people set disabled = false where subject = 'carla'`);
  });

  test('it opens nothing of the REST API', async () => {
    expect((await fixture.plane.send('GET', '/v1/me', { authorization: `Bearer ${await assertion()}` })).status).toBe(401);
  });
});

describe('what it is for', () => {
  test.each<[string, Claims, Record<string, string>, string]>([
    ['a server that is not there', { resource: resourceUrl('nowhere') }, {}, 'invalid_target'],
    ['another server than the assertion names', { resource: resourceUrl('orders') }, { resource: resourceUrl('scoped') }, 'invalid_target'],
    ['none, and there are several', { resource: undefined }, {}, 'invalid_target'],
    ['several', { resource: [resourceUrl('orders'), resourceUrl('scoped')] }, {}, 'invalid_target'],
    ['a server for people of another provider', { resource: resourceUrl('for-corp') }, {}, 'invalid_grant'],
    ['a server for others', { resource: resourceUrl('for-sales') }, {}, 'invalid_grant'],
  ])('%s: refused', async (_name, claims, fields, error) => {
    expect((await present({ assertion: await assertion(claims), ...fields })).body).toMatchObject({ error });
  });

  test.each<[string, Claims, Record<string, string>, string]>([
    ['all scopes where nothing is said', {}, {}, 'mcp orders:read orders:write'],
    ['those of the assertion', { scope: 'orders:read admin' }, {}, 'mcp orders:read'],
    ['those of the request, as far as the assertion goes', { scope: 'orders:read' }, { scope: 'orders:read orders:write' }, 'mcp orders:read'],
  ])('%s', async (_name, claims, fields, scope) => {
    const { body } = await present({ assertion: await assertion({ resource: resourceUrl('scoped'), ...claims }), ...fields });
    expect([body['scope'], decodeJwt(String(body['access_token']))['scope']]).toEqual([scope, scope]);
  });
});

test('while the provider’s keys cannot be fetched, the client is told to come back', async () => {
  const plane = await startTestControlPlane({ environment: fixture.plane.environment });
  const made = await assertion();
  enterprise.answerAll((_request, response) => void response.destroy());
  const { status, body } = await present({ assertion: made }, agent, plane.url);
  expect([status, body]).toMatchObject([503, { error: 'temporarily_unavailable' }]);
  enterprise.answerAll();
  await plane.close();
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ForgingProvider, forgedClient, startForgingProvider } from '../../../../test/support/forging-provider.ts';
import { makeSigningKey } from '../../../../test/support/token-issuer.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const controlPlaneUrl = 'https://gatehouse.example';
const fixture = useControlPlane({ GATEHOUSE_CONTROL_PLANE_URL: controlPlaneUrl, GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback' });
let provider: ForgingProvider;

beforeAll(async () => {
  provider = await startForgingProvider();
  const body = { name: 'corp', issuer: provider.issuer, ...forgedClient, roles: { editor: ['platform'] }, requiredClaims: { tenant: 'one' }, apiAudiences: ['api://gatehouse'] };
  expect((await fixture.plane.send('POST', '/v1/identity-providers', { body })).status).toBe(201);
});
afterAll(() => provider?.close());

type TokenClaims = Parameters<ForgingProvider['idToken']>;
const me = (token: string) => fixture.plane.send<{ role: string; groups: string[]; name: string; id: string }>('GET', '/v1/me', { authorization: `Bearer ${token}` });
const tokenOf = (claims: TokenClaims[0] = {}, options?: TokenClaims[1]) => provider.idToken({ aud: controlPlaneUrl, tenant: 'one', name: 'Ana', groups: ['platform'], ...claims }, options);

test('a token of a configured provider is its person, with the roles of its groups', async () => {
  const { status, body } = await me(await tokenOf());
  expect([status, body]).toMatchObject([200, { kind: 'person', name: 'Ana', provider: 'corp', role: 'editor', groups: ['platform'] }]);
  expect((await me(await tokenOf())).body.id).toBe(body.id);
});

test('no cookie is in play: changes need no CSRF header', async () => {
  const authorization = `Bearer ${await tokenOf()}`;
  const reply = await fixture.plane.send('POST', '/v1/workspaces/default/service-accounts', { authorization, body: { name: 'nightly' } });
  expect(reply.status).toBe(201);
  const { body } = await fixture.plane.send<{ items: { actor: string; actorName: string }[] }>('GET', '/v1/audit-events?limit=1');
  expect(body.items[0]).toMatchObject({ actor: expect.stringMatching(/^person:[0-9a-f-]{36}$/) as string, actorName: 'Ana' });
  expect((await fixture.plane.send('GET', '/v1/audit-events/verification')).body).toMatchObject({ intact: true });
});

test('the provider’s document names further audiences', async () => {
  expect((await me(await tokenOf({ aud: 'api://gatehouse' }))).status).toBe(200);
});

test('of several audiences, only to the gateway’s own client (OpenID Connect Core section 3.1.3.7)', async () => {
  expect((await me(await tokenOf({ aud: ['another', controlPlaneUrl], azp: forgedClient.clientId }))).status).toBe(200);
});

test('roles are the token’s, not those of an earlier one', async () => {
  expect((await me(await tokenOf({ groups: undefined }))).body.role).toBe('member');
});

describe('is refused', () => {
  const cases: readonly [string, () => Promise<string>][] = [
    ['another audience', () => tokenOf({ aud: 'another-client' })],
    ['for the client that people log in with, as ID tokens are', () => tokenOf({ aud: forgedClient.clientId })],
    ['an ID token, by its nonce', () => tokenOf({ nonce: 'n' })],
    ['an ID token, by the hash of its access token', () => tokenOf({ at_hash: 'h' })],
    ['an ID token, by the hash of its code', () => tokenOf({ c_hash: 'h' })],
    ['for several audiences, to nobody in particular', () => tokenOf({ aud: ['another', controlPlaneUrl] })],
    ['for several audiences, to another client', () => tokenOf({ aud: ['another', controlPlaneUrl], azp: 'another' })],
    ['an ID token for an audience of the document', () => tokenOf({ aud: 'api://gatehouse', nonce: 'n' })],
    ['no audience', () => tokenOf({ aud: undefined })],
    ['an issuer that is not configured', () => tokenOf({ iss: 'https://another.example' })],
    ['no issuer', () => tokenOf({ iss: undefined })],
    ['expired', () => tokenOf({ exp: Math.floor(Date.now() / 1000) - 60 })],
    ['no expiry', () => tokenOf({ exp: undefined })],
    ['not valid yet', () => tokenOf({ nbf: Math.floor(Date.now() / 1000) + 600 })],
    ['no subject', () => tokenOf({ sub: undefined })],
    ['a subject that nobody could be known by', () => tokenOf({ sub: 'x'.repeat(256) })],
    ['another key under the same name', async () => tokenOf({}, { key: await makeSigningKey('RS256', 'forger-1') })],
    ['not signed', async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await tokenOf()).split('.')[1]}.`],
    ['a logout token', () => tokenOf({}, { header: { typ: 'logout+jwt' } })],
    ['another value of a required claim', () => tokenOf({ tenant: 'two' })],
    ['a required claim is missing', () => tokenOf({ tenant: undefined })],
    ['three parts of nothing', () => Promise.resolve('a.b.c')],
    ['an issuer with NUL', () => tokenOf({ iss: 'x\0' })],
  ];

  test.each(cases)('%s', async (_why, make) => {
    const reply = await me(await make());
    expect([reply.status, reply.body]).toMatchObject([401, { code: 'unauthenticated' }]);
  });

  test('of someone who is disabled', async () => {
    const { body } = await me(await tokenOf({ sub: 'carl', name: 'Carl' }));
    await fixture.plane.send('PATCH', `/v1/users/${body.id}`, { body: { disabled: true }, headers: { 'If-Match': '*' } });
    expect((await me(await tokenOf({ sub: 'carl', name: 'Carl' }))).status).toBe(401);
  });

  test('while the provider is switched off', async () => {
    const headers = { 'If-Match': '*' };
    await fixture.plane.send('PATCH', '/v1/identity-providers/corp', { body: { enabled: false }, headers });
    expect((await me(await tokenOf())).status).toBe(401);
    await fixture.plane.send('PATCH', '/v1/identity-providers/corp', { body: { enabled: true }, headers });
    expect((await me(await tokenOf())).status).toBe(200);
  });
});

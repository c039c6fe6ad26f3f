import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { ReadableServer } from '@gatehouse/gateway-config';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type IdentityProvider, startIdentityProvider } from '../../../../../test/support/identity-provider.ts';
import { connectOrigin, useConnections } from '../../spec-support/use-connections.ts';
import { providerDocument } from '../../spec-support/use-login.ts';
import { sampleServer } from '../../spec-support/sample-server.ts';

const fixture = useConnections();
const servers = '/v1/workspaces/default/servers';
let corp: IdentityProvider;
let partner: IdentityProvider;
beforeAll(async () => {
  [corp, partner] = await Promise.all([start('corp'), start('partner')]);
});
afterAll(() => Promise.all([corp?.close(), partner?.close()]));
beforeEach(async () => {
  await fixture.query('delete from connections; delete from people; delete from servers');
});

async function start(name: string): Promise<IdentityProvider> {
  const provider = await startIdentityProvider({ redirectUris: [`${connectOrigin}/login/callback/${name}`], people: [] });
  const { status, text } = await fixture.plane.send('POST', '/v1/identity-providers', { body: providerDocument(provider, { name }) });
  expect(status, text).toBe(201);
  return provider;
}

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'own', alg: 'ES256' }] };
const appAuth = { type: 'oauth-authorization-code', app: 'acme' };
const published = async ({ issuer }: IdentityProvider): Promise<string> => ((await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as { jwks_uri: string }).jwks_uri;
const goodJwt = async () => ({ jwksUrl: await published(corp), issuer: corp.issuer, audience: 'tickets' });

async function save(agentAuth: object): Promise<ReadableServer> {
  const { status, text, body } = await fixture.plane.send<ReadableServer>('POST', servers, { body: sampleServer(`tickets-${randomUUID().slice(0, 8)}`, { agentAuth, appAuth }) });
  expect(status, text).toBe(201);
  return body;
}
const saveJwt = (jwt: object): Promise<ReadableServer> => save({ type: 'passthrough', jwt });

/** Ana, who has logged in at a provider and connected. */
async function ana(provider = 'corp', issuer = corp.issuer): Promise<{ id: string; accessToken: string }> {
  const id = randomUUID();
  await fixture.query(`insert into people (id, provider, issuer, subject, name) values ($1, $2, $3, 'ana', 'Ana')`, [id, provider, issuer]);
  return { id, accessToken: (await fixture.connect({ person: id })).accessToken };
}
const ask = async ({ id }: ReadableServer, issuer = corp.issuer) => (await fixture.ask({ server: id, subject: { issuer, subject: 'ana' } })).body;
const needsPerson = ({ warnings }: ReadableServer) => warnings.some(({ code }) => code === 'connection_needs_person');

test('whom a token is about is the person who logs in at its issuer, where the server checks it with what that publishes', async () => {
  const { id, accessToken } = await ana();
  const server = await saveJwt(await goodJwt());
  expect([await ask(server), needsPerson(server)]).toMatchObject([{ status: 'token', accessToken, person: id }, false]);
});

test('and is asked to connect like anybody else', async () => {
  await ana();
  await fixture.query('delete from connections');
  expect(await ask(await saveJwt(await goodJwt()))).toMatchObject({ status: 'connect_required' });
});

describe('nobody’s token is given, and saving warns, where', () => {
  test.each<[string, () => object | Promise<object>]>([
    ['the keys are of whoever wrote the document', () => ({ jwks, issuer: corp.issuer, audience: 'tickets' })],
    ['the keys are at a URL of whoever wrote the document', async () => ({ ...(await goodJwt()), jwksUrl: 'http://127.0.0.1:9/jwks' })],
    ['the keys are of another registered provider', async () => ({ ...(await goodJwt()), jwksUrl: await published(partner) })],
    ['a URL is only like that of the keys', async () => ({ ...(await goodJwt()), jwksUrl: `${await published(corp)}?of=evil` })],
    ['no audience is named', async () => ({ ...(await goodJwt()), audience: undefined })],
    ['no issuer is named', async () => ({ ...(await goodJwt()), issuer: undefined })],
    ['another issuer is named', async () => ({ ...(await goodJwt()), issuer: 'https://login.example' })],
  ])('%s', async (_what, jwtOf) => {
    await ana();
    const server = await saveJwt(await jwtOf());
    expect([await ask(server), needsPerson(server)]).toEqual([{ status: 'no_person' }, true]);
  });

  test('callers have other credentials than tokens', async () => {
    await ana();
    for (const type of ['api-key', 'passthrough', 'interactive']) expect([type, await ask(await save({ type }))]).toEqual([type, { status: 'no_person' }]);
  });

  test('a provider has been switched off since', async () => {
    await ana();
    const server = await saveJwt(await goodJwt());
    const enable = (enabled: boolean) => fixture.plane.send('PATCH', '/v1/identity-providers/corp', { body: { enabled }, headers: { 'If-Match': '*' } });
    expect((await enable(false)).status).toBe(200);
    expect(await ask(server)).toEqual({ status: 'no_person' });
    await enable(true);
  });

  test('people are known by another claim than the one that tokens are read by', async () => {
    await ana();
    const claim = (subject: string | null) => fixture.plane.send('PATCH', '/v1/identity-providers/corp', { body: { claims: { subject } }, headers: { 'If-Match': '*' } });
    expect((await claim('employee_id')).status).toBe(200);
    const server = await saveJwt(await goodJwt());
    expect([await ask(server), needsPerson(server)]).toEqual([{ status: 'no_person' }, true]);
    await claim(null);
  });
});

test('saving warns of credentials that each caller enters as well', async () => {
  const outboundHeaders = [{ name: 'X-Key', source: { type: 'credential', name: 'tracker', scope: 'user' } }];
  const withJwt = async (jwt: object): Promise<boolean> => {
    const body = sampleServer(`tracker-${randomUUID().slice(0, 8)}`, { agentAuth: { type: 'passthrough', jwt }, outboundHeaders });
    return needsPerson((await fixture.plane.send<ReadableServer>('POST', servers, { body })).body);
  };
  expect([await withJwt(await goodJwt()), await withJwt({ ...(await goodJwt()), jwksUrl: await published(partner) })]).toEqual([false, true]);
});

test('accounts of the gateway’s own have no issuer: no token is about them', async () => {
  await ana('local', 'local');
  expect(await ask(await saveJwt({ jwks, issuer: 'local', audience: 'tickets' }), 'local')).toEqual({ status: 'no_person' });
});

test('one of several issuers: each for its own people, by its own keys', async () => {
  const { accessToken } = await ana();
  await fixture.query(`insert into people (id, provider, issuer, subject, name) values ($1, 'partner', $2, 'ana', 'Another Ana')`, [randomUUID(), partner.issuer]);
  const server = await saveJwt({ ...(await goodJwt()), issuer: [partner.issuer, corp.issuer] });
  expect(needsPerson(server)).toBe(false);
  expect([await ask(server), await ask(server, partner.issuer)]).toMatchObject([{ accessToken }, { status: 'no_person' }]);
});

test('a provider that cannot say which keys are its own is unavailable; it recovers', async () => {
  const away = await start('away');
  const { accessToken } = await ana('away', away.issuer);
  const jwksUrl = await published(away);
  away.goAway();
  const server = await saveJwt({ jwksUrl, issuer: away.issuer, audience: 'tickets' });
  expect([await ask(server, away.issuer), needsPerson(server)]).toEqual([{ status: 'provider_unavailable' }, false]);
  away.goAway(false);
  expect(await ask(server, away.issuer)).toMatchObject({ status: 'token', accessToken });
  await away.close();
});

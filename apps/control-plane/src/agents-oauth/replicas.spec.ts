import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { TestBrowser } from '../../../../test/support/test-browser.ts';
import { startTestControlPlane, type TestControlPlane } from '../spec-support/start-test-control-plane.ts';
import { authorizationRequest, authorize, clientOrigins, codeGrant, codeOf, useAgents } from '../spec-support/use-agents.ts';
import { publicOrigin } from '../spec-support/use-login.ts';

const fixture = useAgents();

/** A browser whose requests to the gateway go to whatever `choose` says at the moment. */
const browserOver = (choose: () => TestControlPlane) =>
  new TestBrowser({ servers: { [publicOrigin]: () => choose().url, ...Object.fromEntries(clientOrigins.map((origin) => [origin, () => choose().url])) } });

describe('several control planes', () => {
  let second: TestControlPlane;
  beforeAll(async () => {
    second = await startTestControlPlane({ environment: fixture.plane.environment, channel: createMemoryChannel() });
  });
  afterAll(() => second.close());

  test('every step of a flow may be another one’s', async () => {
    const planes = [fixture.plane, second];
    let turn = 0;
    const next = (): TestControlPlane => planes[(turn += 1) % 2] ?? fixture.plane;
    const agent = await fixture.register();
    for (const start of [0, 1]) {
      turn = start;
      const request = authorizationRequest(agent, { prompt: 'consent' });
      const page = await authorize(browserOver(next), request);
      const { status, body } = await fixture.post('/oauth/token', codeGrant(agent, codeOf(page), request.verifier), { at: next().url });
      expect(status).toBe(200);
      const refresh = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']), client_id: agent.clientId };
      expect((await fixture.post('/oauth/token', refresh, { at: next().url })).status).toBe(200);
    }
  });

  test('a code or a refresh token that is used at both is used twice', async () => {
    const agent = await fixture.register();
    const request = authorizationRequest(agent);
    const grant = codeGrant(agent, codeOf(await authorize(fixture.browser(), request)), request.verifier);
    expect((await fixture.post('/oauth/token', grant)).status).toBe(200);
    expect((await fixture.post('/oauth/token', grant, { at: second.url })).body).toMatchObject({ error: 'invalid_grant' });
  });

  test('keys that another one made are used, and accepted, at both', async () => {
    const keys = async (at: string) => (await (await fetch(new URL('/oauth/jwks', at))).json());
    expect(await keys(second.url)).toEqual(await keys(fixture.plane.url));
  });
});

test('one that goes away in the middle of a flow takes nothing along: another one goes on at each step', async () => {
  const agent = await fixture.register();
  let plane = await startTestControlPlane({ environment: fixture.plane.environment, channel: createMemoryChannel() });
  const replace = async () => {
    await plane.close();
    plane = await startTestControlPlane({ environment: fixture.plane.environment, channel: createMemoryChannel() });
  };
  const browser = browserOver(() => plane);
  const request = authorizationRequest(agent);
  const consent = await browser.open(request.url);
  await replace();
  const login = await browser.submit(consent, { decision: 'allow' });
  await replace();
  const page = await browser.submit(login, { login: 'ana' });
  await replace();
  const { status, body } = await fixture.post('/oauth/token', codeGrant(agent, codeOf(page), request.verifier), { at: plane.url });
  expect(status).toBe(200);
  await replace();
  const refresh = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']), client_id: agent.clientId };
  expect((await fixture.post('/oauth/token', refresh, { at: plane.url })).status).toBe(200);
  await plane.close();
});

describe('without its database', () => {
  let line: TcpProxy;
  let plane: TestControlPlane;
  beforeAll(async () => {
    const url = new URL(fixture.databaseUrl);
    line = await startTcpProxy({ targetPort: Number(url.port) });
    url.port = String(line.port);
    plane = await startTestControlPlane({ environment: { ...fixture.plane.environment, GATEHOUSE_DATABASE_URL: url.href }, channel: createMemoryChannel() });
  });
  afterAll(async () => {
    await plane.close();
    await line.close();
  });

  test('clients are told to come back, and lose nothing; then it goes on', async () => {
    const agent = await fixture.register();
    const request = authorizationRequest(agent);
    const page = await authorize(fixture.browser(), request);
    const { body } = await fixture.post('/oauth/token', codeGrant(agent, codeOf(page), request.verifier), { at: plane.url });
    const refresh = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']), client_id: agent.clientId };
    await line.set({ mode: 'down' });
    const refused = await fixture.post('/oauth/token', refresh, { at: plane.url });
    expect([refused.status, refused.body, refused.headers.get('retry-after')]).toMatchObject([503, { error: 'temporarily_unavailable' }, '5']);
    const authorizing = await browserOver(() => plane).open(request.url);
    expect([authorizing.status, authorizing.text]).toEqual([503, expect.stringContaining('temporarily_unavailable')]);
    // What needs no database goes on: its keys and where everything is.
    expect((await fetch(new URL('/oauth/jwks', plane.url))).status).toBe(200);
    await line.set({ mode: 'up' });
    expect((await fixture.post('/oauth/token', refresh, { at: plane.url })).status).toBe(200);
  });
});

test('addresses are those that are configured, whatever a request says of its host', async () => {
  const headers = { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http', Forwarded: 'host=evil.example' };
  const metadata = await fixture.plane.send('GET', '/.well-known/oauth-authorization-server', { authorization: undefined, headers });
  expect(metadata.text).not.toContain('evil.example');
  expect(metadata.text).not.toContain('"http://');
  const { url } = authorizationRequest(await fixture.register());
  const reply = await fetch(new URL(url.pathname + url.search, fixture.plane.url), { headers, redirect: 'manual' });
  expect([reply.status, reply.headers.get('location')]).toEqual([303, expect.stringMatching(/^\/oauth\/interaction\//)]);
  expect(reply.headers.getSetCookie().every((line) => line.includes('secure'))).toBe(true);
});

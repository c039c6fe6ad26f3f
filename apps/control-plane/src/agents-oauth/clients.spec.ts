import { randomUUID } from 'node:crypto';
import { createServer as createHttpsServer, type Server } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSignedCertificate } from '../../../../libs/egress/src/testing/self-signed-certificate.ts';
import { closeHttpServer, listenOnLoopback } from '../../../../test/support/listen.ts';
import { TestBrowser } from '../../../../test/support/test-browser.ts';
import { startTestControlPlane } from '../spec-support/start-test-control-plane.ts';
import { stateKey } from './oauth-state.service.ts';
import { authorizationRequest, authorize, codeGrant, codeOf, connected, type RegisteredAgent, type Tokens, useAgents } from '../spec-support/use-agents.ts';
import { publicOrigin } from '../spec-support/use-login.ts';

const fixture = useAgents({ GATEHOUSE_OAUTH_CLIENT_ALLOWED_RANGES: 'loopback' });
const register = (body: unknown, headers: Record<string, string> = {}) =>
  fixture.plane.send<Record<string, unknown>>('POST', '/oauth/register', { body, authorization: undefined, headers });
const callback = 'https://client.example/callback';

describe('RFC 7591: clients that register themselves', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['the MCP SDK', { client_name: 'x', redirect_uris: ['http://localhost:5555/callback'], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none', scope: 'mcp orders:read', client_uri: 'https://x.example' }, { application_type: 'native', token_endpoint_auth_method: 'none' }],
    ['one with a scheme of its own, as Cursor', { redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback'], token_endpoint_auth_method: 'none' }, { application_type: 'native' }],
    ['one for several places, as VS Code', { redirect_uris: ['https://vscode.dev/redirect', 'http://127.0.0.1/', 'http://127.0.0.1:33418/'], grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'], token_endpoint_auth_method: 'none', application_type: 'native' }, { application_type: 'native', grant_types: ['authorization_code', 'refresh_token'] }],
    ['one on the web, with a secret', { redirect_uris: [callback] }, { application_type: 'web', token_endpoint_auth_method: 'client_secret_basic', client_secret: expect.any(String), grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'] }],
    ['one that wants more than there is', { redirect_uris: [callback], token_endpoint_auth_method: 'none', grant_types: ['implicit', 'password'], response_types: ['code', 'token'], default_max_age: 60, require_auth_time: true, id_token_signed_response_alg: 'RS256', subject_type: 'pairwise', sector_identifier_uri: 'https://10.0.0.1/' }, { response_types: ['code'], grant_types: ['authorization_code', 'refresh_token'] }],
  ])('%s', async (_name, metadata, answer) => {
    const { status, headers, body } = await register(metadata);
    expect([status, body, headers.get('cache-control')]).toMatchObject([201, { client_id: expect.any(String) as string, client_id_issued_at: expect.any(Number) as number, redirect_uris: metadata['redirect_uris'], ...answer }, 'no-store']);
    for (const left of ['scope', 'sector_identifier_uri', 'registration_access_token', 'default_max_age']) expect(body).not.toHaveProperty(left);
  });

  test.each<[string, unknown, string]>([
    ['no redirect URI', { token_endpoint_auth_method: 'none' }, 'invalid_redirect_uri'],
    ['plain http to another machine', { redirect_uris: ['http://client.example/callback'] }, 'invalid_redirect_uri'],
    ['one of several that is', { redirect_uris: [callback, 'http://10.0.0.1/callback'] }, 'invalid_redirect_uri'],
    ['a script', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['data', { redirect_uris: ['data:text/html,x'] }, 'invalid_redirect_uri'],
    ['a fragment', { redirect_uris: [`${callback}#x`] }, 'invalid_redirect_uri'],
    ['credentials', { redirect_uris: ['https://a:b@client.example/callback'] }, 'invalid_redirect_uri'],
    ['no URL', { redirect_uris: ['callback'] }, 'invalid_redirect_uri'],
    ['too many', { redirect_uris: Array.from({ length: 11 }, (_, index) => `https://client.example/${index}`) }, 'invalid_redirect_uri'],
    ['a very long one', { redirect_uris: [`https://client.example/${'x'.repeat(2_048)}`] }, 'invalid_redirect_uri'],
    ['redirect URIs that are no list', { redirect_uris: callback }, 'invalid_redirect_uri'],
    ['redirect URIs that are no text', { redirect_uris: [{}] }, 'invalid_redirect_uri'],
    ['a very long name', { redirect_uris: [callback], client_name: 'x'.repeat(513) }, 'invalid_client_metadata'],
    ['a name that is no text', { redirect_uris: [callback], client_name: { en: 'x' } }, 'invalid_client_metadata'],
    ['no way to authenticate', { redirect_uris: [callback], token_endpoint_auth_method: 'tls_client_auth' }, 'invalid_client_metadata'],
    ['no object', [callback], 'invalid_request'],
    ['no JSON', 'redirect_uris=x', 'invalid_request'],
  ])('%s is refused', async (_name, metadata, error) => {
    const { status, body } = await register(metadata);
    expect([status, body]).toMatchObject([400, { error }]);
  });

  test('all of it together is bounded', async () => {
    const redirect_uris = Array.from({ length: 5 }, (_, index) => `https://client.example/${index}${'x'.repeat(1_700)}`);
    expect((await register({ redirect_uris, token_endpoint_auth_method: 'none' })).body).toMatchObject({ error: 'invalid_client_metadata' });
    expect((await register({ redirect_uris: redirect_uris.slice(1), token_endpoint_auth_method: 'none' })).status).toBe(201);
  });

  test('a client that nobody allows anything is forgotten after a day; one that somebody does, later', async () => {
    const [unused, used] = [await fixture.register(), await fixture.register()];
    const daysOf = async ({ clientId }: RegisteredAgent) =>
      Number((await fixture.query<{ days: string }>(`select extract(epoch from expires_at - now()) / 86400 as days from oauth_state where model = 'Client' and id_hash = $1`, [stateKey('Client', clientId).idHash]))[0]?.days);
    expect(Math.round(await daysOf(unused))).toBe(1);
    await authorize(fixture.browser(), authorizationRequest(used));
    expect(Math.round(await daysOf(used))).toBe(90);
  });

  test('so many that nobody uses, and no more; who is used counts no more', async () => {
    await fixture.query(`delete from oauth_state where model = 'Client'`);
    const plane = await startTestControlPlane({ environment: { ...fixture.plane.environment, GATEHOUSE_OAUTH_MAX_UNUSED_CLIENTS: '2' } });
    const registerThere = () => plane.send<Record<string, unknown>>('POST', '/oauth/register', { body: { redirect_uris: [callback], token_endpoint_auth_method: 'none' }, authorization: undefined });
    const { body } = await registerThere();
    expect((await registerThere()).status).toBe(201);
    const refused = await registerThere();
    expect([refused.status, refused.body, refused.headers.get('retry-after')]).toMatchObject([503, { error: 'temporarily_unavailable', error_description: expect.stringMatching(/too many clients/) as string }, expect.any(String)]);
    await authorize(fixture.browser(), authorizationRequest({ clientId: String(body['client_id']), clientSecret: undefined, redirectUri: callback }));
    expect((await registerThere()).status).toBe(201);
    await plane.close();
  });

  test('not at all where that is switched off; those that are registered stay', async () => {
    const agent = await fixture.register();
    const plane = await startTestControlPlane({ environment: { ...fixture.plane.environment, GATEHOUSE_OAUTH_DYNAMIC_REGISTRATION: 'false' } });
    for (const path of ['/oauth/register', '/register']) expect((await plane.send('POST', path, { body: { redirect_uris: [callback] }, authorization: undefined })).status).toBe(404);
    const metadata = (await plane.send<Record<string, unknown>>('GET', '/.well-known/oauth-authorization-server', { authorization: undefined })).body;
    expect(metadata).toMatchObject({ issuer: publicOrigin, client_id_metadata_document_supported: true });
    expect(metadata).not.toHaveProperty('registration_endpoint');
    expect((await fixture.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: 'x', client_id: agent.clientId }, { at: plane.url })).body).toMatchObject({ error: 'invalid_grant' });
    await plane.close();
  });

  test('a body that is too large is refused', async () => {
    expect((await register({ redirect_uris: [callback], x: 'x'.repeat(60_000) })).status).toBe(400);
  });

  test('from a browser too', async () => {
    const preflight = await fetch(new URL('/oauth/register', fixture.plane.url), { method: 'OPTIONS', headers: { Origin: 'http://localhost:6274', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' } });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin'), preflight.headers.get('access-control-allow-headers')]).toEqual([204, '*', 'content-type']);
    expect((await register({ redirect_uris: [callback] }, { Origin: 'http://localhost:6274' })).headers.get('access-control-allow-origin')).toBe('*');
  });

  test('a page of another origin than the client’s cannot use its tokens', async () => {
    const { agent, tokens } = await connected(fixture);
    const refresh = (origin: string) => fixture.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: agent.clientId }, { headers: { Origin: origin } });
    expect((await refresh('https://evil.example')).body).toMatchObject({ error: 'invalid_request' });
    const { status, headers } = await refresh('https://client.example');
    expect([status, headers.get('access-control-allow-origin')]).toEqual([200, 'https://client.example']);
  });
});

describe('confidential clients', () => {
  const basic = ({ clientId, clientSecret = '' }: RegisteredAgent, secret = clientSecret) => ({ Authorization: `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}` });
  const flow = async (agent: RegisteredAgent) => {
    const request = authorizationRequest(agent);
    const { client_id: _clientId, ...grant } = codeGrant(agent, codeOf(await authorize(fixture.browser(), request)), request.verifier);
    return grant;
  };

  test('authenticate with their secret, and only with it', async () => {
    const agent = await fixture.register({ token_endpoint_auth_method: undefined });
    const grant = await flow(agent);
    expect((await fixture.post('/oauth/token', { ...grant, client_id: agent.clientId })).body).toMatchObject({ error: 'invalid_client' });
    const refused = await fixture.post('/oauth/token', grant, { headers: basic(agent, 'wrong') });
    expect([refused.status, refused.body, refused.headers.get('www-authenticate')]).toMatchObject([401, { error: 'invalid_client' }, expect.stringMatching(/^Basic /)]);
    expect((await fixture.post('/oauth/token', grant, { headers: basic(agent) })).status).toBe(200);
  });

  test('PKCE is not optional for them either (OAuth 2.1 section 4.1.1)', async () => {
    const agent = await fixture.register({ token_endpoint_auth_method: 'client_secret_post' });
    const { url } = await fixture.browser().open(authorizationRequest(agent, { code_challenge: undefined, code_challenge_method: undefined }).url);
    expect(url.searchParams.get('error')).toBe('invalid_request');
  });

  test('RFC 7523: an assertion authenticates once', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const agent = await fixture.register({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] } });
    const { clientId } = agent;
    const assertion = (jti: string) => new SignJWT().setProtectedHeader({ alg: 'ES256', kid: 'k' }).setIssuer(clientId).setSubject(clientId).setAudience(publicOrigin).setJti(jti).setIssuedAt().setExpirationTime('1m').sign(privateKey);
    const authentication = async (jti: string) => ({ client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: await assertion(jti) });
    const first = await authentication('one');
    const { body } = await fixture.post('/oauth/token', { ...(await flow(agent)), ...first });
    const refresh = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
    expect((await fixture.post('/oauth/token', { ...refresh, ...first })).body).toMatchObject({ error: 'invalid_client' });
    const second = await authentication('two');
    const replies = await Promise.all([1, 2, 3, 4].map(() => fixture.post('/oauth/introspect', { token: 'x', ...second })));
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401]);
  });
});

describe('client ID metadata documents', () => {
  const { key, cert } = selfSignedCertificate();
  let site: Server;
  let siteUrl = '';
  let answer: { status: number; body: unknown } = { status: 200, body: {} };
  let requests: string[] = [];
  const clientId = (): string => `${siteUrl}/agent.json`;
  const document = (overrides: Record<string, unknown> = {}) => ({
    client_id: clientId(), client_name: 'Published', redirect_uris: [callback], token_endpoint_auth_method: 'none', ...overrides,
  });
  const published = (): RegisteredAgent => ({ clientId: clientId(), clientSecret: undefined, redirectUri: callback });

  beforeAll(() => {
    setDefaultCACertificates([...getCACertificates('default'), cert]);
    site = createHttpsServer({ key, cert }, (request, response) => {
      requests.push(`${request.method} ${request.url}`);
      response.writeHead(answer.status, { 'Content-Type': 'application/json', ...(answer.status === 302 && { Location: '/elsewhere.json' }) }).end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
  });
  afterAll(() => closeHttpServer(site));
  beforeAll(async () => {
    siteUrl = `https://localhost:${await listenOnLoopback(site)}`;
  });

  /** Another control plane on the same database, which knows no document yet. */
  async function freshPlane<T>(run: (browser: TestBrowser, at: string) => Promise<T>, settings: Record<string, string> = {}): Promise<T> {
    const plane = await startTestControlPlane({ environment: { ...fixture.plane.environment, ...settings } });
    try {
      return await run(new TestBrowser({ servers: { [publicOrigin]: () => plane.url, 'https://client.example': () => plane.url } }), plane.url);
    } finally {
      await plane.close();
    }
  }

  test('a client with a URL for a name connects without having registered; the page says where it is from', async () => {
    answer = { status: 200, body: document({ logo_uri: 'https://evil.example/logo.png', scope: 'mcp' }) };
    await freshPlane(async (browser, at) => {
      const request = authorizationRequest(published());
      const page = await browser.open(request.url);
      expect(page.text).toContain(`described at localhost:${new URL(siteUrl).port}`);
      expect(page.text).not.toContain('evil.example');
      const code = codeOf(await authorize(browser, request));
      expect((await fixture.post('/oauth/token', codeGrant(published(), code, request.verifier), { at })).status).toBe(200);
    });
    expect(requests).toEqual(['GET /agent.json']);
  });

  test.each<[string, () => { status: number; body: unknown }]>([
    ['names another client', () => ({ status: 200, body: document({ client_id: 'https://localhost/other.json' }) })],
    ['is not there', () => ({ status: 404, body: document() })],
    ['is elsewhere', () => ({ status: 302, body: document() })],
    ['has a secret', () => ({ status: 200, body: document({ client_secret: 'x' }) })],
    ['authenticates with a secret', () => ({ status: 200, body: document({ token_endpoint_auth_method: 'client_secret_basic' }) })],
    ['sends people to plain http', () => ({ status: 200, body: document({ redirect_uris: ['http://client.example/callback'] }) })],
    ['is too large', () => ({ status: 200, body: document({ x: 'x'.repeat(40_000) }) })],
    ['is no JSON', () => ({ status: 200, body: 'hello' })],
  ])('a document that %s makes no client', async (_name, wrong) => {
    answer = wrong();
    await freshPlane(async (browser) => {
      const page = await browser.open(authorizationRequest(published()).url);
      expect([page.url.origin, page.status]).toEqual([publicOrigin, 400]);
      expect(page.text).toMatch(/invalid_client|invalid_redirect_uri/);
    });
  });

  test('a document that does not say how its client authenticates is of one that has no secret', async () => {
    answer = { status: 200, body: document({ token_endpoint_auth_method: undefined }) };
    await freshPlane(async (browser, at) => {
      const request = authorizationRequest(published());
      const code = codeOf(await authorize(browser, request));
      expect((await fixture.post('/oauth/token', codeGrant(published(), code, request.verifier), { at })).status).toBe(200);
    });
  });

  test('a way back that the document does not have is none', async () => {
    answer = { status: 200, body: document() };
    await freshPlane(async (browser) => {
      const page = await browser.open(authorizationRequest({ ...published(), redirectUri: 'https://evil.example/callback' }).url);
      expect([page.status, page.text]).toEqual([400, expect.stringContaining('invalid_redirect_uri')]);
    });
  });

  test('while its site is down, what people agreed to stands in; when the document is withdrawn, it does not', async () => {
    answer = { status: 200, body: document() };
    const tokens = await freshPlane(async (browser, at) => {
      const request = authorizationRequest(published());
      const code = codeOf(await authorize(browser, request));
      return (await fixture.post('/oauth/token', codeGrant(published(), code, request.verifier), { at })).body as unknown as Tokens;
    });
    const refresh = (token: string) => freshPlane((_browser, at) => fixture.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: token, client_id: clientId() }, { at }));
    answer = { status: 503, body: {} };
    const renewed = await refresh(tokens.refresh_token);
    expect(renewed.status).toBe(200);
    answer = { status: 404, body: {} };
    expect((await refresh(String(renewed.body['refresh_token']))).body).toMatchObject({ error: 'invalid_client' });
  });

  test('nothing inside the network is asked for, whatever its name', async () => {
    let connections = 0;
    const inside = createTcpServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    const port = await listenOnLoopback(inside);
    const ask = (settings: Record<string, string>, host: string) =>
      freshPlane(async (browser) => {
        const page = await browser.open(authorizationRequest({ ...published(), clientId: `https://${host}:${port}/agent.json` }).url);
        expect([page.status, page.text]).toEqual([400, expect.stringContaining('invalid_client')]);
      }, settings);
    // What administrators may reach is not for strangers to name.
    const asByDefault = { GATEHOUSE_OAUTH_CLIENT_ALLOWED_RANGES: '', GATEHOUSE_EGRESS_ALLOWED_RANGES: 'all' };
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '0x7f.1']) await ask(asByDefault, host);
    expect(connections).toBe(0);
    // The same where it is allowed: the requests above would have come.
    await ask({}, '127.0.0.1');
    expect(connections).toBeGreaterThan(0);
    inside.close();
  });

  test('nor are keys inside the network, and none over plain http', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    let connections = 0;
    const inside = createTcpServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    const port = await listenOnLoopback(inside);
    const registration = (scheme: string) => ({ redirect_uris: [callback], token_endpoint_auth_method: 'private_key_jwt', jwks_uri: `${scheme}://127.0.0.1:${port}/keys` });
    expect((await register(registration('http'))).body).toMatchObject({ error: 'invalid_client_metadata' });
    const { clientId } = await fixture.register(registration('https'));
    const authenticate = async (at: string) => {
      const client_assertion = await new SignJWT().setProtectedHeader({ alg: 'ES256' }).setIssuer(clientId).setSubject(clientId).setAudience(publicOrigin).setJti(randomUUID()).setIssuedAt().setExpirationTime('1m').sign(privateKey);
      return fixture.post('/oauth/introspect', { token: 'x', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion }, { at });
    };
    await freshPlane(async (_browser, at) => expect((await authenticate(at)).body).toMatchObject({ error: 'invalid_client' }), { GATEHOUSE_OAUTH_CLIENT_ALLOWED_RANGES: '', GATEHOUSE_EGRESS_ALLOWED_RANGES: 'all' });
    expect(connections).toBe(0);
    await freshPlane(async (_browser, at) => expect((await authenticate(at)).body).toMatchObject({ error: 'invalid_client' }));
    expect(connections).toBeGreaterThan(0);
    inside.close();
  });

  test('nothing is fetched for requests for tokens of a client whom nobody allowed anything', async () => {
    answer = { status: 200, body: document({ client_id: `${clientId()}?stranger` }) };
    requests = [];
    await freshPlane(async (_browser, at) => {
      for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke']) {
        const reply = await fixture.post(path, { client_id: `${clientId()}?stranger`, grant_type: 'refresh_token', refresh_token: 'x', token: 'x' }, { at });
        expect([path, reply.body]).toMatchObject([path, { error: 'invalid_client' }]);
      }
      expect(requests).toEqual([]);
      const pushed = await fixture.post('/oauth/par', Object.fromEntries(authorizationRequest({ ...published(), clientId: `${clientId()}?stranger` }).url.searchParams), { at });
      expect(pushed.status).toBe(201);
    });
    expect(requests).toEqual(['GET /agent.json?stranger']);
  });

  test('one that could not be fetched is not asked for again within a minute', async () => {
    answer = { status: 404, body: {} };
    requests = [];
    await freshPlane(async (browser) => {
      for (let count = 0; count < 3; count += 1) expect((await browser.open(authorizationRequest(published()).url)).text).toContain('invalid_client');
    });
    expect(requests).toEqual(['GET /agent.json']);
  });

  test('a name over plain http is none', async () => {
    requests = [];
    await freshPlane(async (browser) => {
      expect((await browser.open(authorizationRequest({ ...published(), clientId: clientId().replace('https:', 'http:') }).url)).text).toContain('invalid_client');
    });
    expect(requests).toEqual([]);
  });
});

test('registrations are limited per address, and say when to come back; forwarded addresses count only from trusted proxies', async () => {
  const { clientId } = await fixture.register();
  const plane = await startTestControlPlane({ environment: { ...fixture.plane.environment, GATEHOUSE_TRUSTED_PROXIES: '', GATEHOUSE_OAUTH_REGISTRATIONS_PER_10_MINUTES: '60' } });
  const registerFrom = (address: string) => fetch(new URL('/register', plane.url), { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': address }, body: '{}' });
  for (let count = 0; count < 60; count += 1) expect((await registerFrom(`198.51.100.${count}`)).status).toBe(400);
  const refused = await registerFrom('198.51.100.200');
  expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toEqual([429, '600', { error: 'temporarily_unavailable', error_description: 'too many registrations from one address: 60 are taken in 10 minutes' }]);
  // Other endpoints have limits of their own.
  expect((await fetch(new URL('/oauth/token', plane.url), { method: 'POST', body: new URLSearchParams({ client_id: clientId, grant_type: 'refresh_token', refresh_token: 'x' }) })).status).toBe(400);
  await plane.close();

  const behindProxy = await startTestControlPlane({ environment: { ...fixture.plane.environment, GATEHOUSE_TRUSTED_PROXIES: 'loopback', GATEHOUSE_OAUTH_REGISTRATIONS_PER_10_MINUTES: '60' } });
  const registerThrough = (address: string) => fetch(new URL('/oauth/register', behindProxy.url), { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': address }, body: '{}' });
  for (let count = 0; count < 61; count += 1) await registerThrough('198.51.100.1');
  expect([(await registerThrough('198.51.100.1')).status, (await registerThrough('198.51.100.2')).status]).toEqual([429, 400]);
  await behindProxy.close();
});

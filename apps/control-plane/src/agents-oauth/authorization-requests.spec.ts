import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { startIdentityProvider } from '../../../../test/support/identity-provider.ts';
import { authorizationRequest, authorize, codeGrant, codeOf, connected, dataPlaneUrl, type RegisteredAgent, resourceUrl, useAgents } from '../spec-support/use-agents.ts';
import { providerDocument, publicOrigin } from '../spec-support/use-login.ts';

const fixture = useAgents();
let agent: RegisteredAgent;
let local: RegisteredAgent;
type Parameters = Readonly<Record<string, string | undefined>>;

beforeAll(async () => {
  await fixture.plane.send('POST', '/v1/workspaces', { body: { name: 'other' } });
  await fixture.addServer('open', { agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' } });
  await fixture.addServer('keyed', { agentAuth: { type: 'api-key' } });
  await fixture.addServer('off', { enabled: false });
  await fixture.addServer('scoped', { agentAuth: { type: 'interactive', scopes: ['orders:read', 'orders:write'] } });
  agent = await fixture.register();
  local = await fixture.register({ redirect_uris: ['http://127.0.0.1:5555/callback', 'com.example.app:/callback'] });
});

describe('OAuth 2.1 section 4.1.2.1: what is wrong is told to the client', () => {
  test.each<[string, Parameters, string]>([
    ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['PKCE without hashing', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['PKCE with a method left out, which means plain', { code_challenge_method: undefined }, 'invalid_request'],
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['the code in a fragment', { response_mode: 'fragment' }, 'unsupported_response_mode'],
    ['the code in a form', { response_mode: 'form_post' }, 'unsupported_response_mode'],
    ['a request object', { request: 'e30.e30.' }, 'request_not_supported'],
    ['a request object elsewhere', { request_uri: 'https://evil.example/request' }, 'request_uri_not_supported'],
  ])('%s', async (_name, overrides, error) => {
    const request = authorizationRequest(agent, overrides);
    const { url } = await fixture.browser().open(request.url);
    // RFC 6749 section 4.2.2.1: where a client asks for a token it looks for the error in the fragment.
    const answer = new URLSearchParams(url.search || url.hash.slice(1));
    expect([url.origin + url.pathname, Object.fromEntries(answer)]).toEqual(['https://client.example/callback', expect.objectContaining({ error, state: request.state, iss: publicOrigin })]);
    expect(answer.has('access_token')).toBe(false);
  });
});

describe('… unless it is about the client or where it is: then nothing is sent anywhere, and the person sees a page', () => {
  test.each<[string, () => Parameters, string]>([
    ['an unknown client', () => ({ client_id: 'nobody' }), 'invalid_client'],
    ['no client', () => ({ client_id: undefined }), 'invalid_request'],
    ['no redirect URI', () => ({ redirect_uri: undefined }), 'invalid_request'],
    ['another path', () => ({ redirect_uri: 'https://client.example/callback/evil' }), 'invalid_redirect_uri'],
    ['a path that is another one to others', () => ({ redirect_uri: 'https://client.example/callback/../evil' }), 'invalid_redirect_uri'],
    ['a query', () => ({ redirect_uri: 'https://client.example/callback?evil' }), 'invalid_redirect_uri'],
    ['another host', () => ({ redirect_uri: 'https://client.example.evil.example/callback' }), 'invalid_redirect_uri'],
    ['a host behind credentials', () => ({ redirect_uri: 'https://client.example@evil.example/callback' }), 'invalid_redirect_uri'],
    ['the host in another case', () => ({ redirect_uri: 'https://CLIENT.example/callback' }), 'invalid_redirect_uri'],
    ['plain http', () => ({ redirect_uri: 'http://client.example/callback' }), 'invalid_redirect_uri'],
    ['another port of a web client', () => ({ redirect_uri: 'https://client.example:8443/callback' }), 'invalid_redirect_uri'],
    ['another loopback name (RFC 8252 section 7.3 varies the port only)', () => ({ client_id: local.clientId, redirect_uri: 'http://localhost:5555/callback' }), 'invalid_redirect_uri'],
    ['another path on loopback', () => ({ client_id: local.clientId, redirect_uri: 'http://127.0.0.1:5555/evil' }), 'invalid_redirect_uri'],
    ['loopback as somebody’s sub-domain', () => ({ client_id: local.clientId, redirect_uri: 'http://127.0.0.1.evil.example:5555/callback' }), 'invalid_redirect_uri'],
    ['another path of a scheme', () => ({ client_id: local.clientId, redirect_uri: 'com.example.app:/evil' }), 'invalid_redirect_uri'],
    ['two redirect URIs', () => ({ twice: 'redirect_uri' }), 'invalid_request'],
  ])('%s', async (_name, overrides, error) => {
    const { twice, ...parameters } = overrides();
    const { url } = authorizationRequest(agent, parameters);
    if (twice !== undefined) url.searchParams.append(twice, 'https://evil.example/');
    const page = await fixture.browser().open(url);
    expect([page.url.origin, page.status, page.text]).toEqual([publicOrigin, 400, expect.stringContaining(error)]);
    expect(page.forms).toEqual([]);
  });

  test('programs get JSON', async () => {
    const { url } = authorizationRequest(agent, { client_id: 'nobody' });
    const reply = await fixture.plane.send('GET', url.pathname + url.search, { authorization: undefined, headers: { Accept: 'application/json' } });
    expect([reply.status, reply.body]).toMatchObject([400, { error: 'invalid_client' }]);
  });
});

test('RFC 8252 section 7.3: on the loopback address any port will do', async () => {
  const request = authorizationRequest({ ...local, redirectUri: 'http://127.0.0.1:6666/callback' });
  const page = await authorize(fixture.browser(), request);
  expect(page.url.origin).toBe('http://127.0.0.1:6666');
  const grant = codeGrant(local, codeOf(page), request.verifier);
  // The same one as in the request, all the same.
  expect((await fixture.post('/oauth/token', grant)).body).toMatchObject({ error: 'invalid_grant' });
  expect((await fixture.post('/oauth/token', { ...grant, redirect_uri: 'http://127.0.0.1:6666/callback' })).status).toBe(200);
});

test('a program’s own scheme is a way back too', async () => {
  const page = await authorize(fixture.browser(), authorizationRequest({ ...local, redirectUri: 'com.example.app:/callback' }));
  expect(page.url.protocol + page.url.pathname).toBe('com.example.app:/callback');
  expect(codeOf(page)).toBeTruthy();
});

describe('RFC 8707: a token is for one server', () => {
  test.each<[string, string]>([
    ['another host', 'https://evil.example/mcp/default/orders'],
    ['a host that begins alike', `${dataPlaneUrl}.evil.example/mcp/default/orders`],
    ['credentials before the host', 'https://gateway.example@evil.example/mcp/default/orders'],
    ['the gateway itself', dataPlaneUrl],
    ['a server that is not there', resourceUrl('nowhere')],
    ['a server of that name in another workspace', resourceUrl('orders', 'other')],
    ['a workspace that is not there', resourceUrl('orders', 'nowhere')],
    ['a server that lets in whoever comes', resourceUrl('open')],
    ['a server for service accounts', resourceUrl('keyed')],
    ['a server that is switched off', resourceUrl('off')],
    ['a path below a server', `${resourceUrl('orders')}/evil`],
    ['a query', `${resourceUrl('orders')}?a=b`],
    ['a fragment', `${resourceUrl('orders')}#a`],
    ['an encoded slash', `${dataPlaneUrl}/mcp/default%2forders`],
    ['the authorization server', publicOrigin],
    ['no URL', 'orders'],
  ])('%s is none', async (_name, resource) => {
    const { url } = await fixture.browser().open(authorizationRequest(agent, { resource }).url);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ error: 'invalid_target', iss: publicOrigin });
  });

  test('several at once are refused', async () => {
    const { url } = authorizationRequest(agent);
    url.searchParams.append('resource', resourceUrl('scoped'));
    expect((await fixture.browser().open(url)).url.searchParams.get('error')).toBe('invalid_target');
  });

  test.each<[string, string, string]>([
    ['as its metadata has it', resourceUrl('orders'), resourceUrl('orders')],
    ['of its SSE transport', `${dataPlaneUrl}/sse/default/orders`, `${dataPlaneUrl}/sse/default/orders`],
    ['with a slash at the end', `${resourceUrl('orders')}/`, resourceUrl('orders')],
    ['with the host in another case', 'https://GATEWAY.example/mcp/default/orders', resourceUrl('orders')],
  ])('the URL %s gives a token for it', async (_name, resource, audience) => {
    const { tokens } = await connected(fixture, { agent, overrides: { resource } });
    expect(decodeJwt(tokens.access_token).aud).toBe(audience);
  });

  test('the token request and the refresh cannot ask for another server than was agreed to', async () => {
    const request = authorizationRequest(agent);
    const grant = codeGrant(agent, codeOf(await authorize(fixture.browser(), request)), request.verifier);
    expect((await fixture.post('/oauth/token', { ...grant, resource: resourceUrl('scoped') })).body).toMatchObject({ error: 'invalid_target' });
    const { tokens } = await connected(fixture, { agent });
    const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: agent.clientId };
    expect((await fixture.post('/oauth/token', { ...refresh, resource: resourceUrl('scoped') })).body).toMatchObject({ error: 'invalid_target' });
  });

  test('a server that is gone gives no more tokens: the client has to begin again', async () => {
    await fixture.addServer('short-lived');
    const { tokens } = await connected(fixture, { agent, overrides: { resource: resourceUrl('short-lived') } });
    await fixture.plane.send('DELETE', '/v1/workspaces/default/servers/short-lived', { headers: { 'If-Match': '*' } });
    expect((await fixture.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: agent.clientId })).body).toMatchObject({ error: 'invalid_grant' });
  });

  test('without one there must be one server only, as for clients of MCP 2025-03-26', async () => {
    expect((await fixture.browser().open(authorizationRequest(agent, { resource: undefined }).url)).url.searchParams.get('error')).toBe('invalid_target');
    await fixture.query(`update servers set document = jsonb_set(document, '{enabled}', 'false') where name = 'scoped'`);
    const { tokens } = await connected(fixture, { agent, overrides: { resource: undefined } });
    expect(decodeJwt(tokens.access_token).aud).toBe(resourceUrl('orders'));
    await fixture.query(`update servers set document = document - 'enabled' where name = 'scoped'`);
  });
});

describe('scopes', () => {
  test.each<[string, string | undefined, string]>([
    ['none asked for: all that the server has', undefined, 'mcp orders:read orders:write'],
    ['one of them, and the right to use the server', 'orders:read', 'mcp orders:read'],
    ['only what there is', 'mcp admin orders:write', 'mcp orders:write'],
    ['only what there is not: all that the server has', 'profile email', 'mcp orders:read orders:write'],
    ['offline access, which every client has anyway', 'offline_access', 'mcp orders:read orders:write'],
  ])('%s', async (_name, scope, granted) => {
    const { tokens } = await connected(fixture, { agent, overrides: { resource: resourceUrl('scoped'), scope, prompt: 'consent' } });
    expect(tokens.scope.split(' ').toSorted()).toEqual(granted.split(' '));
    expect(decodeJwt(tokens.access_token)['scope']).toBe(tokens.scope);
    expect(tokens.refresh_token).toBeTruthy();
  });

  test('the page says what is asked for', async () => {
    const { text } = await fixture.browser().open(authorizationRequest(agent, { resource: resourceUrl('scoped'), scope: 'orders:write' }).url);
    expect(text).toContain('<li>orders:write</li>');
    expect(text).not.toContain('orders:read');
  });

  test('openid gives an ID token, which says who it is and nothing more', async () => {
    const request = authorizationRequest(agent, { scope: 'openid mcp', nonce: 'n-1', prompt: 'consent' });
    const page = await authorize(fixture.browser(), request);
    const { body } = await fixture.post('/oauth/token', codeGrant(agent, codeOf(page), request.verifier));
    const { sub, aud, nonce, iss, ...others } = decodeJwt(String(body['id_token']));
    expect([sub, aud, nonce, iss]).toEqual([decodeJwt(String(body['access_token'])).sub, agent.clientId, 'n-1', publicOrigin]);
    expect(Object.keys(others).toSorted()).toEqual(['exp', 'iat']);
  });
});

describe('who may use a server', () => {
  const refused = async (server: string, login: string) => {
    const request = authorizationRequest(agent, { resource: resourceUrl(server), prompt: 'consent' });
    const browser = fixture.browser();
    const page = await authorize(browser, request, login);
    expect([page.url.origin, page.text]).toEqual([publicOrigin, expect.stringContaining('You have no access')]);
    const { url } = await browser.submit(page, { decision: 'deny' });
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ error: 'access_denied', state: request.state });
  };

  test('by its access rules: others see a page that says so, and the client is told', async () => {
    await fixture.addServer('for-sales', { access: { allow: [{ group: 'sales' }] } });
    await fixture.addServer('for-ben', { access: { allow: [{ user: 'BEN@corp.example' }] } });
    await connected(fixture, { agent, login: 'ana', overrides: { resource: resourceUrl('for-sales') } });
    await refused('for-sales', 'ben');
    await connected(fixture, { agent, login: 'ben', overrides: { resource: resourceUrl('for-ben') } });
    await refused('for-ben', 'ana');
  });

  test('by its identity provider: people of another one are sent there, and come back with nothing else', async () => {
    const partner = await startIdentityProvider({ redirectUris: [`${publicOrigin}/login/callback/partner`], people: [] });
    await fixture.plane.send('POST', '/v1/identity-providers', { body: providerDocument(partner, { name: 'partner', title: 'Partner' }) });
    await fixture.addServer('for-corp', { agentAuth: { type: 'interactive', identityProvider: 'corp' } });
    await fixture.addServer('for-partners', { agentAuth: { type: 'interactive', identityProvider: 'partner' } });
    const browser = fixture.browser();
    await connected(fixture, { agent, browser, overrides: { resource: resourceUrl('for-corp') } });
    const consent = await browser.open(authorizationRequest(agent, { resource: resourceUrl('for-partners') }).url);
    await browser.submit(consent, { decision: 'allow' });
    expect(browser.visited.some((url) => url.includes('/login/start/partner'))).toBe(true);
    // While servers ask for it by name, it is not deleted before it is switched off.
    await fixture.plane.send('PATCH', '/v1/identity-providers/partner', { body: { enabled: false }, headers: { 'If-Match': '*' } });
    await fixture.plane.send('DELETE', '/v1/identity-providers/partner', { headers: { 'If-Match': '*' } });
    await partner.close();
  });

  test('someone who is disabled logs in nowhere, and tokens are not renewed', async () => {
    const { tokens } = await connected(fixture, { agent, login: 'ben' });
    await fixture.query(`update people set disabled = true where subject = 'ben'`);
    expect((await fixture.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: agent.clientId })).body).toMatchObject({ error: 'invalid_grant' });
    await fixture.query(`update people set disabled = false where subject = 'ben'`);
  });
});

test('clients of MCP 2025-03-26, which know no metadata, find everything at the root', async () => {
  const { body } = await fixture.plane.send<Record<string, unknown>>('POST', '/register', { body: { redirect_uris: ['https://client.example/callback'], token_endpoint_auth_method: 'none' }, authorization: undefined });
  const old: RegisteredAgent = { clientId: String(body['client_id']), clientSecret: undefined, redirectUri: 'https://client.example/callback' };
  const request = authorizationRequest(old);
  request.url.pathname = '/authorize';
  const page = await authorize(fixture.browser(), request);
  expect((await fixture.post('/token', codeGrant(old, codeOf(page), request.verifier))).status).toBe(200);
});

describe('RFC 9126: pushed authorization requests', () => {
  const push = (parameters: Parameters = {}) => {
    const request = authorizationRequest(agent, parameters);
    return { request, reply: fixture.post('/oauth/par', Object.fromEntries(request.url.searchParams)) };
  };

  test('are taken, and used once', async () => {
    const { request, reply } = push();
    const { status, body } = await reply;
    expect([status, body]).toEqual([201, { request_uri: expect.any(String) as string, expires_in: expect.any(Number) as number }]);
    const url = new URL(`/oauth/authorize?${new URLSearchParams({ client_id: agent.clientId, request_uri: String(body['request_uri']) }).toString()}`, publicOrigin);
    const page = await authorize(fixture.browser(), { ...request, url });
    expect((await fixture.post('/oauth/token', codeGrant(agent, codeOf(page), request.verifier))).status).toBe(200);
    const again = await authorize(fixture.browser(), { ...request, url });
    expect(again.text + again.url.search).toContain('invalid_request_uri');
  });

  test('are checked as others are', async () => {
    expect((await push({ redirect_uri: 'https://evil.example/' }).reply).body).toMatchObject({ error: 'invalid_request' });
    expect((await push({ resource: 'https://evil.example/' }).reply).body).toMatchObject({ error: 'invalid_target' });
    expect((await push({ code_challenge: undefined, code_challenge_method: undefined }).reply).body).toMatchObject({ error: 'invalid_request' });
  });

  test('belong to their client', async () => {
    const { body } = await push().reply;
    const other = await fixture.register();
    const page = await fixture.browser().open(new URL(`/oauth/authorize?${new URLSearchParams({ client_id: other.clientId, request_uri: String(body['request_uri']) }).toString()}`, publicOrigin));
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('invalid_request')]);
  });
});

test('what a request brings along is kept for whoever sends it, and bounded', async () => {
  const agent = await fixture.register();
  const { url } = authorizationRequest(agent, { state: 's'.repeat(9_000) });
  expect(await fixture.post('/oauth/par', Object.fromEntries(url.searchParams))).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  const page = await fixture.browser().open(url);
  expect([page.url.searchParams.get('error') ?? page.text]).toEqual([expect.stringContaining('invalid_request')]);
  const fine = authorizationRequest(agent, { state: 's'.repeat(5_000) });
  expect((await fixture.post('/oauth/par', Object.fromEntries(fine.url.searchParams))).status).toBe(201);
  expect((await fixture.browser().open(fine.url)).text).toContain('name="decision"');
});

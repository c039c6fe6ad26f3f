import { discoverOAuthProtectedResourceMetadata, extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js';
import { checkResourceAllowed } from '@modelcontextprotocol/sdk/shared/auth-utils.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { ana, ben, signAccessToken } from '../support/access-token.ts';
import { type InProcessDataPlane, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { makeSigningKey, startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

/*
 * What the gateway owes as an OAuth resource server, on every interactive server. The conformance tool has no scenario for it;
 * each test has its clause for a name.
 */

let upstream: RecordingUpstream;
let issuer: TokenIssuer;
let dataPlane: InProcessDataPlane;
const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'inspect', arguments: {} } });
const scopes = ['orders:read', 'orders:write'];

beforeAll(async () => {
  [upstream, issuer, dataPlane] = await Promise.all([startRecordingUpstream(), startTokenIssuer(), startPublicDataPlane()]);
  await dataPlane.publishAuthorizationServer(issuer, ['revoked-grant']);
  const target = { url: upstream.url };
  await dataPlane.publish(
    { name: 'orders', title: 'Orders', upstream: target, agentAuth: { type: 'interactive', scopes } },
    { name: 'plain', upstream: target, agentAuth: { type: 'interactive' } },
    { name: 'disabled', upstream: target, agentAuth: { type: 'interactive' }, enabled: false },
    { name: 'with-key', upstream: target, agentAuth: { type: 'api-key' } },
    { name: 'open', upstream: target },
  );
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close()]);
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.handle(answerAsMcp);
});

const urlOf = (name: string, form = 'mcp'): string => `${dataPlane.url}/${form}/default/${name}`;
const metadataUrlOf = (name: string, form = 'mcp'): string => `${dataPlane.url}/.well-known/oauth-protected-resource/${form}/default/${name}`;
const bearer = async (name = 'orders', claims: object = {}, header: object = {}): Promise<string> =>
  `Bearer ${await signAccessToken(issuer, urlOf(name), { scope: scopes.join(' '), ...claims }, { header: { ...header } })}`;
const post = (name: string, authorization?: string, headers: Record<string, string> = {}, url = urlOf(name)): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }), ...headers }, body: call });

interface Challenge {
  readonly status: number;
  readonly scheme: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
}

function challengeOf({ status, headers }: Response): Challenge {
  const [scheme, ...rest] = (headers.get('www-authenticate') ?? '').split(' ');
  const pairs = [...rest.join(' ').matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value] as const);
  expect(new Set(pairs.map(([name]) => name)).size).toBe(pairs.length);
  return { status, scheme, parameters: Object.fromEntries(pairs) };
}

const invalid = { status: 401, scheme: 'Bearer', parameters: expect.objectContaining({ error: 'invalid_token' }) as unknown };

describe('RFC 9728, protected resource metadata', () => {
  it('section 3: “MUST make a JSON document containing metadata … available at a URL formed by inserting a well-known URI string into the protected resource’s resource identifier between the host component and the path”', async () => {
    for (const form of ['mcp', 'sse']) {
      const response = await fetch(metadataUrlOf('orders', form));
      expect(await response.json()).toEqual({
        resource: urlOf('orders', form),
        authorization_servers: [issuer.url],
        scopes_supported: scopes,
        bearer_methods_supported: ['header'],
        resource_name: 'Orders',
      });
    }
  });

  it('section 3.2: “MUST use the 200 OK HTTP status code and return a JSON object using the application/json content type”', async () => {
    const response = await fetch(metadataUrlOf('orders'));
    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([200, 'application/json', 'public, max-age=60']);
    const head = await fetch(metadataUrlOf('orders'), { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('section 3.2: “Parameters with zero values MUST be omitted from the response”', async () => {
    expect(await (await fetch(metadataUrlOf('plain'))).json()).not.toHaveProperty('scopes_supported');
  });

  it('section 3.3: “the resource value returned MUST be identical to the URL that the client used to make the request to the resource server”', async () => {
    for (const form of ['mcp', 'sse']) {
      const { parameters } = challengeOf(form === 'mcp' ? await post('orders') : await fetch(urlOf('orders', form)));
      const { resource } = (await (await fetch(parameters['resource_metadata'] ?? '')).json()) as { resource: string };
      expect(resource).toBe(urlOf('orders', form));
    }
  });

  it('section 5.1: “resource_metadata: the URL of the protected resource metadata” in the challenge', async () => {
    for (const name of ['orders', 'plain']) expect(challengeOf(await post(name)).parameters['resource_metadata']).toBe(metadataUrlOf(name));
  });

  it('the metadata can be read from any web page, without a credential, and nothing else can be done there', async () => {
    const origin = 'https://client.example';
    const response = await fetch(metadataUrlOf('orders'), { headers: { origin } });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
    const preflight = await fetch(metadataUrlOf('orders'), { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'mcp-protocol-version' } });
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([204, '*']);
    for (const method of ['POST', 'PUT', 'DELETE']) expect((await fetch(metadataUrlOf('orders'), { method })).status).toBe(404);
  });

  it.each(['disabled', 'with-key', 'open', 'unknown', 'orders/messages', 'orders/', 'Orders', '%6frders'])('there is none of a server that takes no such tokens: %s', async (name) => {
    for (const form of ['mcp', 'sse']) expect((await fetch(metadataUrlOf(name, form))).status).toBe(404);
  });

  it.each(['', '/', '/mcp', '/mcp/default', '/api/default/orders', '/mcp/other/orders'])('nor of anything else: “%s”', async (path) => {
    const response = await fetch(`${dataPlane.url}/.well-known/oauth-protected-resource${path}`);
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'application/json']);
  });

  it('servers with other authentication have a challenge without it', async () => {
    expect(challengeOf(await post('with-key'))).toEqual({ status: 401, scheme: 'Bearer', parameters: { realm: 'gatehouse' } });
  });
});

describe('RFC 6750, bearer tokens', () => {
  it('section 2.1: “the Authorization request header field … using the Bearer authentication scheme”', async () => {
    const authorization = await bearer();
    for (const value of [authorization, authorization.replace('Bearer', 'bearer'), authorization.replace('Bearer', 'BEARER')]) expect((await post('orders', value)).status).toBe(200);
  });

  it('sections 2.2 and 2.3: a token in the body or in the query is none (MCP: “Access tokens MUST NOT be included in the URI query string”)', async () => {
    const token = (await bearer()).slice('Bearer '.length);
    const inQuery = await post('orders', undefined, {}, `${urlOf('orders')}?access_token=${token}`);
    const inForm = await fetch(urlOf('orders'), { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `access_token=${token}` });
    const elsewhere = await post('orders', undefined, { 'x-gatehouse-key': token, 'x-upstream-authorization': `Bearer ${token}`, cookie: `access_token=${token}` });
    expect([inQuery, inForm, elsewhere].map(({ status }) => status)).toEqual([401, 401, 401]);
  });

  it('section 3: “MUST include the HTTP WWW-Authenticate response header field”, with “the auth-scheme value Bearer … followed by one or more auth-param values”', async () => {
    for (const authorization of [undefined, 'Basic YTpi', 'Bearer x.y.z']) {
      const { status, scheme, parameters } = challengeOf(await post('plain', authorization));
      expect([status, scheme, Object.keys(parameters).length > 0]).toEqual([401, 'Bearer', true]);
    }
  });

  it('section 3.1: “If the request lacks any authentication information … the resource server SHOULD NOT include an error code or other error information”', async () => {
    expect(challengeOf(await post('orders')).parameters).toEqual({ resource_metadata: metadataUrlOf('orders'), scope: 'orders:read orders:write' });
    expect(challengeOf(await post('plain')).parameters).toEqual({ resource_metadata: metadataUrlOf('plain') });
  });

  it('section 3.1, invalid_token: “The access token provided is expired, revoked, malformed, or invalid for other reasons. The resource SHOULD respond with the HTTP 401 (Unauthorized) status code”', async () => {
    const past = Math.floor(Date.now() / 1000) - 60;
    for (const authorization of [await bearer('orders', { exp: past }), await bearer('orders', { grant: 'revoked-grant' }), 'Bearer not-a-token', `${await bearer()}x`]) {
      expect(challengeOf(await post('orders', authorization))).toEqual(invalid);
    }
    expect(upstream.requests).toEqual([]);
  });

  it('section 3.1, insufficient_scope: “The resource server SHOULD respond with the HTTP 403 (Forbidden) status code and MAY include the scope attribute with the scope necessary to access the protected resource”', async () => {
    for (const scope of ['', 'orders:read', 'orders:write openid', 'orders:read orders:writer']) {
      const { status, scheme, parameters } = challengeOf(await post('orders', await bearer('orders', { scope })));
      // All that are needed, not only those that are missing.
      expect([status, scheme, parameters['error'], parameters['scope'], parameters['resource_metadata']]).toEqual([403, 'Bearer', 'insufficient_scope', 'orders:read orders:write', metadataUrlOf('orders')]);
    }
    expect(upstream.requests).toEqual([]);
  });

  it('section 3: “Values for the error and error_description attributes MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E”', async () => {
    for (const authorization of [await bearer('orders', { scope: 'x' }), await bearer('orders', { aud: 'a"b\\c' }), 'Bearer "\\']) {
      const { parameters } = challengeOf(await post('orders', authorization));
      for (const value of Object.values(parameters)) expect(value).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/);
    }
  });
});

describe('RFC 9068 section 4, validating JWT access tokens', () => {
  it('“MUST verify that the typ header value is at+jwt or application/at+jwt and reject tokens carrying any other value”', async () => {
    for (const typ of ['at+jwt', 'application/at+jwt', 'AT+JWT']) expect((await post('orders', await bearer('orders', {}, { typ }))).status).toBe(200);
    for (const typ of ['JWT', 'id_token+jwt', 'logout+jwt', 'dpop+jwt', undefined]) expect(challengeOf(await post('orders', await bearer('orders', {}, { typ })))).toEqual(invalid);
  });

  it('“The issuer identifier for the authorization server MUST exactly match the value of the iss claim”', async () => {
    for (const iss of [`${issuer.url}/`, issuer.url.toUpperCase(), 'https://evil.example', undefined]) expect(challengeOf(await post('orders', await bearer('orders', { iss })))).toEqual(invalid);
  });

  it('“MUST validate that the aud claim contains a resource indicator value corresponding to an identifier the resource server expects for itself”', async () => {
    for (const aud of [urlOf('plain'), dataPlane.url, `${urlOf('orders')}/`, issuer.url, 'orders', [], undefined]) expect(challengeOf(await post('orders', await bearer('orders', { aud })))).toEqual(invalid);
    for (const aud of [urlOf('orders', 'sse'), ['https://other.example', urlOf('orders')]]) expect((await post('orders', await bearer('orders', { aud }))).status).toBe(200);
  });

  it('“MUST validate the signature of all incoming JWT access tokens … MUST reject any JWT in which the value of alg is none”', async () => {
    const forger = await makeSigningKey('ES256', issuer.key.kid);
    const forged = await signAccessToken(issuer, urlOf('plain'), {}, { key: forger });
    const [head, payload] = (await bearer('plain')).slice('Bearer '.length).split('.');
    const none = `${Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url')}.${payload}.`;
    for (const token of [forged, none, `${head}.${payload}.`]) expect(challengeOf(await post('plain', `Bearer ${token}`))).toEqual(invalid);
  });

  it('“The current time MUST be before the time represented by the exp claim” (with half a minute for clocks)', async () => {
    const now = Math.floor(Date.now() / 1000);
    expect(challengeOf(await post('orders', await bearer('orders', { exp: now - 31 })))).toEqual(invalid);
    expect(challengeOf(await post('orders', await bearer('orders', { exp: undefined })))).toEqual(invalid);
  });
});

describe('MCP, authorization', () => {
  it('“Authorization MUST be included in every HTTP request from client to server, even if they are part of the same logical session” and “MCP servers MUST NOT use sessions for authentication”', async () => {
    upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's1' }).end('{}'));
    const session = { 'mcp-session-id': (await post('orders', await bearer())).headers.get('mcp-session-id') ?? '' };
    expect((await post('orders', await bearer(), session)).status).toBe(200);
    expect((await post('orders', undefined, session)).status).toBe(401);
    expect((await fetch(urlOf('orders'), { headers: session })).status).toBe(401);
    expect((await fetch(urlOf('orders'), { method: 'DELETE', headers: session })).status).toBe(401);
    expect((await post('orders', await bearer('orders', { ...ben }), session)).status).toBe(404);
  });

  it('“MCP servers MUST validate that access tokens were issued specifically for them as the intended audience, according to RFC 8707 Section 2”', async () => {
    const forPlain = await bearer('plain');
    expect([(await post('plain', forPlain)).status, (await post('orders', forPlain)).status]).toEqual([200, 401]);
  });

  it('“the MCP server MUST NOT pass through the token it received from the MCP client”', async () => {
    await dataPlane.publish({ name: 'through', upstream: { url: upstream.url }, agentAuth: { type: 'interactive' }, appAuth: { type: 'passthrough' }, headerPolicy: { mode: 'all' } });
    const token = await bearer('through');
    for (const headers of [{}, { connection: 'authorization' }]) await post('through', token, headers);
    expect(upstream.requests.length).toBeGreaterThan(0);
    for (const request of upstream.requests) expect(`${request.url}${request.rawHeaders.join('\n')}${request.body.toString()}`).not.toContain(token.slice(-40));
  });

  it('“Invalid or expired tokens MUST receive a HTTP 401 response”, also where the same token was good before', async () => {
    const authorization = await bearer('plain', { grant: 'soon' });
    expect((await post('plain', authorization)).status).toBe(200);
    await dataPlane.publishAuthorizationServer(issuer, ['soon']);
    expect(challengeOf(await post('plain', authorization))).toEqual(invalid);
    await dataPlane.publishAuthorizationServer(issuer, ['revoked-grant']);
  });

  it('“MCP servers SHOULD include a scope parameter in the WWW-Authenticate header”', async () => {
    expect(challengeOf(await post('orders')).parameters['scope']).toBe('orders:read orders:write');
  });

  it('“MUST include the authorization_servers field containing at least one authorization server”, as the SDK reads it', async () => {
    const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(await post('orders'));
    expect([resourceMetadataUrl?.href, scope]).toEqual([metadataUrlOf('orders'), 'orders:read orders:write']);
    for (const options of [resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl }, {}]) {
      const metadata = await discoverOAuthProtectedResourceMetadata(urlOf('orders'), options);
      expect(metadata.authorization_servers).toEqual([issuer.url]);
      expect(checkResourceAllowed({ requestedResource: urlOf('orders'), configuredResource: metadata.resource })).toBe(true);
    }
  });

  it('2025-03-26: “The authorization base URL MUST be determined from the MCP server URL by discarding any existing path component”, and the metadata of the authorization server is there', async () => {
    for (const path of ['oauth-authorization-server', 'openid-configuration']) {
      const response = await fetch(`${dataPlane.url}/.well-known/${path}`, { headers: { origin: 'https://client.example', 'mcp-protocol-version': '2025-03-26' } });
      expect([response.status, response.headers.get('content-type'), response.headers.get('access-control-allow-origin')]).toEqual([200, 'application/json', '*']);
      expect(await response.json()).toMatchObject({
        issuer: issuer.url,
        authorization_endpoint: `${issuer.url}/oauth/authorize`,
        token_endpoint: `${issuer.url}/oauth/token`,
        registration_endpoint: `${issuer.url}/oauth/register`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
      });
    }
  });

  it('an upstream’s 401 is none of the gateway’s: it would send the client to log in again, and again', async () => {
    upstream.handle((_request, response) => void response.writeHead(401, { 'www-authenticate': 'Bearer resource_metadata="https://elsewhere.example"' }).end());
    for (const appAuth of [{ type: 'none' }, { type: 'passthrough' }] as const) {
      await dataPlane.publish({ name: 'refused', upstream: { url: upstream.url }, agentAuth: { type: 'interactive' }, appAuth });
      const response = await post('refused', await bearer('refused'), { 'x-upstream-authorization': 'Bearer theirs' });
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([502, null]);
    }
  });

  it('a person’s name is in no answer and no challenge', async () => {
    const response = await post('orders', await bearer('orders', { scope: '' }));
    const text = `${[...response.headers].join('\n')}${await response.text()}`;
    for (const value of [ana.email, ana.name, ana.sub, ana.grant]) expect(text).not.toContain(value);
  });
});

it('a public URL with a path has its metadata between host and path, and behind an ingress that takes the path away', async () => {
  const behind = await startPublicDataPlane({ GATEHOUSE_DATA_PLANE_URL: 'https://gateway.example/agents/' });
  await behind.publishAuthorizationServer(issuer);
  await behind.publish({ name: 'orders', upstream: { url: upstream.url }, agentAuth: { type: 'interactive' } });
  const { parameters } = challengeOf(await post('', undefined, {}, `${behind.url}/mcp/default/orders`));
  expect(parameters['resource_metadata']).toBe('https://gateway.example/.well-known/oauth-protected-resource/agents/mcp/default/orders');
  for (const path of ['/agents/mcp/default/orders', '/mcp/default/orders']) {
    const { resource } = (await (await fetch(`${behind.url}/.well-known/oauth-protected-resource${path}`)).json()) as { resource: string };
    expect(resource).toBe('https://gateway.example/agents/mcp/default/orders');
  }
  const token = await signAccessToken(issuer, 'https://gateway.example/agents/mcp/default/orders');
  expect((await post('', `Bearer ${token}`, {}, `${behind.url}/mcp/default/orders`)).status).toBe(200);
  await behind.close();
});

it('a page that has its own name lead here is told nothing (DNS rebinding)', async () => {
  const guarded = await startPublicDataPlane({ GATEHOUSE_ALLOWED_HOSTS: 'gateway.example' });
  await guarded.publishAuthorizationServer(issuer);
  await guarded.publish({ name: 'orders', upstream: { url: upstream.url }, agentAuth: { type: 'interactive' } });
  expect((await fetch(`${guarded.url}/.well-known/oauth-protected-resource/mcp/default/orders`)).status).toBe(403);
  await guarded.close();
});

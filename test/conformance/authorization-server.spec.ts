import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, type RunningAuthorizationServer, startAuthorizationServer } from '../support/authorization-server.ts';
import { packageBin } from '../support/package-file.ts';
import { runSql } from '../support/postgres.ts';
import { type BrowserPage, TestBrowser } from '../support/test-browser.ts';

let server: RunningAuthorizationServer;
let callback: string;
let clientId: string;

type Json = Record<string, unknown>;
const getJson = async (path: string): Promise<Json> => (await (await fetch(new URL(path, server.url))).json()) as Json;
const register = async (metadata: Json): Promise<{ status: number; body: Json }> => {
  const reply = await fetch(String((await metadataOf())['registration_endpoint']), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(metadata) });
  return { status: reply.status, body: (await reply.json()) as Json };
};
const metadataOf = () => getJson('/.well-known/oauth-authorization-server');

beforeAll(async () => {
  server = await startAuthorizationServer();
  callback = `http://127.0.0.1:${await freePort()}/callback`;
  clientId = String((await register({ client_name: 'Conformance', redirect_uris: [callback, 'https://client.example/callback'], token_endpoint_auth_method: 'none' })).body['client_id']);
});
afterAll(() => server.close());

/** As a person would: agrees, and logs in. */
async function passThrough(browser: TestBrowser, url: string | URL): Promise<BrowserPage> {
  let page = await browser.open(url);
  if (page.text.includes('name="decision"')) page = await browser.submit(page, { decision: 'allow' });
  return page.text.includes('name="login"') ? browser.submit(page, { login: 'ana' }) : page;
}

interface Flow {
  readonly url: URL;
  readonly verifier: string;
}

async function flow(overrides: Record<string, string | undefined> = {}): Promise<Flow> {
  const verifier = randomBytes(32).toString('base64url');
  const parameters: Record<string, string | undefined> = {
    response_type: 'code', client_id: clientId, redirect_uri: 'https://client.example/callback', resource: server.resource, state: 'state-1',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256', ...overrides,
  };
  const url = new URL(String((await metadataOf())['authorization_endpoint']));
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return { url, verifier };
}

/** The callback of a client on the web is nobody's here: the address is what matters. */
const browserOf = () => new TestBrowser({ servers: { 'https://client.example': () => server.url } });
const answer = async (overrides?: Record<string, string | undefined>) => (await passThrough(browserOf(), (await flow(overrides)).url)).url.searchParams;

async function token(fields: Record<string, string>): Promise<{ status: number; headers: Headers; body: Json }> {
  const reply = await fetch(String((await metadataOf())['token_endpoint']), { method: 'POST', body: new URLSearchParams({ client_id: clientId, ...fields }) });
  return { status: reply.status, headers: reply.headers, body: (await reply.json()) as Json };
}

async function codeFields(): Promise<Record<string, string>> {
  const { url, verifier } = await flow();
  const code = (await passThrough(browserOf(), url)).url.searchParams.get('code') ?? '';
  return { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: 'https://client.example/callback', resource: server.resource };
}
const tokens = async () => (await token(await codeFields())).body as { access_token: string; refresh_token: string };

describe('the conformance tool’s scenarios for an authorization server', () => {
  it('authorization-server-metadata-endpoint and authorization-code-grant, with a person in the browser', { timeout: 120_000 }, async () => {
    const checks = await runAuthorizationScenarios();
    expect(checks.map(({ id, status }) => `${id} ${status}`).toSorted()).toEqual([
      'authorization-code-grant SUCCESS', 'authorization-server-metadata SUCCESS', 'authorization-server-metadata-cimd SUCCESS',
    ]);
  });
});

async function runAuthorizationScenarios(): Promise<{ id: string; status: string }[]> {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  const { port } = new URL(callback);
  const child = spawn(process.execPath, [
    packageBin('@modelcontextprotocol/conformance'), 'authorization', '--url', server.url, '--client-id', clientId, '--resource', server.resource, '--port', port, '--output-dir', folder,
  ], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  // It says where the person has to go, and waits.
  lines.on('line', (line) => {
    if (line.startsWith(`${server.url}/oauth/authorize?`)) void passThrough(new TestBrowser(), line.trim());
  });
  await new Promise((resolve) => child.once('close', resolve));
  const checks: { id: string; status: string }[] = [];
  for (const entry of await readdir(folder)) checks.push(...(JSON.parse(await readFile(join(folder, entry, 'checks.json'), 'utf8')) as typeof checks));
  await rm(folder, { recursive: true });
  return checks;
}

describe('MCP authorization: discovery', () => {
  it('“MCP authorization servers MUST provide at least one of […] RFC 8414 […] OpenID Connect Discovery 1.0”: both, saying the same', async () => {
    expect(await getJson('/.well-known/openid-configuration')).toEqual(await metadataOf());
  });

  it('RFC 8414 section 3.3: “The ‘issuer’ value returned MUST be identical to the authorization server’s issuer identifier value”', async () => {
    expect(await metadataOf()).toMatchObject({ issuer: server.url });
  });

  it('MCP, authorization code protection: “authorization servers […] MUST include code_challenge_methods_supported in their metadata”; nothing but S256', async () => {
    expect(await metadataOf()).toMatchObject({ code_challenge_methods_supported: ['S256'], response_types_supported: ['code'], response_modes_supported: ['query'] });
  });

  it('RFC 9207 section 3: authorization_response_iss_parameter_supported', async () => {
    expect(await metadataOf()).toMatchObject({ authorization_response_iss_parameter_supported: true });
  });

  it('client ID metadata documents: client_id_metadata_document_supported; RFC 7591, 7009, 7662 and 9126 have their endpoints', async () => {
    expect(await metadataOf()).toMatchObject({
      client_id_metadata_document_supported: true,
      registration_endpoint: `${server.url}/oauth/register`, revocation_endpoint: `${server.url}/oauth/revoke`,
      introspection_endpoint: `${server.url}/oauth/introspect`, pushed_authorization_request_endpoint: `${server.url}/oauth/par`, jwks_uri: `${server.url}/oauth/jwks`,
    });
  });
});

describe('OAuth 2.1: authorization code and PKCE', () => {
  it.each([
    ['none', { code_challenge: undefined, code_challenge_method: undefined }],
    ['plain', { code_challenge_method: 'plain' }],
  ])('section 4.1.1: a challenge is required of every client, and hashed (%s)', async (_name, overrides) => {
    expect((await answer(overrides)).get('error')).toBe('invalid_request');
  });

  it('RFC 9207 section 2: “In authorization responses to the client, including error responses, an authorization server […] MUST indicate its identity by including the iss parameter”', async () => {
    expect((await answer()).get('iss')).toBe(server.url);
    expect((await answer({ code_challenge_method: 'plain' })).get('iss')).toBe(server.url);
  });

  it('RFC 6749 section 4.1.2: state is returned “exactly as received from the client”', async () => {
    for (const state of ['a b+c&d=e', 'ünï', undefined]) expect((await answer({ state })).get('state')).toBe(state ?? null);
  });

  it('RFC 6749 section 4.1.2: “If an authorization code is used more than once, the authorization server MUST deny the request and SHOULD revoke (when possible) all tokens previously issued”', async () => {
    const fields = await codeFields();
    const { body } = await token(fields);
    expect((await token(fields)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await token({ grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) })).body).toMatchObject({ error: 'invalid_grant' });
  });

  it('RFC 9700 section 2.1: “authorization servers MUST utilize exact string matching except for port numbers in localhost redirection URIs of native apps”', async () => {
    for (const redirectUri of ['https://client.example/callback/', 'https://client.example/callback?x', 'https://sub.client.example/callback', 'http://client.example/callback']) {
      const page = await browserOf().open((await flow({ redirect_uri: redirectUri })).url);
      expect([page.url.origin, page.status]).toEqual([server.url, 400]);
    }
    const other = await passThrough(browserOf(), (await flow({ redirect_uri: callback.replace(/:\d+/, ':1') })).url).catch((error: unknown) => error);
    // Nobody listens there: that the browser went is what counts.
    expect(other).toBeInstanceOf(Error);
  });
});

describe('MCP authorization: redirects and registration', () => {
  it.each(['http://client.example/callback', 'javascript:alert(1)', 'data:text/html,x'])('“All redirect URIs MUST be either localhost or use HTTPS” (or be an application’s own, RFC 8252 section 7.1): not %s', async (uri) => {
    expect(await register({ redirect_uris: [uri] })).toMatchObject({ status: 400, body: { error: 'invalid_redirect_uri' } });
  });
});

describe('MCP security best practices: confused deputy', () => {
  it('“Maintain a registry of approved client_id values per user”, “Check this registry before initiating the third-party authorization flow”', async () => {
    const asked = server.provider.requests.length;
    const browser = browserOf();
    expect((await browser.open((await flow()).url)).text).toContain('name="decision"');
    expect(server.provider.requests).toHaveLength(asked);
    await passThrough(browser, (await flow()).url);
    const second = String((await register({ client_name: 'Conformance', redirect_uris: ['https://client.example/callback'], token_endpoint_auth_method: 'none' })).body['client_id']);
    expect((await browser.open((await flow({ client_id: second })).url)).text).toContain('name="decision"');
  });

  it('“Clearly identify the requesting MCP client by name”, “Display the specific […] scopes being requested”, “Show the registered redirect_uri”, “Implement CSRF protection”, “Prevent iframing”', async () => {
    const browser = browserOf();
    const page = await browser.open((await flow()).url);
    for (const text of ['“Conformance”', 'Call the tools of this server', 'client.example']) expect(page.text).toContain(text);
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    expect((await browser.send('POST', page.url, new URLSearchParams({ decision: 'allow' }))).status).toBe(403);
  });

  it('“The consent cookie or session containing the state value MUST NOT be set until after the user has approved the consent screen”', async () => {
    const browser = browserOf();
    const consent = await browser.open((await flow()).url);
    const states = () => runSql(server.databaseUrl, 'select from login_states');
    const before = (await states()).length;
    await browser.submit(consent, { decision: 'deny' });
    expect(await states()).toHaveLength(before);
    await browser.submit(await browser.open((await flow()).url), { decision: 'allow' });
    expect(await states()).toHaveLength(before + 1);
  });
});

describe('tokens', () => {
  it('RFC 9068 sections 2.1 and 2.2: typ at+jwt, signed, with iss, exp, aud, sub, client_id, iat and jti', async () => {
    const { access_token: accessToken } = await tokens();
    expect(decodeProtectedHeader(accessToken)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
    const claims = decodeJwt(accessToken);
    for (const name of ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti', 'scope']) expect(claims).toHaveProperty(name);
    expect(claims).toMatchObject({ iss: server.url, client_id: clientId });
  });

  it('MCP: “Authorization servers SHOULD issue short-lived access tokens”', async () => {
    const { iat = 0, exp = 0 } = decodeJwt((await tokens()).access_token);
    expect(exp - iat).toBe(300);
  });

  it('RFC 8707 section 2: the token is for the resource that was asked for, and for that one only', async () => {
    expect(decodeJwt((await tokens()).access_token).aud).toBe(server.resource);
    expect((await answer({ resource: `${server.resource}-other` })).get('error')).toBe('invalid_target');
  });

  it('RFC 6749 section 5.1: “Cache-Control […] no-store in any response containing tokens”', async () => {
    expect((await token(await codeFields())).headers.get('cache-control')).toBe('no-store');
  });

  it('MCP: “For public clients, authorization servers MUST rotate refresh tokens as described in OAuth 2.1 Section 4.3.1”', async () => {
    const first = await tokens();
    const { body } = await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token, resource: server.resource });
    expect(body['refresh_token']).not.toBe(first.refresh_token);
    expect((await token({ grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) })).status).toBe(200);
    // OAuth 2.1 section 4.3.1: one that comes back later is a stolen one, or its thief holds the other.
    expect((await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token })).body).toMatchObject({ error: 'invalid_grant' });
  });

  it('RFC 7009 section 2.2: “responds with HTTP status code 200 if the token has been revoked successfully or if the client submitted an invalid token”', async () => {
    const { revocation_endpoint: endpoint } = await metadataOf();
    const { access_token: accessToken, refresh_token: refreshToken } = await tokens();
    for (const value of ['nonsense', accessToken, refreshToken]) {
      expect((await fetch(String(endpoint), { method: 'POST', body: new URLSearchParams({ token: value, client_id: clientId }) })).status).toBe(200);
    }
    expect((await token({ grant_type: 'refresh_token', refresh_token: refreshToken })).body).toMatchObject({ error: 'invalid_grant' });
  });
});

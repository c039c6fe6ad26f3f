import { createServer, type IncomingMessage } from 'node:http';
import { GatewayError } from '@gatehouse/errors';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { closeHttpServer, listenOnLoopback } from '../../../../../test/support/listen.ts';
import { type DiscoveryFetch, discoverUpstream } from './discover-upstream.ts';
import { DiscoveryFailure } from './discovery-failure.ts';

type Answer = { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown };

let answers: Record<string, Answer> = {};
let requests: string[] = [];
let origin = '';
const server = createServer((request: IncomingMessage, response) => {
  requests.push(`${request.method} ${request.url}`);
  const { status = 200, headers = {}, body } = answers[request.url ?? ''] ?? { status: 404 };
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body ?? {}));
});

beforeAll(async () => {
  origin = `http://127.0.0.1:${await listenOnLoopback(server)}`;
});
afterAll(() => closeHttpServer(server));
beforeEach(() => {
  requests = [];
  answers = {
    '/mcp': { status: 401, headers: { 'WWW-Authenticate': `Bearer resource_metadata="${origin}/elsewhere", scope="read"` } },
    '/elsewhere': { body: resource() },
    '/.well-known/oauth-authorization-server/tenant': { body: metadata() },
  };
});

const resource = (changes: object = {}) => ({ resource: `${origin}/mcp`, authorization_servers: [`${origin}/tenant`], scopes_supported: ['read', 'write'], ...changes });
const metadata = (changes: object = {}) => ({
  issuer: `${origin}/tenant`, authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token`, code_challenge_methods_supported: ['plain', 'S256'],
  scopes_supported: ['offline_access'], ...changes,
});
const anywhere: DiscoveryFetch = { upstream: () => ({ fetch: (url, init) => fetch(url, init), isNear: () => true }), of: () => (url, init) => fetch(url, init) };
const discover = (path = '/mcp', egress = anywhere) => discoverUpstream(`${origin}${path}`, 'streamable-http', egress);
const failure = (egress = anywhere): Promise<DiscoveryFailure> => discover('/mcp', egress).then(() => Promise.reject(new TypeError('it was discovered')), (error: unknown) => (error instanceof DiscoveryFailure ? error : Promise.reject(error as Error)));

test('the document that the 401 names, and no other; the scope that it names', async () => {
  const { resource: found, server: { issuer, tokenUrl }, scopes } = await discover();
  expect({ found, issuer, tokenUrl, scopes }).toEqual({ found: `${origin}/mcp`, issuer: `${origin}/tenant`, tokenUrl: `${origin}/token`, scopes: ['read', 'offline_access'] });
  expect(requests).toEqual(['POST /mcp', 'GET /elsewhere', 'GET /.well-known/oauth-authorization-server/tenant']);
});

test('without a name: the well-known URI of its path, then that of its root; all scopes', async () => {
  answers['/mcp'] = { status: 401 };
  answers['/.well-known/oauth-protected-resource'] = { body: resource() };
  expect((await discover()).scopes).toEqual(['read', 'write', 'offline_access']);
  expect(requests.slice(1, 3)).toEqual(['GET /.well-known/oauth-protected-resource/mcp', 'GET /.well-known/oauth-protected-resource']);
  answers['/.well-known/oauth-protected-resource/mcp'] = { body: resource({ scopes_supported: ['own'] }) };
  expect((await discover()).scopes).toEqual(['own', 'offline_access']);
});

test('without any: the upstream’s own origin, as of 2025-03-26', async () => {
  answers = { '/mcp': { status: 401 }, '/.well-known/oauth-authorization-server': { body: metadata({ issuer: origin, scopes_supported: undefined }) } };
  expect(await discover()).toMatchObject({ resource: `${origin}/mcp`, server: { issuer: origin }, scopes: [] });
});

test('RFC 8414 first, then OpenID Connect, before and after the path', async () => {
  delete answers['/.well-known/oauth-authorization-server/tenant'];
  answers['/tenant/.well-known/openid-configuration'] = { body: metadata() };
  expect((await discover()).server.issuer).toBe(`${origin}/tenant`);
  expect(requests.slice(2)).toEqual([
    'GET /.well-known/oauth-authorization-server/tenant', 'GET /.well-known/openid-configuration/tenant', 'GET /tenant/.well-known/openid-configuration',
  ]);
});

test('mix-up: endpoints at different sites, unless answers name their issuer', async () => {
  const path = '/.well-known/oauth-authorization-server/tenant';
  answers[path] = { body: metadata({ authorization_endpoint: 'https://honest.example/authorize' }) };
  expect((await failure()).message).toMatch(/different sites, honest\.example and 127\.0\.0\.1/);
  answers[path] = { body: metadata({ authorization_endpoint: 'https://honest.example/authorize', authorization_response_iss_parameter_supported: true }) };
  expect((await discover()).server).toMatchObject({ authorizationUrl: 'https://honest.example/authorize', isIssRequired: true });
});

test('the first of several authorization servers that can be used', async () => {
  answers['/elsewhere'] = { body: resource({ authorization_servers: [`${origin}/none`, `${origin}/tenant`] }) };
  expect((await discover()).server.issuer).toBe(`${origin}/tenant`);
});

const metadataAt = '/.well-known/oauth-authorization-server/tenant';

test.each<[string, () => Readonly<Record<string, Answer>>]>([
  ['metadata of another resource (RFC 9728 section 3.3)', () => ({ '/elsewhere': { body: resource({ resource: 'https://other.example/mcp' }) } })],
  ['of another path of the same origin', () => ({ '/elsewhere': { body: resource({ resource: `${origin}/other` }) } })],
  ['no authorization server', () => ({ '/elsewhere': { body: resource({ authorization_servers: [] }) } })],
  ['one that is no web address', () => ({ '/elsewhere': { body: resource({ authorization_servers: ['javascript:alert(1)'] }) } })],
  ['nothing where the 401 points', () => ({ '/elsewhere': { status: 404 } })],
  ['a redirect there', () => ({ '/elsewhere': { status: 302, headers: { Location: '/.well-known/other' } }, '/.well-known/other': { body: resource() } })],
  ['a page in its place', () => ({ '/elsewhere': { body: '<html>' } })],
  ['another issuer (RFC 8414 section 3.3)', () => ({ [metadataAt]: { body: metadata({ issuer: 'https://evil.example' }) } })],
  ['an issuer of another tenant', () => ({ [metadataAt]: { body: metadata({ issuer: `${origin}/tenant2` }) } })],
  ['no PKCE', () => ({ [metadataAt]: { body: metadata({ code_challenge_methods_supported: undefined }) } })],
  ['PKCE without S256', () => ({ [metadataAt]: { body: metadata({ code_challenge_methods_supported: ['plain'] }) } })],
  ['an authorization endpoint that is a script', () => ({ [metadataAt]: { body: metadata({ authorization_endpoint: 'javascript:alert(1)' }) } })],
  ['no token endpoint', () => ({ [metadataAt]: { body: metadata({ token_endpoint: undefined }) } })],
  ['no metadata at all', () => ({ [metadataAt]: { status: 404 } })],
])('not used: %s', async (_name, changes) => {
  answers = { ...answers, ...changes() };
  expect((await failure()).isPassing).toBe(false);
});

test('what does not answer at the moment is told apart', async () => {
  answers[metadataAt] = { status: 503 };
  expect((await failure()).isPassing).toBe(true);
  answers['/elsewhere'] = { status: 500 };
  expect((await failure()).isPassing).toBe(true);
});

test('scopes that are none are not asked for', async () => {
  answers['/mcp'] = { status: 401 };
  answers['/.well-known/oauth-protected-resource/mcp'] = { body: resource({ scopes_supported: ['a b', 'c"d'] }) };
  expect((await discover()).scopes).toEqual(['offline_access']);
});

test('an upstream somewhere on the internet sends nobody into the private network', async () => {
  const reached: string[] = [];
  const refusing: DiscoveryFetch = {
    ...anywhere,
    upstream: () => ({ fetch: (url, init) => fetch(url, init), isNear: () => false }),
    of: (isNear) => (url) => {
      reached.push(`${isNear} ${url}`);
      return Promise.reject(new GatewayError('upstream_address_refused'));
    },
  };
  expect((await failure(refusing)).isPassing).toBe(false);
  expect([reached, requests]).toEqual([[`false ${origin}/elsewhere`], ['POST /mcp']]);
});

import { describe, expect, test } from 'vitest';
import { discoverTokenUrl } from './discover-token-url.ts';
import { type CannedAnswer, useTokenEndpoint } from './spec-support.ts';

const endpoint = useTokenEndpoint();
const none: CannedAnswer = { status: 404, body: '' };
const discover = (path = ''): Promise<string> => discoverTokenUrl(`${endpoint.url}${path}`, (url, init) => fetch(url, init));
const paths = (): string[] => endpoint.received.map(({ path }) => path);
const metadata = (issuer: string, more: object = {}): CannedAnswer => ({ body: JSON.stringify({ issuer, token_endpoint: `${endpoint.url}/oauth/token`, ...more }) });
const failureOf = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'none', ({ kind }: { kind: string }) => kind);

describe('RFC 8414 section 3.1', () => {
  test('of an issuer without a path', async () => {
    endpoint.answer(metadata(`${endpoint.url}/`));
    expect(await discover()).toBe(`${endpoint.url}/oauth/token`);
    expect(paths()).toEqual(['/.well-known/oauth-authorization-server']);
  });

  test('of one with a path, and OpenID Connect’s in its place', async () => {
    endpoint.answer(none, none, metadata(`${endpoint.url}/tenant`));
    expect(await discover('/tenant')).toBe(`${endpoint.url}/oauth/token`);
    expect(paths()).toEqual(['/.well-known/oauth-authorization-server/tenant', '/.well-known/openid-configuration/tenant', '/tenant/.well-known/openid-configuration']);
  });
});

describe('nothing is taken', () => {
  test.each<[string, () => CannedAnswer, string]>([
    ['of another issuer (section 3.3)', () => metadata('https://other.example'), 'misconfigured'],
    ['without a token endpoint', () => metadata(endpoint.url, { token_endpoint: 7 }), 'misconfigured'],
    ['with a token endpoint that is none', () => metadata(endpoint.url, { token_endpoint: 'file:///etc' }), 'misconfigured'],
    ['where there is nothing', () => none, 'misconfigured'],
    ['where a redirect leads elsewhere', () => ({ status: 302, body: '' }), 'misconfigured'],
    ['of a server that fails', () => ({ status: 503, body: '' }), 'unavailable'],
    ['of one that breaks off', () => ({ reset: true }), 'unavailable'],
  ])('%s', async (_name, answer, kind) => {
    endpoint.answer(answer());
    expect(await failureOf(discover())).toBe(kind);
  });

  test('of an issuer that is no URL', async () => expect(await failureOf(discoverTokenUrl('orders', fetch))).toBe('misconfigured'));
});

test('a token endpoint of an https issuer is https', async () => {
  const answering = (token_endpoint: string) => () => Promise.resolve(Response.json({ issuer: 'https://as.example', token_endpoint }));
  expect(await failureOf(discoverTokenUrl('https://as.example', answering('http://as.example/token')))).toBe('misconfigured');
  expect(await discoverTokenUrl('https://as.example', answering('https://as.example/token'))).toBe('https://as.example/token');
});

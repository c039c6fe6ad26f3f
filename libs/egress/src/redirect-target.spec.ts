import { describe, expect, it } from 'vitest';
import { RedirectError } from './redirect-error.ts';
import { maxRedirects, type RedirectAnswer, redirectTarget } from './redirect-target.ts';

const base = 'https://a.example/team/mcp';
const redirect = (location: RedirectAnswer['location'], more: Partial<RedirectAnswer> = {}, followed = 0) =>
  redirectTarget({ base, method: 'POST', path: '/team/mcp?key=s3cret', status: 307, location, ...more }, followed);
const follow = (path: string, method = 'POST') => ({ follow: { method, path } });
const refused = (reason: string, origin?: string) => ({ refused: reason, origin });

describe('inside of the configured URL', () => {
  it.each([
    ['/team/mcp', '/team/mcp'],
    ['/team/mcp/', '/team/mcp/'],
    ['/team/mcp/deeper/still', '/team/mcp/deeper/still'],
    ['https://a.example/team/mcp/x', '/team/mcp/x'],
    ['HTTPS://A.EXAMPLE:443/team/mcp/x', '/team/mcp/x'],
    ['//a.example/team/mcp/x', '/team/mcp/x'],
    ['mcp/x', '/team/mcp/x'],
    ['./mcp/../mcp/x', '/team/mcp/x'],
    ['/team/mcp/../mcp/', '/team/mcp/'],
    ['?other=1', '/team/mcp?other=1'],
    ['/team/mcp?next=%2F..%2Fadmin&back=a\\b', '/team/mcp?next=%2F..%2Fadmin&back=a\\b'],
    ['/team/mcp/x#fragment', '/team/mcp/x'],
    ['/team/mcp/a.b/..c', '/team/mcp/a.b/..c'],
  ])('%s is followed', (location, path) => {
    expect(redirect(location)).toEqual(follow(path));
  });

  it.each([
    ['https://a.example', '/anything', '/anything'],
    ['https://a.example/', '/anything?x', '/anything?x'],
    ['https://a.example/mcp/', '/mcp/', '/mcp/'],
    ['https://a.example/mcp/', '/mcp', '/mcp'],
    ['https://a.example/mcp/', '/mcp/x', '/mcp/x'],
    ['https://a.example/mcp?tenant=1', '/mcp/x', '/mcp/x'],
    ['http://[::1]:8080/mcp', 'http://[0:0:0:0:0:0:0:1]:8080/mcp/x', '/mcp/x'],
  ])('the base %s has %s', (own, location, path) => {
    expect(redirect(location, { base: own, path: '/mcp/' })).toEqual(follow(path));
  });

  it('a relative target starts from the request that was answered, not from the base', () => {
    expect(redirect('c', { path: '/team/mcp/a/b' })).toEqual(follow('/team/mcp/a/c'));
    expect(redirect('../x', { path: '/team/mcp/a' })).toEqual(refused('outside_base_path', 'https://a.example'));
  });
});

describe('elsewhere', () => {
  it.each([
    ['another host', 'https://b.example/team/mcp', 'https://b.example'],
    ['a sub-domain', 'https://sub.a.example/team/mcp', 'https://sub.a.example'],
    ['a parent domain', 'https://example/team/mcp', 'https://example'],
    ['the name with a dot', 'https://a.example./team/mcp', 'https://a.example.'],
    ['the name as a prefix', 'https://a.example.evil.example/team/mcp', 'https://a.example.evil.example'],
    ['another port', 'https://a.example:8443/team/mcp', 'https://a.example:8443'],
    ['http', 'http://a.example/team/mcp', 'http://a.example'],
    ['http at the same port', 'http://a.example:443/team/mcp', 'http://a.example:443'],
    ['no scheme', '//b.example/team/mcp', 'https://b.example'],
    ['back slashes for slashes', '\\\\b.example\\team\\mcp', 'https://b.example'],
    ['a tab in the scheme', 'ht\ttps://b.example/', 'https://b.example'],
    ['another user, host and all', 'https://a.example@b.example/team/mcp', 'https://b.example'],
    ['the metadata address', 'http://169.254.169.254/latest/meta-data/', 'http://169.254.169.254'],
    ['a number for an address', 'http://2130706433/', 'http://127.0.0.1'],
    ['another scheme', 'ftp://a.example/team/mcp', 'ftp://a.example'],
    ['no web at all', 'data:text/plain,x', undefined],
    ['a script', 'javascript:alert(1)', undefined],
    ['a host nobody could have', `https://${'x'.repeat(300)}.example/`, undefined],
  ])('%s is not followed', (_, location, origin) => {
    expect(redirect(location)).toEqual(refused('other_origin', origin));
  });

  it.each(['/', '/team', '/team/', '/team/mcpx', '/team/MCP', '/team/mcp/..', '/team/mcp/../', '/team/mcp/../../etc', '/other', '..', '/team/mcp/../mc%70', '//a.example/team/other'])(
    '%s is outside of the base path',
    (location) => {
      expect(redirect(location)).toEqual(refused('outside_base_path', 'https://a.example'));
    },
  );

  it.each([
    ['an encoded slash', '/team/mcp/..%2fadmin'],
    ['an encoded back slash', '/team/mcp/..%5Cadmin'],
    ['encoded dots', '/team/mcp/%2e%2e/admin'],
    ['encoded dots that stay inside', '/team/mcp/a/%2E%2E/b'],
    ['dots encoded twice', '/team/mcp/%252e%252e/admin'],
    ['a slash encoded three times', '/team/mcp/..%25252fadmin'],
    ['a back slash', '/team/mcp/x\\y'],
    ['a servlet’s dots', '/team/mcp/..;/admin'],
    ['a servlet’s dot', '/team/mcp/.;a=b/admin'],
    ['user information', 'https://user@a.example/team/mcp'],
    ['a password', 'https://:pass@a.example/team/mcp'],
    ['a line break', '/team/mcp/\nx'],
    ['a blank', '/team/mcp/a b'],
    ['a letter that is not ASCII', '/team/mcp/ü'],
  ])('%s is not clear', (_, location) => {
    expect(redirect(location)).toEqual(refused('unclear_location', 'https://a.example'));
  });

  it.each([
    ['none', undefined, 'no_location'],
    ['an empty one', '', 'no_location'],
    ['two', ['/team/mcp/x', 'https://b.example/'], 'unclear_location'],
    ['one that cannot be parsed', 'https://[nonsense', 'unclear_location'],
    ['a huge one', `/team/mcp/${'x'.repeat(9_000)}`, 'unclear_location'],
  ] as const)('a location that is %s', (_, location, reason) => {
    expect(redirect(location)).toEqual(refused(reason, undefined));
  });
});

describe('what is repeated', () => {
  it.each(['GET', 'HEAD'])('%s after every status', (method) => {
    for (const status of [301, 302, 303, 307, 308]) expect(redirect('/team/mcp/x', { method, status })).toEqual(follow('/team/mcp/x', method));
  });

  it.each(['POST', 'DELETE'])('%s after 307 and 308 only', (method) => {
    for (const status of [307, 308]) expect(redirect('/team/mcp/x', { method, status })).toEqual(follow('/team/mcp/x', method));
    for (const status of [301, 302, 303]) expect(redirect('/team/mcp/x', { method, status })).toEqual(refused('method_not_repeated', 'https://a.example'));
  });

  it('five times at most', () => {
    expect(redirect('/team/mcp/x', {}, maxRedirects - 1)).toEqual(follow('/team/mcp/x'));
    expect(redirect('/team/mcp/x', {}, maxRedirects)).toEqual(refused('too_many', 'https://a.example'));
    expect(redirect('https://b.example/', {}, maxRedirects)).toEqual(refused('other_origin', 'https://b.example'));
  });
});

it('an error tells the origin of the target and nothing else of it', () => {
  const target = redirect('https://b.example:8443/path-of-it?query=of-it');
  if (!('refused' in target)) throw new Error('followed');
  const error = new RedirectError({ reason: target.refused, origin: target.origin, method: 'POST', status: 307 });
  expect(error).toMatchObject({ code: 'upstream_redirected', redirectOrigin: 'https://b.example:8443' });
  expect(error.publicDetail).toContain('https://b.example:8443');
  expect(`${error.publicDetail} ${error.message}`).not.toMatch(/of-it/);
});

import { Secret } from '@gatehouse/sealing';
import { describe, expect, it } from 'vitest';
import { type AppDefinition, resolveApp } from './resolve-app.ts';
import { loadCatalog } from './load-catalog.ts';

const catalog = loadCatalog();
const clientSecret = new Secret('secret');
const own = { authorizationUrl: 'https://id.example/authorize', tokenUrl: 'https://id.example/token' };

const resolved = (app: Partial<AppDefinition>) => {
  const resolution = resolveApp({ clientId: 'id', clientSecret, ...app }, catalog);
  if ('problems' in resolution) throw new Error(JSON.stringify(resolution.problems));
  return resolution.app;
};
const problems = (app: Partial<AppDefinition>) => {
  const resolution = resolveApp({ clientId: 'id', clientSecret, ...app }, catalog);
  return 'problems' in resolution ? resolution.problems.map(({ pointer }) => pointer) : [];
};

it('an app of no provider is as RFC 6749 has it, with PKCE, and careful with refresh tokens', () => {
  expect(resolved(own)).toEqual({
    ...own, issuer: undefined, refreshUrl: own.tokenUrl, revocationUrl: undefined, clientId: 'id', clientSecret, clientAuth: 'basic', scopes: [], scopeSeparator: ' ', scopeParameter: 'scope',
    pkce: true, authorizationParameters: {}, tokenParameters: {}, tokenRequest: 'form', resource: undefined, refresh: { rotates: true }, revocation: 'none',
  });
  expect(resolved({ ...own, revocationUrl: 'https://id.example/revoke' })).toMatchObject({ revocation: 'rfc7009', revocationUrl: 'https://id.example/revoke' });
});

it('the catalogue fills in what a document leaves out, and what it says comes first', () => {
  expect(resolved({ provider: 'slack', scopes: ['chat:write', 'chat:write'] })).toMatchObject({
    scopeParameter: 'user_scope', scopeSeparator: ',', tokensAt: '/authed_user', scopes: ['chat:write'], revocation: 'bearer-post', pkce: false, clientAuth: 'basic',
  });
  expect(resolved({ provider: 'slack', pkce: true, clientAuth: 'post' })).toMatchObject({ pkce: true, clientAuth: 'post' });
  expect(resolved({ provider: 'google', extraParameters: { prompt: 'select_account', hd: 'corp.example' } }).authorizationParameters).toEqual({ access_type: 'offline', prompt: 'select_account', hd: 'corp.example' });
  expect(resolved({ provider: 'github', revocationUrl: 'https://ghe.example/revoke' })).toMatchObject({ revocation: 'rfc7009' });
  expect(resolved({ provider: 'github' }).clientAuth).toBe('post');
});

it('what a refresh token is given for is asked for whatever the scopes', () => {
  expect(resolved({ provider: 'atlassian', scopes: ['read:jira-work'] }).scopes).toEqual(['read:jira-work', 'offline_access']);
  expect(resolved({ provider: 'atlassian', scopes: ['offline_access'] }).scopes).toEqual(['offline_access']);
});

it('tokens are refreshed where the provider does that, unless the document has another token URL', () => {
  expect(resolved({ provider: 'figma' }).refreshUrl).toBe('https://api.figma.com/v1/oauth/refresh');
  expect(resolved({ provider: 'figma', tokenUrl: own.tokenUrl }).refreshUrl).toBe(own.tokenUrl);
});

it('variables have their defaults, and make every URL', () => {
  expect(resolved({ provider: 'gitlab' }).tokenUrl).toBe('https://gitlab.com/oauth/token');
  expect(resolved({ provider: 'gitlab', variables: { base: 'https://git.corp.example/gitlab' } })).toMatchObject({
    authorizationUrl: 'https://git.corp.example/gitlab/oauth/authorize', tokenUrl: 'https://git.corp.example/gitlab/oauth/token', revocationUrl: 'https://git.corp.example/gitlab/oauth/revoke',
  });
  expect(resolved({ provider: 'keycloak', variables: { base: 'https://sso.corp.example', realm: 'corp' } }).issuer).toBe('https://sso.corp.example/realms/corp');
});

describe('no variable leads elsewhere', () => {
  it.each([
    ['zendesk', 'subdomain', ['evil.example/', 'a.b', 'a#', 'a?', 'a@b', 'A', '-a', '', '{base}', 'a/../b', '..']],
    ['okta', 'domain', ['evil.example/x', 'evil.example?', 'user@evil.example', 'localhost', 'a..b', 'a.example#', 'https://a.example', 'a.example\n', `${'a.'.repeat(200)}example`]],
    ['microsoft', 'tenant', ['a/b', '..', '.', 'a?b', 'a#b', '%2e%2e', 'a b', '']],
    ['keycloak', 'base', ['ftp://a.example', 'https://', 'https://user@a.example', 'https://a.example/', 'https://a.example?x', 'https://a.example#x', 'a.example', 'https://a.example/%2e%2e', 'javascript:alert(1)']],
  ])('%s %s', (provider, name, values) => {
    const others = provider === 'keycloak' ? { realm: 'corp' } : {};
    for (const value of values) expect([value, problems({ provider, variables: { ...others, [name]: value } })]).toEqual([value, [`/variables/${name}`]]);
  });
});

describe('what cannot work is said by pointer', () => {
  it.each<[string, Partial<AppDefinition>, string[]]>([
    ['nothing to go by', {}, ['/authorizationUrl', '/tokenUrl']],
    ['a provider that nobody knows', { provider: 'nonsense' }, ['/provider']],
    ['missing variables', { provider: 'keycloak' }, ['/variables/base', '/variables/realm']],
    ['inherited names are no variables', { provider: 'zendesk', variables: {} }, ['/variables/subdomain']],
    ['no PKCE where it is required', { provider: 'airtable', pkce: false }, ['/pkce']],
    ['neither secret nor PKCE', { ...own, clientSecret: undefined, pkce: false }, ['/pkce']],
  ])('%s', (_what, app, pointers) => expect(problems(app)).toEqual(pointers));
});

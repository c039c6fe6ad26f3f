import { beforeEach, describe, expect, test } from 'vitest';
import { logIn, providerDocument, publicOrigin, useLogin } from '../../spec-support/use-login.ts';

const fixture = useLogin({ GATEHOUSE_LOCAL_LOGIN: 'true' });
const open = (path: string, browser = fixture.browser()) => browser.open(`${publicOrigin}${path}`);
const headers = { 'If-Match': '*' };
const password = 'correct horse battery';

beforeEach(() => fixture.query(`delete from identity_providers where name <> 'corp'; delete from people`));

const isAtProvider = (url: URL): boolean => url.origin === fixture.provider.issuer;

test('one provider is gone to at once', async () => {
  expect(isAtProvider((await open('/login')).url)).toBe(true);
});

test('of several, people choose', async () => {
  await fixture.plane.send('POST', '/v1/identity-providers', { body: providerDocument(fixture.provider, { name: 'partners', title: 'Partners & <friends>', issuer: 'http://127.0.0.1:9' }) });
  const page = await open('/login?return_to=/openapi.json');
  expect(page.url.pathname).toBe('/login');
  expect(page.text).toContain('Partners &amp; &lt;friends&gt;');
  const links = [...page.text.matchAll(/href="([^"]+)"/g)].map(([, href = '']) => href.replaceAll('&amp;', '&'));
  expect(links).toEqual(['/login/start/corp?return_to=%2Fopenapi.json', '/login/start/partners?return_to=%2Fopenapi.json', '/login/local?return_to=%2Fopenapi.json']);
});

test('a provider that is asked for is gone to; one that is not there is said so', async () => {
  await fixture.plane.send('POST', '/v1/identity-providers', { body: providerDocument(fixture.provider, { name: 'partners', issuer: 'http://127.0.0.1:9' }) });
  expect(isAtProvider((await open('/login?identity_provider=corp')).url)).toBe(true);
  for (const name of ['nobody', '', '..%2f..', 'partners%00']) expect((await open(`/login?identity_provider=${name}`)).status).toBe(404);
  await fixture.plane.send('PATCH', '/v1/identity-providers/partners', { body: { enabled: false }, headers });
  expect([(await open('/login?identity_provider=partners')).status, (await open('/login/start/partners')).status]).toEqual([404, 404]);
});

test('who is logged in elsewhere than asked for logs in there; who is to prove it again does', async () => {
  const browser = fixture.browser();
  await logIn(browser, 'ana');
  expect((await open('/login?return_to=/openapi.json&identity_provider=corp', browser)).url.pathname).toBe('/openapi.json');
  expect((await open('/login?identity_provider=local', browser)).url.pathname).toBe('/login');
  expect((await open('/login?identity_provider=local', browser)).forms).toHaveLength(1);
  expect(isAtProvider((await open('/login?fresh=proven', browser)).url)).toBe(true);
});

test('a server may ask for a provider that is not there: whoever comes reads what that means, and nothing of what was sent', async () => {
  const page = await fixture.browser().visit(`${publicOrigin}/login?identity_provider=gone-away`);
  expect([page.status, page.text.includes('No way to log in there'), page.text.includes('gone-away')]).toEqual([404, true, false]);
});

describe('beside a provider, local accounts are for administrators', () => {
  async function account(email: string, assignedRoles: string[]): Promise<void> {
    const { body } = await fixture.plane.send<{ loginLink: { url: string } }>('POST', '/v1/users', { body: { email, assignedRoles } });
    const browser = fixture.browser();
    await browser.submit(await browser.open(body.loginLink.url), { password });
  }
  const statusOf = async (email: string): Promise<number> => {
    const browser = fixture.browser();
    return (await browser.submit(await open('/login/local?return_to=/openapi.json', browser), { email, password })).status;
  };

  test('who may log in depends on whether there is a provider', async () => {
    const switchProvider = (enabled: boolean) => fixture.plane.send('PATCH', '/v1/identity-providers/corp', { body: { enabled }, headers });
    await account('root@corp.example', ['admin']);
    await switchProvider(false);
    await account('ben@corp.example', ['editor']);
    await switchProvider(true);
    expect([await statusOf('root@corp.example'), await statusOf('ben@corp.example')]).toEqual([200, 401]);
    await switchProvider(false);
    expect(await statusOf('ben@corp.example')).toBe(200);
    await switchProvider(true);
  });

  test('a link lets nobody in whom a password would not', async () => {
    const { body } = await fixture.plane.send<{ loginLink: { url: string } }>('POST', '/v1/users', { body: { email: 'carl@corp.example', assignedRoles: ['editor'] } });
    const browser = fixture.browser();
    const page = await browser.submit(await browser.open(body.loginLink.url), { password });
    expect([page.status, page.text.includes('account_disabled')]).toEqual([403, true]);
    expect(await fixture.query(`select password_hash from people where email = 'carl@corp.example'`)).toEqual([{ password_hash: null }]);
  });
});

test('without a provider, local accounts are where one logs in', async () => {
  await fixture.plane.send('PATCH', '/v1/identity-providers/corp', { body: { enabled: false }, headers });
  expect((await open('/login')).forms[0]?.action.pathname).toBe('/login/local');
  await fixture.plane.send('PATCH', '/v1/identity-providers/corp', { body: { enabled: true }, headers });
});

test('pages run no script, are framed by nobody and kept by nobody', async () => {
  for (const path of ['/login/local', '/login/link?token=x', '/login/start/nobody', '/logout']) {
    const page = await fixture.browser().visit(`${publicOrigin}${path}`);
    expect(page.headers.get('content-security-policy'), path).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/);
    expect([path, page.headers.get('x-frame-options'), page.headers.get('cache-control'), page.headers.get('referrer-policy')]).toEqual([path, 'DENY', 'no-store', 'no-referrer']);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  }
});

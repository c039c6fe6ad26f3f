import { beforeAll, expect, test } from 'vitest';
import type { TestBrowser } from '../../../../../test/support/test-browser.ts';
import { acmeRedirectUri, appDocument, pressConnect, useConnecting } from '../../spec-support/use-connecting.ts';
import { publicOrigin } from '../../spec-support/use-login.ts';

const fixture = useConnecting();
let ana: TestBrowser;
let anaId = '';

beforeAll(async () => {
  ana = await fixture.browserOf('ana');
  anaId = await fixture.personId('ana');
});

const count = async (): Promise<number> => (await fixture.query('select from connections where session_id is null')).length;

/** Begun, and the provider's answer not yet opened. */
async function answered(browser = ana): Promise<URL> {
  const provider = await pressConnect(browser, await fixture.link({ personId: anaId }));
  const back = await browser.send('POST', provider.forms[0]?.action ?? provider.url, new URLSearchParams({ login: 'ana-at-acme' }));
  const resumed = await browser.visit(new URL(back.headers.get('location') ?? '', provider.url));
  return new URL(resumed.headers.get('location') ?? '');
}

const changed = (url: URL, changes: Readonly<Record<string, string | undefined>>, path = url.pathname): URL => {
  const result = new URL(path + url.search, url);
  for (const [name, value] of Object.entries(changes)) {
    result.searchParams.delete(name);
    if (value !== undefined) result.searchParams.set(name, value);
  }
  return result;
};

const freshAna = () => fixture.browserOf('ana');

test('the provider’s answer is as it should be', async () => {
  const url = await answered(await freshAna());
  expect([url.origin + url.pathname, url.searchParams.get('iss'), url.searchParams.has('code')]).toEqual([acmeRedirectUri, fixture.acme.issuer, true]);
});

test('an answer in another browser, of the same person too, is not taken, and still good in the one that began', async () => {
  const browser = await freshAna();
  const url = await answered(browser);
  const page = await ana.open(url);
  expect([page.status, page.text]).toEqual([400, expect.stringContaining('state_unknown')]);
  expect((await fixture.browser().open(url)).status).toBe(400);
  expect(await count()).toBe(0);
  expect((await browser.open(url)).text).toContain('return to your chat');
});

test('an answer counts once', async () => {
  const browser = await freshAna();
  const url = await answered(browser);
  expect((await browser.open(url)).status).toBe(200);
  expect((await browser.open(url)).text).toContain('state_unknown');
  expect(await count()).toBe(1);
});

test('mix-up: an answer that another issuer gave is not used', async () => {
  const browser = await freshAna();
  const page = await browser.open(changed(await answered(browser), { iss: 'https://evil.example' }));
  expect([page.status, page.text]).toEqual([400, expect.stringContaining('other_issuer')]);
  const another = await freshAna();
  const failed = await another.open(changed(await answered(another), { iss: 'https://evil.example', code: undefined, error: 'access_denied' }));
  expect(failed.text).toContain('other_issuer');
});

test('mix-up: an answer at another app’s address is not taken', async () => {
  await fixture.plane.send('POST', '/v1/workspaces/default/apps', { body: { ...appDocument(fixture.acme), name: 'evil' } });
  const browser = await freshAna();
  const url = await answered(browser);
  for (const path of ['/connect/callback/default/evil', '/connect/callback/default/unknown', '/connect/callback/00000000-0000-7000-8000-000000000001']) {
    expect((await browser.open(changed(url, {}, path))).text).toContain('state_unknown');
  }
  expect((await browser.open(url)).text).toContain('return to your chat');
});

test.each([
  ['another code', { code: 'a-code-of-somebody-else' }, 'code_refused'],
  ['no code', { code: undefined }, 'refused_by_provider'],
  ['another state', { state: 'A'.repeat(43) }, 'state_unknown'],
  ['no state', { state: undefined }, 'state_unknown'],
  ['access_denied', { code: undefined, error: 'access_denied' }, 'denied'],
  ['invalid_scope', { code: undefined, error: 'invalid_scope' }, 'refused_by_provider'],
  ['server_error', { code: undefined, error: 'server_error' }, 'provider_unavailable'],
  ['an error that is none', { code: undefined, error: '<b>x</b>' }, 'refused_by_provider'],
])('%s', async (_name, changes, reason) => {
  const browser = await freshAna();
  const before = await count();
  const page = await browser.open(changed(await answered(browser), changes));
  expect(page.text).toContain(reason);
  expect(page.text).not.toContain('<b>x</b>');
  expect(await count()).toBe(before);
});

test('a provider’s words are text, short, and without tricks', async () => {
  const browser = await freshAna();
  const words = `<img src=x>\u202etxet\u0000 ${'long '.repeat(200)}`;
  const page = await browser.open(changed(await answered(browser), { code: undefined, error: 'access_denied', error_description: words }));
  expect(page.text).toContain('&lt;img src=x&gt; txet');
  expect(page.text).not.toMatch(/<img|\u202e|\0/);
  expect(page.text.length).toBeLessThan(8_000);
});

test('a code that comes twice is none', async () => {
  const browser = await freshAna();
  const url = await answered(browser);
  url.searchParams.append('code', 'another');
  expect((await browser.open(url)).text).toContain('refused_by_provider');
});

test('the form counts only from its own page, and for whoever saw it', async () => {
  const browser = await freshAna();
  const link = await fixture.link({ personId: anaId });
  const question = await browser.open(link);
  const fields = question.forms[0]?.fields ?? {};
  const post = (form: Readonly<Record<string, string>>, headers = {}, from = browser) => from.send('POST', new URL('/connect', publicOrigin), new URLSearchParams(form), headers);
  expect((await post({ ...fields, form_token: '' })).status).toBe(403);
  expect((await post(fields, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
  // Another browser of hers.
  expect((await post(fields, {}, ana)).status).toBe(403);
  expect((await post(fields)).status).toBe(200);
});

test('pages are not framed, load nothing and are not kept', async () => {
  const { headers } = await ana.open(await fixture.link({ personId: anaId }));
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/);
  expect([headers.get('cache-control'), headers.get('referrer-policy')]).toEqual(['no-store', 'no-referrer']);
});

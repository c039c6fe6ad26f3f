import { beforeAll, describe, expect, test } from 'vitest';
import type { BrowserPage, TestBrowser } from '../../../../../test/support/test-browser.ts';
import { authorizationRequest, authorize, codeOf, resourceUrl, useAgents } from '../../spec-support/use-agents.ts';
import { logIn, publicOrigin } from '../../spec-support/use-login.ts';

const fixture = useAgents();
const asksForConsent = (text: string) => text.includes('name="decision" value="allow"');
/** Logs in as someone else than the provider's own session knows: it has a page between, which sends itself by a script. */
const switchTo = async (browser: TestBrowser, page: BrowserPage, login: string) => browser.submit(await browser.submit(page, { login }));
const paramsOf = (url: URL) => Object.fromEntries(url.searchParams);

test('consent comes before the login: an unknown browser sees who asks for what, and no provider is asked before', async () => {
  const agent = await fixture.register({ client_name: 'Cursor', redirect_uris: ['http://127.0.0.1:5555/callback'] });
  const browser = fixture.browser();
  const asked = fixture.provider.requests.length;
  const page = await browser.open(authorizationRequest(agent).url);
  expect(page.url.pathname).toMatch(/^\/oauth\/interaction\//);
  expect(page.text).toContain('<b>“Cursor”</b> wants to use');
  for (const text of ['<b>127.0.0.1:5555</b>', '<b>Orders</b>', 'default/orders', resourceUrl('orders'), 'chose this name itself']) expect(page.text).toContain(text);
  expect(fixture.provider.requests).toHaveLength(asked);
  const login = await browser.submit(page, { decision: 'allow' });
  expect(login.url.origin).toBe(fixture.provider.issuer);
  expect(codeOf(await browser.submit(login, { login: 'ana' }))).toBeTruthy();
});

test('who refuses sends the client away with access_denied, and logs in nowhere', async () => {
  const agent = await fixture.register();
  const request = authorizationRequest(agent);
  const browser = fixture.browser();
  const asked = fixture.provider.requests.length;
  const page = await browser.submit(await browser.open(request.url), { decision: 'deny' });
  expect([page.url.origin, paramsOf(page.url)]).toEqual(['https://client.example', { error: 'access_denied', error_description: expect.any(String) as string, state: request.state, iss: publicOrigin }]);
  expect(fixture.provider.requests).toHaveLength(asked);
});

describe('what was agreed to', () => {
  let first: Awaited<ReturnType<typeof fixture.register>>;
  let browserOfFirst: ReturnType<typeof fixture.browser>;
  beforeAll(async () => {
    await fixture.addServer('billing');
    await fixture.addServer('scoped', { agentAuth: { type: 'interactive', scopes: ['orders:read', 'orders:write'] } });
    first = await fixture.register({ redirect_uris: ['https://client.example/callback', 'https://other.example/callback'] });
    browserOfFirst = fixture.browser();
    await authorize(browserOfFirst, authorizationRequest(first));
    await authorize(browserOfFirst, authorizationRequest(first, { resource: resourceUrl('scoped'), scope: 'mcp orders:read' }));
  });

  test('is remembered for this person, client, way back and server; nothing is asked, and nobody logs in again', async () => {
    const agent = await fixture.register();
    const browser = fixture.browser();
    await authorize(browser, authorizationRequest(agent));
    const page = await browser.open(authorizationRequest(agent).url);
    expect(codeOf(page)).toBeTruthy();
  });

  test.each<[string, () => Parameters<typeof authorizationRequest> | Promise<Parameters<typeof authorizationRequest>>]>([
    ['a second client of the same name', async () => [await fixture.register()]],
    ['another server', () => [first, { resource: resourceUrl('billing') }]],
    ['another way back', () => [{ ...first, redirectUri: 'https://other.example/callback' }]],
    ['more than before', () => [first, { resource: resourceUrl('scoped'), scope: 'mcp orders:write' }]],
    ['a client that wants it asked', () => [first, { prompt: 'consent' }]],
  ])('says nothing of %s', async (_name, request) => {
    const page = await browserOfFirst.open(authorizationRequest(...(await request())).url);
    expect(asksForConsent(page.text)).toBe(true);
    expect(page.text).toContain('Ana Martín (ana@corp.example)');
  });

  test('says nothing of another person in the same browser', async () => {
    const agent = await fixture.register();
    const browser = fixture.browser();
    await authorize(browser, authorizationRequest(agent), 'ana');
    await switchTo(browser, await browser.open(`${publicOrigin}/login?fresh=proven&return_to=/openapi.json`), 'ben');
    expect(asksForConsent((await browser.open(authorizationRequest(agent).url)).text)).toBe(true);
  });

  test('says nothing of another port of the person’s own machine, where another program may listen (RFC 8252 section 8.6)', async () => {
    const agent = await fixture.register({ redirect_uris: ['http://127.0.0.1:5555/callback'] });
    const browser = fixture.browser();
    await authorize(browser, authorizationRequest(agent));
    expect(asksForConsent((await browser.open(authorizationRequest({ ...agent, redirectUri: 'http://127.0.0.1:6666/callback' }).url)).text)).toBe(true);
    expect(codeOf(await browser.open(authorizationRequest(agent).url))).toBeTruthy();
  });
});

describe('the form', () => {
  test.each<[string, { fields?: Record<string, string>; headers?: Record<string, string> }]>([
    ['without its token', { fields: { form_token: '' } }],
    ['with another one', { fields: { form_token: 'x'.repeat(43) } }],
    ['sent by another site', { headers: { 'Sec-Fetch-Site': 'cross-site' } }],
    ['sent by a page of another origin', { headers: { Origin: 'https://evil.example' } }],
  ])('%s does nothing', async (_name, { fields = {}, headers = {} }) => {
    const browser = fixture.browser();
    const page = await browser.open(authorizationRequest(await fixture.register()).url);
    const [form] = page.forms;
    const body = new URLSearchParams({ ...form?.fields, decision: 'allow', ...fields });
    const reply = await browser.send('POST', page.url, body, headers);
    expect([reply.status, reply.text]).toEqual([403, expect.stringContaining('cross_site_request')]);
    expect(asksForConsent((await browser.open(page.url)).text)).toBe(true);
  });

  test('of one flow does not answer another one of the same browser', async () => {
    const browser = fixture.browser();
    const [first, second] = [await browser.open(authorizationRequest(await fixture.register()).url), await browser.open(authorizationRequest(await fixture.register()).url)];
    const reply = await browser.send('POST', second.url, new URLSearchParams({ ...first.forms[0]?.fields, decision: 'allow' }));
    expect(reply.status).toBe(403);
    // Both flows go on beside each other.
    for (const page of [first, second]) expect((await browser.submit(page, { decision: 'allow' })).url.origin).toBe(fixture.provider.issuer);
  });

  test('belongs to the browser that began: elsewhere the address alone shows nothing', async () => {
    const page = await fixture.browser().open(authorizationRequest(await fixture.register()).url);
    const stranger = await fixture.browser().open(page.url);
    expect([stranger.status, stranger.text]).toEqual([400, expect.stringContaining('login_expired')]);
    // There is nothing at the front door for who came from an application.
    expect(stranger.text).toContain('Go back to the application');
    expect(stranger.text).not.toContain('href="/login"');
    const posted = await fixture.browser().send('POST', page.url, new URLSearchParams({ ...page.forms[0]?.fields, decision: 'allow' }));
    expect(posted.status).toBe(403);
  });

  test('skipping it leads back to it', async () => {
    const browser = fixture.browser();
    const page = await browser.open(authorizationRequest(await fixture.register()).url);
    const skipped = await browser.open(page.url.href.replace('/oauth/interaction/', '/oauth/authorize/'));
    expect(asksForConsent(skipped.text)).toBe(true);
  });

  test('a flow that is over stays over', async () => {
    const browser = fixture.browser();
    const page = await browser.open(authorizationRequest(await fixture.register()).url);
    await browser.submit(await browser.submit(page, { decision: 'allow' }), { login: 'ana' });
    expect((await browser.open(page.url)).status).toBe(400);
    expect((await browser.open(page.url.href.replace('/oauth/interaction/', '/oauth/authorize/'))).text).toContain('This login has expired');
  });
});

test('every page: no framing, no script, nothing from elsewhere, stored nowhere; cookies for this host over https alone', async () => {
  const browser = fixture.browser();
  const pages = [
    await browser.open(authorizationRequest(await fixture.register()).url),
    await browser.open(`${publicOrigin}/oauth/authorize?client_id=nobody`),
    await browser.open(`${publicOrigin}/oauth/interaction/nothing`),
  ];
  for (const { headers, text } of pages) {
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/);
    expect([headers.get('x-frame-options'), headers.get('cache-control'), headers.get('x-content-type-options'), headers.get('referrer-policy')]).toEqual(['DENY', 'no-store', 'nosniff', 'no-referrer']);
    expect(text).toMatch(/<meta name="viewport"/);
    expect(text).not.toMatch(/<script|<img|<link|src=/);
  }
  const lines = browser.cookieLines(publicOrigin);
  expect(lines.map((line) => line.slice(0, line.indexOf('='))).toSorted()).toEqual([
    '__Host-gatehouse-login', '__Secure-gatehouse-oauth-flow', '__Secure-gatehouse-oauth-flow.sig', '__Secure-gatehouse-oauth-resume', '__Secure-gatehouse-oauth-resume.sig',
  ]);
  for (const line of lines) expect(line.toLowerCase()).toMatch(/(?=.*; secure)(?=.*; httponly)(?=.*; samesite=lax)/);
});

test.each([
  ['markup', '<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)&gt;'],
  ['what turns the text around it', 'Cursor\u202e\u2066gnirts\u0000\n\n', 'Cursor gnirts'],
  ['nothing', '\u200b', 'An application without a name'],
  ['a sentence of ours', 'Claude” · verified by your IT department. You are sent back to claude.ai', 'Claude · verified by your IT department…'],
])('a client’s name is text: %s', async (_name, sent, shown) => {
  const agent = await fixture.register({ client_name: sent, logo_uri: 'https://evil.example/logo.png' });
  const { text } = await fixture.browser().open(authorizationRequest(agent).url);
  expect(text).toContain(`<b>“${shown}”</b> wants to use`);
  expect(text).not.toContain('evil.example');
});

test('another account: agreed to once, logged in again', async () => {
  const agent = await fixture.register();
  const browser = fixture.browser();
  await logIn(browser, 'ana');
  const page = await browser.open(authorizationRequest(agent).url);
  const form = await browser.open(`${page.url.href}/other-account`);
  expect(form.url.origin).toBe(fixture.provider.issuer);
  const consent = await switchTo(browser, form, 'ben');
  expect(consent.text).toContain('Ben (ben@corp.example)');
  codeOf(await browser.submit(consent, { decision: 'allow' }));
  const [grant] = await fixture.query('select p.subject from oauth_grants g join people p on p.id = g.person_id where g.client_id = $1', [agent.clientId]);
  expect(grant).toEqual({ subject: 'ben' });
});

test('what one person read and agreed to counts for no other one who has logged in meanwhile', async () => {
  const agent = await fixture.register();
  const browser = fixture.browser();
  await logIn(browser, 'ana');
  const page = await browser.open(authorizationRequest(agent).url);
  expect(page.text).toContain('Ana Martín (ana@corp.example)');
  await switchTo(browser, await browser.open(`${publicOrigin}/login?fresh=proven&return_to=/openapi.json`), 'ben');
  const again = await browser.submit(page, { decision: 'allow' });
  expect(again.text).toContain('Ben (ben@corp.example)');
  codeOf(await browser.submit(again, { decision: 'allow' }));
});

test('prompt=login: whoever is logged in logs in once more', async () => {
  const browser = fixture.browser();
  await logIn(browser, 'ana');
  await fixture.query(`update browser_sessions set created_at = created_at - interval '1 minute'`);
  const page = await browser.submit(await browser.open(authorizationRequest(await fixture.register(), { prompt: 'login' }).url), { decision: 'allow' });
  expect(page.url.origin).toBe(fixture.provider.issuer);
  codeOf(await browser.submit(page, { login: 'ana' }));
});

test('prompt=none: nobody is asked, the client is told', async () => {
  const browser = fixture.browser();
  await logIn(browser, 'ana');
  const { url } = await browser.open(authorizationRequest(await fixture.register(), { prompt: 'none' }).url);
  expect(paramsOf(url)).toMatchObject({ error: 'login_required' });
});

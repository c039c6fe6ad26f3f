import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestBrowser } from '../../../../../test/support/test-browser.ts';
import { acmeRedirectUri, appDocument, connectAs, pressConnect, useConnecting } from '../../spec-support/use-connecting.ts';
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

/** Gives the same to whoever asks: tokens, unless told otherwise. */
async function startTokenEndpoint(beforeItAnswers: () => Promise<unknown> = () => Promise.resolve(), answer: object = { access_token: 'of-another', token_type: 'Bearer' }) {
  const bodies: string[] = [];
  const server = createServer((request, reply) => {
    void text(request).then(async (body) => {
      bodies.push(body);
      await beforeItAnswers();
      reply.writeHead(200, { 'Content-Type': 'application/json', 'Connection': 'close' }).end(JSON.stringify(answer));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/token`, bodies, close: () => once(server.close(), 'close') };
}

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

describe('an app that is changed while somebody connects', () => {
  const set = (app: string, changes: object) => fixture.query('update apps set document = document || $2 where name = $1', [app, JSON.stringify(changes)]);

  test.each(['tokenUrl', 'authorizationUrl', 'clientId'])('another %s: the code, its verifier and the secret are sent to nobody', async (field) => {
    const another = await startTokenEndpoint();
    const browser = await freshAna();
    const url = await answered(browser);
    const before = await count();
    const [former] = await fixture.query<{ document: object }>(`select document from apps where name = 'acme'`);
    // As at a replica of an earlier release: by REST, what was begun ends.
    await set('acme', { [field]: another.url });
    const page = await browser.open(url);
    await set('acme', former?.document ?? {});
    await another.close();
    expect([page.status, page.text, another.bodies, await count()]).toEqual([410, expect.stringContaining('owner_gone'), [], before]);
  });

  test('while its provider answers: what came is not kept', async () => {
    const endpoint = await startTokenEndpoint(() => set('other', { clientId: 'another' }));
    const { body } = await fixture.plane.send<{ id: string }>('POST', '/v1/workspaces/default/apps', { body: { ...appDocument(fixture.acme), name: 'other', tokenUrl: endpoint.url } });
    const browser = await freshAna();
    const page = await connectAs(browser, await fixture.link({ personId: anaId, ownerId: body.id }), 'ana-at-acme');
    await endpoint.close();
    expect([page.status, page.text, endpoint.bodies]).toEqual([410, expect.stringContaining('owner_gone'), [expect.stringContaining('code_verifier')]]);
    expect(await fixture.query('select from connections where owner_id = $1', [body.id])).toEqual([]);
  });

  test('what was begun ends with the client', async () => {
    const browser = await freshAna();
    const url = await answered(browser);
    const changes = { revocationUrl: `${fixture.acme.issuer}/token/revocation` };
    expect((await fixture.plane.send('PATCH', '/v1/workspaces/default/apps/acme', { body: changes, headers: { 'If-Match': '*', 'Content-Type': 'application/merge-patch+json' } })).status).toBe(200);
    expect((await browser.open(url)).text).toContain('state_unknown');
    expect(await fixture.query('select from connect_states where owner_id = $1', [fixture.app])).toEqual([]);
  });
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

describe('what a provider calls its error is shown where it is written as codes are', () => {
  const shown = ['invalid_scope', expect.stringContaining('<dt>Error</dt><dd>invalid_scope</dd>') as string] as const;
  const hidden = ['Call-0800.evil.example', expect.not.stringContaining('evil') as string] as const;

  test.each([shown, hidden])('on the way back: %s', async (error, page) => {
    const browser = await freshAna();
    expect((await browser.open(changed(await answered(browser), { code: undefined, error }))).text).toEqual(page);
  });

  test.each([shown, hidden])('for the code: %s', async (error, page) => {
    const endpoint = await startTokenEndpoint(undefined, { error: error.replace('0800', 'me') });
    const app = (tokenUrl: string) => fixture.query('update apps set document = document || $1 where name = $2', [JSON.stringify({ tokenUrl }), 'acme']);
    const [former] = await fixture.query<{ url: string }>(`select document->>'tokenUrl' as url from apps where name = 'acme'`);
    await app(endpoint.url);
    const browser = await freshAna();
    const { text } = await browser.open(await answered(browser));
    await app(former?.url ?? '');
    await endpoint.close();
    expect([text, endpoint.bodies.length]).toEqual([page, 1]);
    expect(text).toContain('Nothing was connected');
  });
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

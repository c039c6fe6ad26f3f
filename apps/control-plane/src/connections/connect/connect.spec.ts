import { beforeAll, describe, expect, test } from 'vitest';
import { TestBrowser } from '../../../../../test/support/test-browser.ts';
import { acmeRedirectUri, appDocument, connectAs, pressConnect, useConnecting } from '../../spec-support/use-connecting.ts';
import { startTestControlPlane } from '../../spec-support/start-test-control-plane.ts';
import { logIn, publicOrigin } from '../../spec-support/use-login.ts';

const fixture = useConnecting();
let ana: TestBrowser;
let ben: TestBrowser;
let anaId = '';

beforeAll(async () => {
  ana = await fixture.browserOf('ana');
  ben = await fixture.browserOf('ben');
  anaId = await fixture.personId('ana');
});

interface Row {
  readonly person: string | null;
  readonly account: string | null;
  readonly scopes: readonly string[];
}

const rows = (): Promise<Row[]> => fixture.query<Row>('select person_id as person, account, scopes from connections where session_id is null order by id');
const forPerson = (personId = anaId) => fixture.link({ personId });
const clear = (): Promise<unknown> => fixture.query('delete from connections where session_id is null');

test('a person connects an account, and is told to go back to the chat', async () => {
  const server = await fixture.addServer('tickets', { title: 'Tickets', appAuth: { type: 'oauth-authorization-code', app: 'acme' } });
  const link = await fixture.link({ personId: anaId, serverId: server });
  const question = await ana.open(link);
  expect([question.status, question.text]).toEqual([200, expect.stringMatching(/Acme[^]*Tickets[^]*127\.0\.0\.1[^]*email[^]*Ana Martín/)]);
  expect(question.text).not.toMatch(/<script/);
  const { issuer } = fixture.acme;
  expect(question.text).toMatch(new RegExp(`You agree to it at[^]*${new URL(issuer).host}[^]*${issuer}[^]*gets the access from[^]*${new URL(issuer).host}`));
  const provider = await ana.submit(question);
  expect(provider.url.origin).toBe(fixture.acme.issuer);
  const request = new URL(ana.visited.findLast((url) => url.startsWith(`${fixture.acme.issuer}/auth?`)) ?? '');
  expect(Object.fromEntries(request.searchParams)).toMatchObject({ response_type: 'code', redirect_uri: acmeRedirectUri, scope: 'openid email', code_challenge_method: 'S256', client_id: 'gatehouse' });
  const done = await ana.submit(provider, { login: 'ana-at-acme' });
  expect([done.status, done.url.href, done.text]).toEqual([200, expect.stringMatching(/^https:\/\/gatehouse\.example\/connect\/done\/[0-9a-f-]{36}$/), expect.stringMatching(/return to your chat[^]*ana@acme\.example/)]);
  expect(await rows()).toEqual([{ person: anaId, account: 'ana@acme.example', scopes: expect.arrayContaining(['openid', 'email']) as string[] }]);
  const [event] = await fixture.query('select actor, action, target_kind, target_name, workspace, fields from audit_events order by sequence desc limit 1');
  expect(event).toEqual({ actor: `person:${anaId}`, action: 'connection.connected', target_kind: 'Connection', target_name: 'acme', workspace: 'default', fields: ['/personal'] });
  // Loading the page again is nothing but that; nobody else sees it.
  expect([(await ana.open(done.url)).status, (await ben.open(done.url)).status, (await fixture.browser().open(done.url)).status]).toEqual([200, 404, 404]);
});

test('tokens are sealed, and nothing of an attempt is left', async () => {
  const [row] = await fixture.query<{ sealed: Buffer }>('select sealed from connections where session_id is null');
  expect(row?.sealed.toString('latin1')).not.toContain('accessToken');
  expect(await fixture.query('select from connect_states')).toHaveLength(0);
});

test('the event reaches whoever listens', async () => {
  const heard: unknown[] = [];
  const leave = await fixture.plane.channel.follow({ onHint: () => undefined, onSubscribed: () => undefined, onEvent: (event) => void heard.push(event) });
  await connectAs(ana, await forPerson(), 'ana-at-acme');
  await leave();
  expect(heard).toEqual([{ connected: { owner: fixture.app, person: anaId, linkId: expect.any(String) as string } }]);
});

test('whoever is not logged in logs in first; a preview of the link uses nothing up', async () => {
  await clear();
  const link = await forPerson();
  for (let looks = 0; looks < 3; looks += 1) expect(new URL((await fixture.browser().visit(link)).headers.get('location') ?? '', publicOrigin).pathname).toBe('/login');
  const browser = fixture.browser();
  const question = await browser.submit(await browser.open(link), { login: 'ana' });
  expect(question.url.href).toBe(link);
  const done = await browser.submit(await browser.submit(question), { login: 'ana-at-acme' });
  expect(done.text).toContain('return to your chat');
});

test('another person sees nothing of it, and nothing happens', async () => {
  await clear();
  const link = await forPerson();
  const page = await ben.open(link);
  expect([page.status, page.forms, page.text]).toEqual([403, [], expect.stringContaining('other_person')]);
  expect(page.text).not.toMatch(/Acme|Ana|acme/);
  // Nor by sending the form without the page, with a token of his own page.
  const own = await ben.open(await forPerson(await fixture.personId('ben')));
  const sent = await ben.submit(own, { link: new URL(link).searchParams.get('link') ?? '' });
  expect(sent.status).toBe(403);
  expect(await rows()).toEqual([]);
  // It is still good for whom it was made for.
  expect((await connectAs(ana, link, 'ana-at-acme')).text).toContain('return to your chat');
});

test('two people, two accounts', async () => {
  await clear();
  await connectAs(ana, await forPerson(), 'ana-at-acme');
  const benId = await fixture.personId('ben');
  expect((await connectAs(ben, await forPerson(benId), 'ben-at-acme')).status).toBe(200);
  expect(await rows()).toEqual([expect.objectContaining({ person: anaId, account: 'ana@acme.example' }), expect.objectContaining({ person: benId, account: 'ben@acme.example' })]);
});

test('who does not agree is told so, and the link is used', async () => {
  await clear();
  const browser = await fixture.browserOf('ana');
  const link = await forPerson();
  const page = await connectAs(browser, link, 'a-stranger');
  expect([page.status, page.text]).toEqual([403, expect.stringMatching(/no such person[^]*denied/)]);
  expect((await browser.open(link)).text).toContain('link_used');
  expect(await rows()).toEqual([]);
});

describe('links that are not good', () => {
  test.each([
    ['link_expired', () => fixture.link({ personId: anaId }, Date.now() - 11 * 60_000)],
    ['link_unknown', async () => (await forPerson()).replace(/.{4}$/, 'AAAA')],
    ['link_unknown', () => Promise.resolve(`${publicOrigin}/connect`)],
    ['link_unknown', () => Promise.resolve(`${publicOrigin}/connect?link=%3Cscript%3E`)],
    // What a newer release makes, while both serve or until it is taken back.
    ['owner_gone', () => fixture.link({ personId: anaId, ownerKind: 'wallet' as 'app' })],
    ['owner_gone', () => fixture.link({ personId: anaId, ownerKind: 'constructor' as 'app' })],
  ])('%s', async (reason, make) => {
    const page = await ana.open(await make());
    expect([page.status, page.forms.length]).toEqual([410, 0]);
    expect(page.text).toContain(reason);
  });

  test('a link works once', async () => {
    const link = await forPerson();
    const question = await ana.open(link);
    expect((await ana.submit(question)).status).toBe(200);
    const again = await ana.submit(question);
    expect([again.status, again.text]).toEqual([410, expect.stringContaining('link_used')]);
    expect((await ana.open(link)).status).toBe(410);
  });

  test('of two that press at the same moment one goes on', async () => {
    const question = await ana.open(await forPerson());
    const form = question.forms[0]?.fields ?? {};
    const send = () => ana.send('POST', new URL('/connect', publicOrigin), new URLSearchParams(form));
    expect((await Promise.all([send(), send()])).map(({ status }) => status).sort()).toEqual([200, 410]);
  });
});

test('two tabs with two links do not disturb each other', async () => {
  await clear();
  const browser = await fixture.browserOf('ana');
  const [first, second] = [await pressConnect(browser, await forPerson()), await pressConnect(browser, await forPerson())];
  expect((await browser.submit(first, { login: 'ana-at-acme' })).text).toContain('return to your chat');
  expect((await browser.submit(second, { login: 'ana-at-acme' })).text).toContain('return to your chat');
  // The second took the place of the first.
  expect(await rows()).toHaveLength(1);
});

test('a provider that goes away before its code is redeemed is told of as that', async () => {
  const browser = await fixture.browserOf('ana');
  const provider = await pressConnect(browser, await forPerson());
  const form = provider.forms[0];
  const back = await browser.send('POST', form?.action ?? provider.url, new URLSearchParams({ login: 'ana-at-acme' }));
  const resumed = await browser.visit(new URL(back.headers.get('location') ?? '', provider.url));
  fixture.acme.goAway();
  try {
    const page = await browser.open(resumed.headers.get('location') ?? '');
    expect([page.status, page.headers.get('retry-after'), page.text]).toEqual([503, '60', expect.stringContaining('provider_unavailable')]);
  } finally {
    fixture.acme.goAway(false);
  }
});

test('a wrong client secret is the administrator’s to correct, and nobody sees it', async () => {
  await fixture.plane.send('POST', '/v1/workspaces/default/apps', { body: { ...appDocument(fixture.acme), name: 'other', clientSecret: 'a-wrong-secret-0123456789' } });
  const [{ id } = { id: '' }] = await fixture.query<{ id: string }>(`select id from apps where name = 'other'`);
  const browser = await fixture.browserOf('ana');
  const page = await connectAs(browser, await fixture.link({ personId: anaId, ownerId: id }), 'ana-at-acme');
  expect([page.status, page.text]).toEqual([502, expect.stringMatching(/invalid_client[^]*misconfigured/)]);
  expect(page.text).not.toContain('a-wrong-secret');
});

test('fewer scopes than were asked for are told, and do not count as there', async () => {
  await clear();
  const browser = await fixture.browserOf('ana');
  const serverId = await fixture.addServer('repos', { appAuth: { type: 'oauth-authorization-code', app: 'acme', scopes: ['repo'] } });
  const page = await connectAs(browser, await fixture.link({ personId: anaId, serverId, scopes: ['repo', 'more'] }), 'ana-at-acme');
  expect([page.status, page.text]).toEqual([200, expect.stringContaining('gave less than was asked for')]);
  // What the server does not need by its document nobody is asked for a second time.
  expect((await rows())[0]?.scopes).toEqual(['openid', 'email', 'more']);
});

test('however many scopes: links are short enough to be come back to after a login, and all scopes that there is room for are asked for', async () => {
  await clear();
  const many = (kind: string, length: number) => Array.from({ length: 50 }, (_, index) => `https://scopes.example/${kind}/${index}.`.padEnd(length, 'x'));
  const serverId = await fixture.addServer('many-scopes', { appAuth: { type: 'oauth-authorization-code', app: 'acme', scopes: many('document', 130) } });
  await connectAs(ana, await forPerson(), 'ana-at-acme');
  await fixture.query('update connections set scopes = scopes || $1 where session_id is null', [JSON.stringify(many('held', 60))]);
  const response = await fetch(new URL('/internal/tokens', fixture.plane.internalUrl), {
    method: 'POST', headers: { Authorization: 'Bearer data-plane-token-0123456789abcdefghij', 'Content-Type': 'application/json' },
    body: JSON.stringify({ server: serverId, subject: { person: anaId }, missing: many('missing', 130) }),
  });
  const { connectUrl, reason } = (await response.json()) as { connectUrl: string; reason: string };
  expect(reason).toBe('scopes');
  const browser = fixture.browser();
  const question = await browser.submit(await browser.open(connectUrl), { login: 'ana' });
  expect([question.url.href, question.status]).toEqual([connectUrl, 200]);
  const before = browser.visited.length;
  await browser.submit(question);
  const request = new URL(browser.visited.slice(before).find((url) => url.startsWith(`${fixture.acme.issuer}/auth?`)) ?? '');
  const asked = request.searchParams.get('scope')?.split(' ') ?? [];
  expect(asked).toEqual(expect.arrayContaining(['openid', 'email', ...many('document', 130), ...many('missing', 130).slice(0, 10), ...many('held', 60).slice(0, 10)]));
});

describe('a connection that all share', () => {
  const shared = () => fixture.link({});

  test('only an administrator makes it', async () => {
    await clear();
    const refused = await ben.open(await shared());
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('not_an_administrator')]);
    const browser = await fixture.browserOf('ana');
    const question = await browser.open(await shared());
    expect(question.text).toContain('Everyone who may use it');
    expect((await browser.submit(await browser.submit(question), { login: 'ana-at-acme' })).text).toContain('return to your chat');
    expect(await rows()).toEqual([expect.objectContaining({ person: null, account: 'ana@acme.example' })]);
    expect(await fixture.query('select fields from audit_events order by sequence desc limit 1')).toEqual([{ fields: ['/shared'] }]);
  });
});

test('what is deleted meanwhile is not connected', async () => {
  const { body } = await fixture.plane.send<{ id: string }>('POST', '/v1/workspaces/default/apps', { body: { ...appDocument(fixture.acme), name: 'gone' } });
  const link = await fixture.link({ personId: anaId, ownerId: body.id });
  await fixture.plane.send('DELETE', '/v1/workspaces/default/apps/gone', { headers: { 'If-Match': '*' } });
  const page = await ana.open(link);
  expect([page.status, page.text]).toEqual([410, expect.stringContaining('owner_gone')]);
});

test('by REST: a link for oneself; a shared one for administrators; none of servers that one may not use', async () => {
  await fixture.addServer('open-to-all', { appAuth: { type: 'oauth-authorization-code', app: 'acme' } });
  await fixture.addServer('shared-one', { appAuth: { type: 'oauth-authorization-code', app: 'acme', shared: true } });
  await fixture.addServer('closed', { appAuth: { type: 'oauth-authorization-code', app: 'acme' }, access: { allow: [{ group: 'nobodies' }] } });
  await fixture.addServer('plain', {});
  const ask = (server: string, browser: TestBrowser) =>
    browser.send('POST', new URL(`/v1/workspaces/default/servers/${server}/connect-link`, publicOrigin), undefined, { 'X-Gatehouse-CSRF': '1', Accept: 'application/json' });
  const statuses = async (browser: TestBrowser) => [(await ask('open-to-all', browser)).status, (await ask('shared-one', browser)).status, (await ask('closed', browser)).status, (await ask('plain', browser)).status];
  expect([await statuses(ben), await statuses(ana)]).toEqual([[201, 403, 404, 422], [201, 201, 201, 422]]);
  const { connectUrl } = JSON.parse((await ask('open-to-all', ben)).text) as { connectUrl: string };
  expect([(await ben.open(connectUrl)).status, (await ana.open(connectUrl)).status]).toEqual([200, 403]);
  // A program has no account of its own.
  expect((await fixture.plane.send('POST', '/v1/workspaces/default/servers/open-to-all/connect-link')).status).toBe(403);
});

test('logging in as somebody else in the meantime ends it', async () => {
  await clear();
  const browser = await fixture.browserOf('ana');
  const provider = await pressConnect(browser, await forPerson());
  const [, session = ''] = /(?:^|; )__Host-gatehouse=([^;]+)/.exec(ben.cookieHeader(new URL(publicOrigin))) ?? [];
  browser.setCookie(publicOrigin, '__Host-gatehouse', session);
  const page = await browser.submit(provider, { login: 'ana-at-acme' });
  expect([page.status, page.text]).toEqual([400, expect.stringContaining('state_unknown')]);
  expect(await rows()).toEqual([]);
});

test('every step at another replica, each started anew in between', async () => {
  await clear();
  const { environment } = fixture.plane;
  let url = fixture.plane.url;
  const browser = new TestBrowser({ servers: { [publicOrigin]: () => url } });
  await logIn(browser, 'ana');
  const atAnother = async <T>(step: () => Promise<T>): Promise<T> => {
    const plane = await startTestControlPlane({ environment });
    url = plane.url;
    try {
      return await step();
    } finally {
      await plane.close();
    }
  };
  const link = await forPerson();
  const question = await atAnother(() => browser.open(link));
  const provider = await atAnother(() => browser.submit(question));
  const done = await atAnother(() => browser.submit(provider, { login: 'ana-at-acme' }));
  expect(done.text).toContain('return to your chat');
  expect(await rows()).toHaveLength(1);
});

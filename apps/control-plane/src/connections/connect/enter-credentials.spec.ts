import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TestBrowser } from '../../../../../test/support/test-browser.ts';
import { useConnecting } from '../../spec-support/use-connecting.ts';
import { startTestControlPlane } from '../../spec-support/start-test-control-plane.ts';
import { logIn, publicOrigin } from '../../spec-support/use-login.ts';

const fixture = useConnecting();
let ana: TestBrowser;
let ben: TestBrowser;
let anaId = '';
let credential = '';
let server = '';

beforeAll(async () => {
  ana = await fixture.browserOf('ana');
  ben = await fixture.browserOf('ben');
  anaId = await fixture.personId('ana');
  server = await fixture.addServer('tracker', { title: 'Tracker <b>', upstream: { url: 'https://tracker.example:8443/mcp' } });
});
beforeEach(async () => {
  await allow(null);
  await fixture.query('delete from credentials; delete from token_revocations');
  const body = { name: 'tracker-token', title: 'Tracker token', description: 'Profile → API tokens.\nIt needs the scope <read>.', scope: 'user' };
  credential = (await fixture.plane.send<{ id: string }>('POST', '/v1/workspaces/default/credentials', { body })).body.id;
});

const linkFor = (personId: string | undefined = anaId, now?: number) => fixture.link({ ownerKind: 'credential', ownerId: credential, serverId: server, personId }, now);
const allow = (allowed: unknown) => fixture.query(`update workspaces set access = $1::jsonb where name = 'default'`, [allowed === null ? null : JSON.stringify({ allow: allowed })]);
const values = () => fixture.query<{ id: string; person: string }>('select id, person_id as person from user_credentials');
const enter = async (browser: TestBrowser, link: string, value: string) => browser.submit(await browser.open(link), { value });

test('a person enters a credential of their own, and is told to go back to the chat', async () => {
  const form = await ana.open(await linkFor());
  expect([form.status, form.text]).toEqual([200, expect.stringMatching(/Enter your Tracker token[^]*Profile → API tokens\.<\/p>\s*<p>It needs the scope &lt;read&gt;[^]*Tracker &lt;b&gt;[^]*default\/tracker[^]*tracker\.example:8443[^]*Ana Martín/)]);
  expect(form.text).toMatch(/<input type="password" name="value" required/);
  expect(form.text).not.toMatch(/<script|You have entered one before/);
  expect(form.headers.get('content-security-policy')).toContain("form-action 'self'");
  const done = await ana.submit(form, { value: ' canary-of-ana\n' });
  expect([done.status, done.url.href, done.text]).toEqual([200, `${publicOrigin}/connect/done/credential/${credential}`, expect.stringMatching(/return to your chat[^]*Tracker token/)]);
  expect(done.text + ana.visited.join()).not.toContain('canary');
  expect(await values()).toMatchObject([{ person: anaId }]);
  const [event] = await fixture.query('select actor, action, target_kind, target_name, workspace, fields from audit_events order by sequence desc limit 1');
  expect(event).toEqual({ actor: `person:${anaId}`, action: 'credential.value-set', target_kind: 'Credential', target_name: 'tracker-token', workspace: 'default', fields: ['/value'] });
  // Loading the page again is nothing but that; nobody else sees it.
  expect([(await ana.open(done.url)).status, (await ben.open(done.url)).status, (await fixture.browser().open(done.url)).status]).toEqual([200, 404, 404]);
});

test('whoever waits for it is told', async () => {
  const heard: unknown[] = [];
  const leave = await fixture.plane.channel.follow({ onHint: () => undefined, onSubscribed: () => undefined, onEvent: (event) => void heard.push(event) });
  await enter(ana, await linkFor(), 'canary-of-ana');
  await leave();
  expect(heard).toEqual([{ connected: { owner: credential, person: anaId, linkId: expect.any(String) as string } }]);
});

test('another one takes its place, and the one before is named to be forgotten', async () => {
  await enter(ana, await linkFor(), 'canary-of-ana');
  const [before] = await values();
  const form = await ana.open(await linkFor());
  expect(form.text).toContain('You have entered one before');
  await ana.submit(form, { value: 'another-of-ana' });
  expect([(await values()).length, await fixture.query('select subject from token_revocations')]).toEqual([1, [{ subject: before?.id }]]);
});

test('who is not logged in does so first, and comes back', async () => {
  const browser = fixture.browser();
  const login = await browser.open(await linkFor());
  expect(login.text).not.toContain('Tracker');
  const form = await browser.submit(login, { login: 'ana' });
  expect([form.status, form.text]).toEqual([200, expect.stringContaining('Enter your Tracker token')]);
});

test('another replica takes what one has made, once', async () => {
  const plane = await startTestControlPlane({ environment: fixture.plane.environment });
  const link = await linkFor();
  const other = new TestBrowser({ servers: { [publicOrigin]: () => plane.url } });
  await logIn(other, 'ana');
  const [here, there] = [await ana.open(link), await other.open(link)];
  const replies = await Promise.all([ana.submit(here, { value: 'first' }), other.submit(there, { value: 'second' })]);
  expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 410]);
  expect(await values()).toHaveLength(1);
  await plane.close();
});

describe('a slip uses nothing up', () => {
  test.each([['nothing', ''], ['blanks', ' \n '], ['two lines', 'a\nb'], ['a control character', 'a\u0007b'], ['more than a header holds', 'x'.repeat(8_193)]])('%s', async (_what, value) => {
    const form = await ana.open(await linkFor());
    const again = await ana.submit(form, { value });
    expect([again.status, again.text]).toEqual([422, expect.stringContaining('cannot be used')]);
    expect(await values()).toEqual([]);
    expect((await ana.submit(again, { value: 'good' })).status).toBe(200);
  });
});

describe('nothing is kept', () => {
  const refusal = async (browser: TestBrowser, link: string, send = enter): Promise<unknown[]> => {
    const page = await send(browser, link, 'canary').catch(() => browser.open(link));
    const [row] = await values();
    return [page.status, /class="soft">(\w+) ·/.exec(page.text)?.[1], row];
  };

  test.each<[string, () => Promise<string>, number, string]>([
    ['by a link that was used', async () => { const link = await linkFor(); await enter(ana, link, 'first'); await fixture.query('delete from user_credentials'); return link; }, 410, 'link_used'],
    ['by one that has expired', () => linkFor(anaId, Date.now() - 601_000), 410, 'link_expired'],
    ['by one of somebody else', async () => linkFor(await fixture.personId('ben')), 403, 'other_person'],
    ['by one that is changed', async () => `${(await linkFor()).slice(0, -4)}AAAA`, 410, 'link_unknown'],
    ['of what is deleted', async () => { const link = await linkFor(); await fixture.query('delete from credentials'); return link; }, 410, 'owner_gone'],
    ['of a workspace that its person does not belong to any more', async () => { const link = await linkFor(); await allow([{ group: 'nobody' }]); return link; }, 410, 'owner_gone'],
    ['of what has become the workspace’s', async () => { const link = await linkFor(); await fixture.query(`update credentials set document = document || '{"scope": "workspace"}'`); return link; }, 410, 'owner_gone'],
  ])('%s', async (_what, make, status, reason) => {
    expect(await refusal(ana, await make())).toEqual([status, reason, undefined]);
  });

  test('where the person is taken out of the workspace while the form is open, and the link is good for later', async () => {
    const link = await linkFor();
    const form = await ana.open(link);
    await allow([{ group: 'nobody' }]);
    expect([(await ana.submit(form, { value: 'canary' })).status, await values()]).toEqual([410, []]);
    await allow(null);
    expect((await enter(ana, link, 'good')).status).toBe(200);
  });

  test('that was deleted while the form was open', async () => {
    const form = await ana.open(await linkFor());
    await fixture.query('delete from credentials');
    expect((await ana.submit(form, { value: 'canary' })).status).toBe(410);
  });

  test('from another site, or a page of somebody else', async () => {
    const link = await linkFor();
    const form = await ana.open(link);
    const fields = { ...form.forms[0]?.fields, value: 'canary' };
    const post = (browser: TestBrowser, sent: Record<string, string>, headers: Record<string, string> = {}) => browser.send('POST', new URL(`${publicOrigin}/connect`), new URLSearchParams(sent), headers);
    expect((await post(ana, fields, { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    expect((await post(ana, { ...fields, form_token: 'x' })).status).toBe(403);
    expect((await post(await fixture.browserOf('ana'), fields)).status).toBe(403);
    expect((await post(ben, fields)).status).toBe(403);
    expect(await values()).toEqual([]);
    expect((await post(ana, fields)).status).toBe(303);
  });
});

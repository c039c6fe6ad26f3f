import { beforeEach, describe, expect, test } from 'vitest';
import type { TestBrowser } from '../../../../test/support/test-browser.ts';
import { logIn, publicOrigin, useLogin } from '../spec-support/use-login.ts';

const fixture = useLogin();
beforeEach(() => fixture.query('delete from browser_sessions'));

const cookieOf = (browser: TestBrowser): string => browser.cookieLines(publicOrigin).find((line) => line.startsWith('__Host-gatehouse='))?.split(/[=;]/)[1] ?? '';

/** What the REST API says to a browser that shows this session's cookie. */
const statusWith = async (cookie: string): Promise<number> =>
  (await fixture.plane.send('GET', '/v1/me', { authorization: undefined, headers: { Cookie: `__Host-gatehouse=${cookie}` } })).status;

async function loggedIn(subject = 'ana'): Promise<{ browser: TestBrowser; cookie: string }> {
  const browser = fixture.browser();
  await logIn(browser, subject);
  return { browser, cookie: cookieOf(browser) };
}

test('the cookie is who someone is', async () => {
  const { cookie } = await loggedIn();
  const { body } = await fixture.plane.send('GET', '/v1/me', { authorization: undefined, headers: { Cookie: `other=1; __Host-gatehouse=${cookie}` } });
  expect(body).toMatchObject({ kind: 'person', name: 'Ana Martín', email: 'ana@corp.example', provider: 'corp', role: 'admin', roles: ['member', 'admin'], groups: ['sales', 'platform'] });
  for (const wrong of ['', 'A'.repeat(43), `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`]) expect(await statusWith(wrong)).toBe(401);
});

describe('a session that somebody planted (fixation)', () => {
  test('a cookie that the browser came with never becomes a session', async () => {
    const browser = fixture.browser();
    const planted = 'P'.repeat(43);
    browser.setCookie(publicOrigin, '__Host-gatehouse', planted);
    await logIn(browser, 'ana');
    expect(cookieOf(browser)).not.toBe(planted);
    expect(await statusWith(planted)).toBe(401);
  });

  test('a login ends the session that the browser had', async () => {
    const attacker = await loggedIn('ben');
    const victim = fixture.browser();
    victim.setCookie(publicOrigin, '__Host-gatehouse', attacker.cookie);
    await logIn(victim, 'ana', '/login?fresh=proven&return_to=/openapi.json');
    expect(await statusWith(attacker.cookie)).toBe(401);
    expect(await statusWith(cookieOf(victim))).toBe(200);
  });

  test('two cookies of the name are none', async () => {
    const { cookie } = await loggedIn();
    const reply = await fixture.plane.send('GET', '/v1/me', { authorization: undefined, headers: { Cookie: `__Host-gatehouse=${cookie}; __Host-gatehouse=${cookie}` } });
    expect(reply.status).toBe(401);
  });

  test('over https, the cookie without its prefix is nothing', async () => {
    const { cookie } = await loggedIn();
    expect((await fixture.plane.send('GET', '/v1/me', { authorization: undefined, headers: { Cookie: `gatehouse=${cookie}` } })).status).toBe(401);
  });
});

describe('a session is over', () => {
  test.each([
    ['twelve hours after the login', `set expires_at = now() - interval '1 second'`, 401],
    ['two hours after it was last used', `set last_used_at = now() - interval '2 hours 1 second'`, 401],
    ['not earlier', `set last_used_at = now() - interval '1 hour 59 minutes', expires_at = now() + interval '1 minute'`, 200],
  ])('%s', async (_when, change, status) => {
    const { cookie } = await loggedIn();
    const [life] = await fixture.query<{ seconds: number }>('select extract(epoch from expires_at - created_at)::int as seconds from browser_sessions');
    expect(life?.seconds).toBe(12 * 3600);
    await fixture.query(`update browser_sessions ${change}`);
    expect(await statusWith(cookie)).toBe(status);
  });

  test('and forgotten, with the next login', async () => {
    await loggedIn();
    await fixture.query(`update browser_sessions set expires_at = now() - interval '1 second'`);
    await loggedIn('ben');
    expect(await fixture.query('select 1 from browser_sessions')).toHaveLength(1);
  });

  test('being used keeps it', async () => {
    const { cookie } = await loggedIn();
    await fixture.query(`update browser_sessions set last_used_at = now() - interval '1 hour'`);
    await statusWith(cookie);
    const [row] = await fixture.query<{ idle: number }>('select extract(epoch from now() - last_used_at)::int as idle from browser_sessions');
    expect(row?.idle).toBeLessThan(60);
  });

  test('when the person logs out, in this browser only', async () => {
    const [here, elsewhere] = [await loggedIn(), await loggedIn()];
    const page = await here.browser.open(`${publicOrigin}/logout`);
    expect((await here.browser.submit(page)).status).toBe(200);
    expect(cookieOf(here.browser)).toBe('');
    expect([await statusWith(here.cookie), await statusWith(elsewhere.cookie)]).toEqual([401, 200]);
  });

  test('when the person is disabled, and nobody can log in again', async () => {
    const { cookie } = await loggedIn('ben');
    const [ben] = await fixture.query<{ id: string }>(`select id from people where subject = 'ben'`);
    const path = `/v1/users/${ben?.id}`;
    const disabled = await fixture.plane.send('PATCH', path, { body: { disabled: true }, headers: { 'If-Match': '*' } });
    expect(disabled.body).toMatchObject({ disabled: true });
    expect(await statusWith(cookie)).toBe(401);
    const page = await logIn(fixture.browser(), 'ben');
    expect([page.status, page.text.includes('account_disabled')]).toEqual([403, true]);
    await fixture.plane.send('PATCH', path, { body: { disabled: false }, headers: { 'If-Match': '*' } });
    expect((await logIn(fixture.browser(), 'ben')).status).toBe(200);
    // What ended stays over.
    expect(await statusWith(cookie)).toBe(401);
  });

  test.each([
    ['switched off', { enabled: false }, { enabled: true }],
    ['another issuer', { issuer: 'http://127.0.0.1:9' }, undefined],
  ])('while its provider is %s', async (_how, change, back) => {
    const { cookie } = await loggedIn();
    const { issuer } = fixture.provider;
    const headers = { 'If-Match': '*' };
    expect((await fixture.plane.send('PATCH', '/v1/identity-providers/corp', { body: change, headers })).status).toBe(200);
    expect(await statusWith(cookie)).toBe(401);
    await fixture.plane.send('PATCH', '/v1/identity-providers/corp', { body: back ?? { issuer }, headers });
    expect(await statusWith(cookie)).toBe(200);
  });

  test('roles are those of the groups that the document names now', async () => {
    const { cookie } = await loggedIn();
    const headers = { 'If-Match': '*' };
    await fixture.plane.send('PATCH', '/v1/identity-providers/corp', { body: { roles: { admin: null, auditor: ['sales'] } }, headers });
    const { body } = await fixture.plane.send('GET', '/v1/me', { authorization: undefined, headers: { Cookie: `__Host-gatehouse=${cookie}` } });
    expect(body).toMatchObject({ role: 'auditor', roles: ['member', 'auditor'] });
    await fixture.plane.send('PATCH', '/v1/identity-providers/corp', { body: { roles: { admin: ['platform'], auditor: null } }, headers });
  });
});

describe('one’s own sessions', () => {
  const asBrowser = (cookie: string, method: string, path: string) =>
    fixture.plane.send<{ items: { id: string; current: boolean }[] }>(method, path, { authorization: undefined, headers: { Cookie: `__Host-gatehouse=${cookie}`, 'X-Gatehouse-CSRF': '1' } });

  test('can be listed and ended, and nobody else’s', async () => {
    const [first, second, foreign] = [await loggedIn(), await loggedIn(), await loggedIn('ben')];
    const { items } = (await asBrowser(second.cookie, 'GET', '/v1/me/sessions')).body;
    expect(items.map(({ current }) => current)).toEqual([true, false]);
    const [theirs] = (await asBrowser(foreign.cookie, 'GET', '/v1/me/sessions')).body.items;
    expect((await asBrowser(second.cookie, 'DELETE', `/v1/me/sessions/${theirs?.id}`)).status).toBe(404);
    expect((await asBrowser(second.cookie, 'DELETE', `/v1/me/sessions/${items[1]?.id}`)).status).toBe(204);
    expect([await statusWith(first.cookie), await statusWith(second.cookie), await statusWith(foreign.cookie)]).toEqual([401, 200, 200]);
    expect((await asBrowser(second.cookie, 'DELETE', '/v1/me/sessions')).status).toBe(204);
    expect([await statusWith(second.cookie), await statusWith(foreign.cookie)]).toEqual([401, 200]);
  });

  test('an administrator ends all of someone’s, and what the provider gave goes with them', async () => {
    const { cookie } = await loggedIn('ben');
    const [ben] = await fixture.query<{ id: string }>(`select id from people where subject = 'ben'`);
    const tokens = () => fixture.query('select 1 from connections where person_id = $1', [ben?.id]);
    expect(await tokens()).not.toEqual([]);
    expect((await fixture.plane.send('DELETE', `/v1/users/${ben?.id}/sessions`)).status).toBe(204);
    expect(await statusWith(cookie)).toBe(401);
    expect(await tokens()).toEqual([]);
  });
});

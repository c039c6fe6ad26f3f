import { beforeEach, describe, expect, test } from 'vitest';
import { type BrowserPage, TestBrowser } from '../../../../../test/support/test-browser.ts';
import { useControlPlane } from '../../spec-support/use-control-plane.ts';

const origin = 'http://localhost:3000';
const fixture = useControlPlane({ GATEHOUSE_LOCAL_LOGIN: 'true', GATEHOUSE_CONTROL_PLANE_URL: origin, GATEHOUSE_TRUSTED_PROXIES: 'loopback' });

let address = 0;
/** A browser somewhere else than all before it. */
const newBrowser = (from = `198.51.100.${(address += 1)}`) => new TestBrowser({ servers: { [origin]: () => fixture.plane.url }, headers: { 'X-Forwarded-For': from } });
const password = 'correct horse battery';
const codeOf = ({ text }: BrowserPage): string | undefined => /class="soft">(\w+) ·/.exec(text)?.[1];
const problemsOf = ({ text }: BrowserPage): number => text.split('role="alert"').length - 1;
const meOf = async (browser: TestBrowser) =>
  (await fixture.plane.send<{ role: string; email: string; name: string }>('GET', '/v1/me', { authorization: undefined, headers: { Cookie: browser.cookieHeader(new URL(origin)) } }));

beforeEach(() => fixture.query('delete from people; delete from login_links'));

const firstAdminLink = async () => (await fixture.plane.send<{ url: string; expiresAt: string }>('POST', '/v1/first-admin-link')).body;

async function makeAdmin(email = 'root@corp.example'): Promise<TestBrowser> {
  const browser = newBrowser();
  await browser.submit(await browser.open((await firstAdminLink()).url), { email, password });
  return browser;
}

async function logIn(email: string, typed: string, browser = newBrowser()): Promise<{ browser: TestBrowser; page: BrowserPage }> {
  return { browser, page: await browser.submit(await browser.open(`${origin}/login?return_to=/openapi.json`), { email, password: typed }) };
}

describe('the first administrator’s link', () => {
  test('sets address and password, and logs in as an administrator', async () => {
    const browser = newBrowser();
    const { url, expiresAt } = await firstAdminLink();
    expect(new Date(expiresAt).getTime() - Date.now()).toBeGreaterThan(3_500_000);
    const page = await browser.submit(await browser.open(url), { email: ' Root@Corp.example ', password });
    expect(page.url.href).toBe(`${origin}/docs`);
    expect((await meOf(browser)).body).toMatchObject({ role: 'admin', email: 'root@corp.example', name: 'root' });
    expect(browser.cookieLines(origin).find((line) => line.startsWith('gatehouse='))).toMatch(/HttpOnly; SameSite=Lax$/);
  });

  test('is counted as a login, and so is a password, but not a wrong one', async () => {
    const logins = async (method: string): Promise<number> => {
      const text = await (await fetch(new URL('/metrics', fixture.plane.internalUrl))).text();
      return Number(new RegExp(`^gatehouse_control_plane_logins_total\\{method="${method}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
    };
    const before = [await logins('link'), await logins('password')];
    await makeAdmin();
    await logIn('root@corp.example', password);
    await logIn('root@corp.example', 'another one entirely');
    expect([await logins('link'), await logins('password')]).toEqual(before.map((count) => count + 1));
  });

  test('works once', async () => {
    const { url } = await firstAdminLink();
    const [first, second] = [newBrowser(), newBrowser()];
    const [mine, theirs] = [await first.open(url), await second.open(url)];
    const pages = await Promise.all([first.submit(mine, { email: 'a@corp.example', password }), second.submit(theirs, { email: 'b@corp.example', password })]);
    expect(pages.map(({ status }) => status).toSorted()).toEqual([200, 410]);
    expect([(await newBrowser().open(url)).status, codeOf(await newBrowser().open(url))]).toEqual([410, 'login_link_invalid']);
    expect(await fixture.query('select 1 from people')).toHaveLength(1);
  });

  test('is not used up by looking at it, nor by a password that will not do', async () => {
    const browser = newBrowser();
    const { url } = await firstAdminLink();
    await newBrowser().open(url);
    const page = await browser.open(url);
    for (const [email, typed] of [['root@corp.example', 'short'], ['root@corp.example', 'aaaaaaaaaaaaaaaa'], ['root@corp.example', 'x'.repeat(300)], ['not an address', password], ['root@corp.example', 'root@corp.example']] as const) {
      const answer = await browser.submit(page, { email, password: typed });
      expect([typed, answer.status, problemsOf(answer)]).toEqual([typed, 422, 1]);
      expect(answer.text).not.toContain(typed === email ? `value="${typed}x"` : typed);
    }
    expect((await browser.submit(page, { email: 'root@corp.example', password })).status).toBe(200);
  });

  test('is over after an hour, and when there is a newer one', async () => {
    const { url } = await firstAdminLink();
    await fixture.query(`update login_links set expires_at = now() - interval '1 second'`);
    expect((await newBrowser().open(url)).status).toBe(410);
    const [older, newer] = [await firstAdminLink(), await firstAdminLink()];
    expect([(await newBrowser().open(older.url)).status, (await newBrowser().open(newer.url)).status]).toEqual([410, 200]);
  });

  test('is one, however many are asked for at once', async () => {
    for (let round = 0; round < 4; round += 1) await Promise.all(Array.from({ length: 6 }, () => fixture.plane.send('POST', '/v1/first-admin-link')));
    expect(await fixture.query('select 1 from login_links where person_id is null')).toHaveLength(1);
  });

  test('is of no use once another administrator has a password', async () => {
    const { url } = await firstAdminLink();
    const late = newBrowser();
    const page = await late.open(url);
    const { body } = await fixture.plane.send<{ loginLink: { url: string } }>('POST', '/v1/users', { body: { email: 'carl@corp.example', assignedRoles: ['admin'] } });
    const carl = newBrowser();
    await carl.submit(await carl.open(body.loginLink.url), { password });
    expect(await fixture.query('select 1 from login_links')).toEqual([]);
    expect(codeOf(await late.submit(page, { email: 'mallory@corp.example', password }))).toBe('login_link_invalid');
    expect(codeOf(await newBrowser().open(url))).toBe('login_link_invalid');
  });

  test('is of no use once someone with a password was made one', async () => {
    const { body } = await fixture.plane.send<{ id: string; loginLink: { url: string } }>('POST', '/v1/users', { body: { email: 'carl@corp.example' } });
    const carl = newBrowser();
    await carl.submit(await carl.open(body.loginLink.url), { password });
    const { url } = await firstAdminLink();
    await fixture.plane.send('PATCH', `/v1/users/${body.id}`, { body: { assignedRoles: ['admin'] }, headers: { 'If-Match': '*' } });
    expect(codeOf(await newBrowser().open(url))).toBe('login_link_invalid');
  });

  test('is not given any more once there is an administrator with a password', async () => {
    await makeAdmin();
    const reply = await fixture.plane.send('POST', '/v1/first-admin-link');
    expect(reply.body).toMatchObject({ status: 409, errors: [{ code: 'administrator_exists' }] });
  });

  test('is nowhere readable', async () => {
    const { url } = await firstAdminLink();
    const token = new URL(url).searchParams.get('token') ?? '';
    const rows = await fixture.query<{ text: string }>('select to_jsonb(l)::text || to_jsonb(a)::text as text from login_links l, audit_events a');
    expect(rows.length).toBeGreaterThan(0);
    for (const { text } of rows) for (const form of [token, Buffer.from(token).toString('hex')]) expect(text).not.toContain(form);
  });
});

describe('logging in', () => {
  test('with the password, whatever the address’s capitals', async () => {
    await makeAdmin();
    const { browser, page } = await logIn('ROOT@corp.example', password);
    expect(page.url.pathname).toBe('/openapi.json');
    expect((await meOf(browser)).status).toBe(200);
  });

  test('of what was wrong nothing is told', async () => {
    await makeAdmin();
    await fixture.plane.send('POST', '/v1/users', { body: { email: 'invited@corp.example' } });
    await fixture.plane.send('POST', '/v1/users', { body: { email: 'off@corp.example' } });
    await fixture.query(`update people set disabled = true, password_hash = (select password_hash from people where email = 'root@corp.example') where email = 'off@corp.example'`);
    const pages = [];
    for (const [email, typed] of [['root@corp.example', 'wrong password'], ['nobody@corp.example', password], ['invited@corp.example', password], ['off@corp.example', password], ['a\0b@corp.example', password]] as const) {
      const { browser, page } = await logIn(email, typed);
      expect((await meOf(browser)).status).toBe(401);
      pages.push([page.status, page.text.replace(email.replaceAll('\0', ''), '…').replace(email, '…').replaceAll(/value="[\w-]{43}"/g, '')]);
    }
    expect(new Set(pages.map((page) => JSON.stringify(page).replaceAll(/value=\\"[^"]*corp.example\\"/g, ''))).size).toBe(1);
    expect(pages[0]?.[0]).toBe(401);
  });

  test('passwords are kept as argon2id with OWASP’s parameters', async () => {
    await makeAdmin();
    const [row] = await fixture.query<{ hash: string }>('select password_hash as hash from people');
    expect(row?.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  test('whoever guesses is stopped, at one account and from one address; others are not', async () => {
    await makeAdmin();
    const guesser = '203.0.113.7';
    for (let attempt = 0; attempt < 5; attempt += 1) expect((await logIn('root@corp.example', `guess number ${attempt}`, newBrowser(guesser))).page.status).toBe(401);
    const stopped = (await logIn('root@corp.example', password, newBrowser(guesser))).page;
    expect([stopped.status, codeOf(stopped)]).toEqual([429, 'too_many_attempts']);
    expect((await logIn('root@corp.example', password)).page.status).toBe(200);
    expect((await logIn('other@corp.example', password, newBrowser(guesser))).page.status).toBe(401);
  });

  test('guesses at the same moment are no more than one after the other; right ones count for nothing', async () => {
    await makeAdmin();
    const guesser = newBrowser('203.0.113.10');
    const form = await guesser.open(`${origin}/login?return_to=/openapi.json`);
    const statuses = await Promise.all(Array.from({ length: 12 }, async (_, index) => (await guesser.submit(form, { email: 'root@corp.example', password: `guess number ${index}` })).status));
    expect(statuses.toSorted()).toEqual([...Array.from({ length: 5 }, () => 401), ...Array.from({ length: 7 }, () => 429)]);
    for (let login = 0; login < 7; login += 1) expect((await logIn('root@corp.example', password, newBrowser('203.0.113.11'))).page.status).toBe(200);
  });

  test('whoever tries many accounts from one address is stopped too', async () => {
    const spray = '203.0.113.8';
    for (let attempt = 0; attempt < 30; attempt += 1) await logIn(`person-${attempt}@corp.example`, password, newBrowser(spray));
    expect((await logIn('another@corp.example', password, newBrowser(spray))).page.status).toBe(429);
  });

  test('links are guessed no better', async () => {
    const browser = newBrowser('203.0.113.9');
    for (let attempt = 0; attempt < 30; attempt += 1) expect((await browser.open(`${origin}/login/link?token=${'A'.repeat(43)}`)).status).toBe(410);
    expect((await browser.open((await firstAdminLink()).url)).status).toBe(429);
  });

  test('a form that another site has sent logs nobody in', async () => {
    await makeAdmin();
    const browser = newBrowser();
    await browser.open(`${origin}/login`);
    const page = await browser.send('POST', new URL(`${origin}/login/local`), new URLSearchParams({ email: 'root@corp.example', password, return_to: '/' }));
    expect([page.status, codeOf(page)]).toEqual([403, 'cross_site_request']);
  });

  test('it comes back to pages of ours only', async () => {
    await makeAdmin();
    for (const elsewhere of ['https://evil.example/', '//evil.example', '/\\evil.example', '/\t/evil.example', 'javascript:alert(1)', '/..//evil.example']) {
      const browser = newBrowser();
      const form = await browser.open(`${origin}/login?return_to=${encodeURIComponent(elsewhere)}`);
      const page = await browser.submit(form, { email: 'root@corp.example', password, return_to: elsewhere });
      expect([elsewhere, page.url.origin]).toEqual([elsewhere, origin]);
      // Who is logged in already is sent on at once.
      expect((await browser.open(`${origin}/login?return_to=${encodeURIComponent(elsewhere)}`)).url.origin).toBe(origin);
    }
  });
});

describe('other accounts', () => {
  test('are made by an administrator, and their owners set the password', async () => {
    await makeAdmin();
    const invited = await fixture.plane.send<{ id: string; loginLink: { url: string } }>('POST', '/v1/users', { body: { email: 'Ben@corp.example', name: 'Ben', assignedRoles: ['auditor'] } });
    expect(invited.status).toBe(201);
    expect(invited.body).toMatchObject({ provider: 'local', email: 'ben@corp.example', roles: ['member', 'auditor'], hasPassword: false });
    const browser = newBrowser();
    const form = await browser.open(invited.body.loginLink.url);
    // The address is the invitation's, whatever is sent.
    expect((await browser.submit(form, { email: 'root@corp.example', password })).status).toBe(200);
    expect((await meOf(browser)).body).toMatchObject({ email: 'ben@corp.example', role: 'auditor' });
  });

  test('a new password by a new link ends the sessions that the old one began', async () => {
    await makeAdmin();
    const { body } = await fixture.plane.send<{ id: string; loginLink: { url: string } }>('POST', '/v1/users', { body: { email: 'ben@corp.example' } });
    const [before, after] = [newBrowser(), newBrowser()];
    await before.submit(await before.open(body.loginLink.url), { password });
    const link = await fixture.plane.send<{ url: string }>('POST', `/v1/users/${body.id}/login-link`);
    expect(link.status).toBe(201);
    await after.submit(await after.open(link.body.url), { password: 'another long password' });
    expect([(await meOf(before)).status, (await meOf(after)).status]).toEqual([401, 200]);
    expect((await logIn('ben@corp.example', password)).page.status).toBe(401);
  });

  test('one address, one account', async () => {
    await fixture.plane.send('POST', '/v1/users', { body: { email: 'ben@corp.example' } });
    const again = await fixture.plane.send('POST', '/v1/users', { body: { email: 'BEN@corp.example' } });
    expect(again.body).toMatchObject({ status: 409, code: 'name_taken', errors: [{ pointer: '/email' }] });
    const wrong = await fixture.plane.send('POST', '/v1/users', { body: { email: 'nothing' } });
    expect(wrong.body).toMatchObject({ status: 422, errors: [{ pointer: '/email' }] });
  });
});

test('a new password ends what agents were allowed with the old one', async () => {
  const { body } = await fixture.plane.send<{ id: string; loginLink: { url: string } }>('POST', '/v1/users', { body: { email: 'carl@corp.example' } });
  await fixture.query(
    `insert into oauth_grants (id, person_id, session_id, client_id, client_name, redirect_host, resource) values (gen_random_uuid(), $1, gen_random_uuid(), 'client', 'Cursor', 'localhost', 'https://gateway.example/mcp/default/orders')`,
    [body.id],
  );
  const carl = newBrowser();
  await carl.submit(await carl.open(body.loginLink.url), { password });
  expect(await fixture.query('select 1 from oauth_grants where person_id = $1', [body.id])).toEqual([]);
  expect(await fixture.query('select 1 from oauth_revocations')).not.toEqual([]);
});

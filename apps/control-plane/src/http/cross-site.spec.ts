import { describe, expect, test } from 'vitest';
import { logIn, publicOrigin, useLogin } from '../spec-support/use-login.ts';
import { isCrossSite } from './cross-site.ts';

const own = 'https://gatehouse.example';

test.each<[Record<string, string>, boolean]>([
  [{}, false],
  [{ 'sec-fetch-site': 'same-origin' }, false],
  [{ 'sec-fetch-site': 'none' }, false],
  [{ 'sec-fetch-site': 'same-site' }, true],
  [{ 'sec-fetch-site': 'cross-site' }, true],
  [{ 'sec-fetch-site': 'cross-site', origin: own }, true],
  [{ origin: own }, false],
  [{ origin: 'https://evil.example' }, true],
  [{ origin: 'null' }, true],
  [{ origin: 'https://gatehouse.example.evil.example' }, true],
  [{ origin: 'http://localhost:3000', host: 'localhost:3000' }, false],
  [{ origin: 'http://localhost:3001', host: 'localhost:3000' }, true],
])('%j is of another site: %s', (headers, expected) => {
  expect(isCrossSite({ headers }, own)).toBe(expected);
});

const fixture = useLogin();

async function cookieOf(subject: string): Promise<string> {
  const browser = fixture.browser();
  await logIn(browser, subject);
  return browser.cookieHeader(new URL(publicOrigin));
}

describe('a change that a cookie authenticates', () => {
  const create = async (headers: Record<string, string>) =>
    (await fixture.plane.send('POST', '/v1/workspaces', { authorization: undefined, body: { name: `made-${crypto.randomUUID().slice(0, 8)}` }, headers: { Cookie: await cookieOf('ana'), ...headers } })).status;

  test.each<[string, Record<string, string>, number]>([
    ['needs the header', {}, 403],
    ['is made with it', { 'X-Gatehouse-CSRF': '1' }, 201],
    ['is made with it by an own page', { 'X-Gatehouse-CSRF': '1', 'Sec-Fetch-Site': 'same-origin', Origin: publicOrigin }, 201],
    ['is not made for a page of another site', { 'X-Gatehouse-CSRF': '1', 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['is not made for another origin', { 'X-Gatehouse-CSRF': '1', Origin: 'https://evil.example' }, 403],
  ])('%s', async (_what, headers, status) => {
    expect(await create(headers)).toBe(status);
  });

  test('reading needs nothing but the cookie', async () => {
    expect((await fixture.plane.send('GET', '/v1/me', { authorization: undefined, headers: { Cookie: await cookieOf('ana') } })).status).toBe(200);
  });

  test('the header is nothing to the roles: a member stays one', async () => {
    const reply = await fixture.plane.send('POST', '/v1/workspaces', { authorization: undefined, body: { name: 'mine' }, headers: { Cookie: await cookieOf('ben'), 'X-Gatehouse-CSRF': '1' } });
    expect(reply.body).toMatchObject({ status: 403, code: 'forbidden' });
  });

  test('a wrong token is not helped by a cookie', async () => {
    const reply = await fixture.plane.send('GET', '/v1/me', { authorization: 'Bearer wrong', headers: { Cookie: await cookieOf('ana') } });
    expect(reply.status).toBe(401);
  });

  test('a form that another site has sent is no JSON', async () => {
    const response = await fetch(`${fixture.plane.url}/v1/workspaces`, { method: 'POST', body: new URLSearchParams({ name: 'forged' }), headers: { Cookie: await cookieOf('ana'), 'X-Gatehouse-CSRF': '1' } });
    expect(response.status).toBe(415);
  });

  test('and no answer lets another origin read it', async () => {
    const response = await fetch(`${fixture.plane.url}/v1/workspaces`, { method: 'OPTIONS', headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-gatehouse-csrf' } });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('forms of pages', () => {
  test('a logout that another site has sent does not log out', async () => {
    const browser = fixture.browser();
    await logIn(browser, 'ana');
    const page = await browser.open(`${publicOrigin}/logout`);
    const [form] = page.forms;
    const send = async (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      (await browser.send('POST', new URL(`${publicOrigin}/logout`), new URLSearchParams(fields), headers)).status;
    expect(await send({})).toBe(403);
    expect(await send({ form_token: 'A'.repeat(43) })).toBe(403);
    expect(await send({ ...form?.fields }, { 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
    expect(await send({ ...form?.fields })).toBe(200);
  });

  test('another browser’s token is no good', async () => {
    const [mine, other] = [fixture.browser(), fixture.browser()];
    await logIn(mine, 'ana');
    await logIn(other, 'ben');
    const [form] = (await other.open(`${publicOrigin}/logout`)).forms;
    await mine.open(`${publicOrigin}/logout`);
    expect((await mine.send('POST', new URL(`${publicOrigin}/logout`), new URLSearchParams({ ...form?.fields }))).status).toBe(403);
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestBrowser } from '../../../../test/support/test-browser.ts';
import { startTestControlPlane, type TestControlPlane } from '../spec-support/start-test-control-plane.ts';
import { logIn, publicOrigin, useLogin } from '../spec-support/use-login.ts';

const fixture = useLogin();
let second: TestControlPlane;

beforeAll(async () => void (second = await startTestControlPlane({ environment: fixture.plane.environment })));
afterAll(() => second?.close());

test('a login crosses between control planes at every step', async () => {
  let requests = 0;
  const servers = { [publicOrigin]: () => ((requests += 1) % 2 === 0 ? fixture.plane.url : second.url) };
  for (let run = 0; run < 2; run += 1) {
    // An odd number of requests before: the other one begins.
    requests = run;
    const browser = new TestBrowser({ servers });
    const page = await logIn(browser, 'ana');
    expect([page.status, page.url.pathname]).toEqual([200, '/openapi.json']);
    for (const plane of [fixture.plane, second]) {
      const reply = await plane.send('GET', '/v1/me', { authorization: undefined, headers: { Cookie: browser.cookieHeader(new URL(publicOrigin)) } });
      expect(reply.body).toMatchObject({ name: 'Ana Martín' });
    }
  }
});

test('a state that one of them took is gone for the other', async () => {
  const browser = new TestBrowser({ servers: { [publicOrigin]: () => fixture.plane.url } });
  await logIn(browser, 'ana');
  const callback = browser.visited.find((url) => url.startsWith(`${publicOrigin}/login/callback/`)) ?? '';
  const replayed = new TestBrowser({ servers: { [publicOrigin]: () => second.url } });
  for (const line of browser.cookieLines(publicOrigin)) replayed.setCookie(publicOrigin, line.split('=', 1)[0] ?? '', /=([^;]*)/.exec(line)?.[1] ?? '');
  expect((await replayed.visit(callback)).status).toBe(400);
});

test('what one of them ends is over at the other at once', async () => {
  const browser = fixture.browser();
  await logIn(browser, 'ana');
  const headers = { Cookie: browser.cookieHeader(new URL(publicOrigin)) };
  const me = (plane: TestControlPlane) => plane.send<{ id: string }>('GET', '/v1/me', { authorization: undefined, headers });
  const { body } = await me(second);
  await fixture.plane.send('DELETE', `/v1/users/${body.id}/sessions`);
  expect((await me(second)).status).toBe(401);
});

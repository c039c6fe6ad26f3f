import { expect, test } from 'vitest';
import { ana, logIn, publicOrigin, useLogin } from '../../spec-support/use-login.ts';

const fixture = useLogin();

test('a browser is sent to the provider, and comes back logged in', async () => {
  const browser = fixture.browser();
  const page = await logIn(browser, 'ana');
  expect(page.url.href).toBe(`${publicOrigin}/openapi.json`);
  const lines = browser.cookieLines(publicOrigin);
  expect(lines.find((line) => line.startsWith('__Host-gatehouse='))).toMatch(/^__Host-gatehouse=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure$/);
  const [person] = await fixture.query('select provider, issuer, subject, email, name, groups from people');
  expect(person).toEqual({ provider: 'corp', issuer: fixture.provider.issuer, subject: 'ana', email: ana.email, name: ana.name, groups: ana.groups });
});

test('who is logged in is not sent anywhere', async () => {
  const browser = fixture.browser();
  await logIn(browser, 'ana');
  const before = fixture.provider.requests.length;
  expect((await browser.open(`${publicOrigin}/login?return_to=/openapi.json`)).url.pathname).toBe('/openapi.json');
  expect(fixture.provider.requests).toHaveLength(before);
});

import { expect, test } from 'vitest';
import { TestBrowser } from '../../../../../test/support/test-browser.ts';
import { startTestControlPlane } from '../../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../../spec-support/use-control-plane.ts';

const origin = 'https://gatehouse.example';
const fixture = useControlPlane({ GATEHOUSE_CONTROL_PLANE_URL: origin });

test('without a provider and without local accounts, a page says that nobody can log in', async () => {
  const browser = new TestBrowser({ servers: { [origin]: () => fixture.plane.url } });
  const page = await browser.open(`${origin}/login`);
  expect([page.status, page.forms]).toEqual([200, []]);
  for (const path of ['/login/local', '/login?identity_provider=local', '/login/start/local']) expect([path, (await browser.open(origin + path)).status]).toEqual([path, 404]);
});

test('no links are made', async () => {
  expect((await fixture.plane.send('POST', '/v1/first-admin-link')).body).toMatchObject({ status: 409, errors: [{ code: 'local_login_off' }] });
  expect((await fixture.plane.send('POST', '/v1/users', { body: { email: 'ben@corp.example' } })).body).toMatchObject({ status: 409, errors: [{ code: 'local_login_off' }] });
  expect(await fixture.query('select 1 from people')).toEqual([]);
});

test('whoever logged in with one while they were on is out', async () => {
  const on = await startTestControlPlane({ environment: { ...fixture.plane.environment, GATEHOUSE_LOCAL_LOGIN: 'true' } });
  const browser = new TestBrowser({ servers: { [origin]: () => on.url } });
  const link = await on.send<{ url: string }>('POST', '/v1/first-admin-link');
  await browser.submit(await browser.open(link.body.url), { email: 'root@corp.example', password: 'correct horse battery' });
  const asBrowser = { authorization: undefined, headers: { Cookie: browser.cookieHeader(new URL(origin)) } };
  expect([(await on.send('GET', '/v1/me', asBrowser)).status, (await fixture.plane.send('GET', '/v1/me', asBrowser)).status]).toEqual([200, 401]);
  await on.close();
});

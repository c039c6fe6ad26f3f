import { expect, test } from 'vitest';
import { logIn, useLogin } from '../spec-support/use-login.ts';

const fixture = useLogin({}, { refreshTokens: true });

test('what a provider gave at a login is a connection of the session, refreshed by the same engine, and goes when the person is logged out', async () => {
  await logIn(fixture.browser(), 'ana');
  const read = () => fixture.query<Record<string, unknown>>(`select c.*, p.subject from connections c join people p on p.id = c.person_id where c.session_id is not null`);
  const [row] = await read();
  expect(row).toMatchObject({ owner_kind: 'identity-provider', subject: 'ana', refreshable: true, token_version: 1, state: 'active' });
  expect(await fixture.query('select from provider_tokens')).toEqual([]);
  await fixture.query(`update connections set next_refresh_at = now()`);
  await expect.poll(async () => (await read())[0]?.['token_version'], { timeout: 20_000 }).toBe(2);
  expect((await read())[0]?.['failure']).toBeNull();
  expect((await fixture.plane.send('DELETE', `/v1/users/${String(row?.['person_id'])}/sessions`)).status).toBe(204);
  expect(await read()).toEqual([]);
  expect(await fixture.query('select subject from token_revocations')).toEqual([{ subject: row?.['id'] }]);
});

import { GatewayError } from '@gatehouse/errors';
import { expect, test } from 'vitest';
import { Metrics } from '../../health/metrics.ts';
import { startTestControlPlane } from '../../spec-support/start-test-control-plane.ts';
import { publicOrigin, useLogin } from '../../spec-support/use-login.ts';
import { LoginLimits } from './login-limits.service.ts';

const defaults = { LOGIN_STARTS_PER_MINUTE: 120, LOGIN_FAILURES_PER_ADDRESS: 30, LOGIN_FAILURES_PER_ACCOUNT: 50, LOGIN_FAILURES_PER_PAIR: 5 };

const fixture = useLogin({ GATEHOUSE_TRUSTED_PROXIES: 'loopback' });
const begin = async (address: string, at = fixture.plane.url) => {
  const reply = await fetch(new URL('/login/start/corp', at), { redirect: 'manual', headers: { 'X-Forwarded-For': address } });
  return [reply.status, await reply.text()] as const;
};

test('beginning logins is limited per address, with a page that says so; each control plane counts for itself', async () => {
  for (let count = 0; count < 120; count += 1) expect((await begin('198.51.100.1'))[0]).toBe(303);
  expect(await begin('198.51.100.1')).toEqual([429, expect.stringContaining('too_many_attempts')]);
  expect((await begin('198.51.100.2'))[0]).toBe(303);
  expect(await fixture.query('select from login_states')).toHaveLength(121);
  const second = await startTestControlPlane({ environment: { ...fixture.plane.environment, GATEHOUSE_CONTROL_PLANE_URL: publicOrigin } });
  expect((await begin('198.51.100.1', second.url))[0]).toBe(303);
  await second.close();
});

const wrong = () => Promise.reject(new GatewayError('wrong_password'));
const away = () => Promise.reject(new GatewayError('database_unavailable'));
const guess = (limits: LoginLimits, attempt: () => Promise<unknown>, address = '198.51.100.1', account = 'root@corp.example') =>
  limits.guess({ address, account }, 'wrong_password', attempt).then(() => 'right', (error: unknown) => (error as GatewayError).code);

test('what was not looked at is no guess: a database that is away locks nobody out', async () => {
  const limits = new LoginLimits(defaults, new Metrics());
  for (let count = 0; count < 60; count += 1) expect(await guess(limits, away)).toBe('database_unavailable');
  expect(await guess(limits, () => Promise.resolve())).toBe('right');
});

test('one account, guessed at from everywhere, is closed to all for a while', async () => {
  const limits = new LoginLimits(defaults, new Metrics());
  for (let count = 0; count < 50; count += 1) expect(await guess(limits, wrong, `198.51.100.${count}`)).toBe('wrong_password');
  expect(await guess(limits, wrong, '203.0.113.1')).toBe('too_many_attempts');
  expect(await guess(limits, wrong, '203.0.113.1', 'other@corp.example')).toBe('wrong_password');
});

test.each([
  ['LOGIN_FAILURES_PER_ADDRESS', 'failures_of_address'],
  ['LOGIN_FAILURES_PER_ACCOUNT', 'failures_of_account'],
  ['LOGIN_FAILURES_PER_PAIR', 'failures_of_pair'],
] as const)('%s is a setting, and a refusal says which limit it was', async (setting, code) => {
  const metrics = new Metrics();
  const limits = new LoginLimits({ ...defaults, LOGIN_FAILURES_PER_ADDRESS: 100, LOGIN_FAILURES_PER_PAIR: 100, [setting]: 2 }, metrics);
  const guess = () => limits.guess({ address: '198.51.100.9', account: 'ana@corp.example' }, 'wrong_password', () => Promise.reject(new GatewayError('wrong_password')));
  for (let count = 0; count < 2; count += 1) await expect(guess()).rejects.toMatchObject({ code: 'wrong_password' });
  await expect(guess()).rejects.toMatchObject({ code: 'too_many_attempts', problems: [{ code }] });
  const { values } = await metrics.failedLogins.get();
  expect(values.map(({ labels, value }) => [labels.reason, value])).toEqual([['wrong_password', 2], [code, 1]]);
});

test('where logins may begin is a setting too', () => {
  const limits = new LoginLimits({ ...defaults, LOGIN_STARTS_PER_MINUTE: 1 }, new Metrics());
  limits.start('198.51.100.9');
  expect(() => limits.start('198.51.100.9')).toThrow(expect.objectContaining({ problems: [expect.objectContaining({ code: 'login_starts' })] }) as Error);
});

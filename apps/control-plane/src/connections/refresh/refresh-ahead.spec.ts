import { createLogger } from '@gatehouse/service-runtime';
import { beforeEach, expect, test } from 'vitest';
import { type Replica, useRefreshers } from '../../spec-support/use-refreshers.ts';
import { keepAliveSeconds, nextRefreshSeconds, pauseSeconds } from './refresh-schedule.ts';
import { RefreshAhead } from './refresh-ahead.service.ts';

const fixture = useRefreshers();
beforeEach(async () => {
  fixture.provider.interfere({});
  await fixture.query('delete from connections');
});

const aheadOf = ({ database, refresher, clients }: Replica) => new RefreshAhead(database, refresher, clients, createLogger({ level: 'fatal', role: 'control-plane' }));
const makeDue = (id: string, columns = '') => fixture.query(`update connections set next_refresh_at = now() - interval '1 second' ${columns} where id = $1`, [id]);
const rowOf = async (id: string) => (await fixture.query<{ version: number; next: number | null }>(`select token_version as version, extract(epoch from next_refresh_at - now())::float8 as next from connections where id = $1`, [id]))[0];

test('what is used is refreshed before it expires; of two replicas by one', async () => {
  const replicas = await Promise.all([fixture.replica(), fixture.replica()]);
  const ids = await Promise.all(Array.from({ length: 20 }, () => fixture.connect({ expiresInSeconds: 300 })));
  for (const id of ids) await makeDue(id, ', last_used_at = now()');
  const { refreshes } = fixture.provider;
  await Promise.all(replicas.map((replica) => aheadOf(replica).runOnce()));
  expect(fixture.provider.refreshes - refreshes).toBe(ids.length);
  for (const id of ids) expect(await rowOf(id)).toMatchObject({ version: 2, next: expect.closeTo(3600 - 600, -3) as number });
});

test('what nobody uses is left until somebody asks', async () => {
  const id = await fixture.connect({ expiresInSeconds: 300 });
  await makeDue(id, `, last_used_at = now() - interval '2 hours'`);
  await aheadOf(await fixture.replica()).runOnce();
  expect(await rowOf(id)).toEqual({ version: 1, next: null });
});

test('unless the provider drops what is not used: then it is kept alive, in time', async () => {
  const ahead = aheadOf(await fixture.replica({ refresh: { rotates: true, idleDays: 10 } }));
  const id = await fixture.connect({ expiresInSeconds: 300 });
  await makeDue(id, `, last_used_at = now() - interval '2 hours'`);
  await ahead.runOnce();
  const waiting = await rowOf(id);
  expect(waiting?.version).toBe(1);
  expect(waiting?.next).toBeGreaterThan(3 * 86_400);
  expect(waiting?.next).toBeLessThan(10 * 86_400);
  await makeDue(id, `, refreshed_at = now() - interval '9 days', last_used_at = now() - interval '9 days', expires_at = now() - interval '9 days'`);
  await ahead.runOnce();
  expect((await rowOf(id))?.version).toBe(2);
});

test('a provider that fails is asked again later, and every time a little later', async () => {
  const ahead = aheadOf(await fixture.replica());
  const id = await fixture.connect({ expiresInSeconds: 300 });
  await makeDue(id, ', last_used_at = now()');
  fixture.provider.interfere({ before: () => 503 });
  await ahead.runOnce();
  const after = await rowOf(id);
  expect(after?.version).toBe(1);
  expect(after?.next).toBeGreaterThan(0);
  fixture.provider.interfere({});
  await makeDue(id, ', retry_at = now()');
  await ahead.runOnce();
  expect((await rowOf(id))?.version).toBe(2);
});

test('times: a fifth of the life ahead, at most ten minutes, never more than half', () => {
  const between = (value: number | null, least: number, most: number): void => {
    expect(value).toBeGreaterThanOrEqual(least);
    expect(value).toBeLessThanOrEqual(most);
  };
  for (let draw = 0; draw < 50; draw += 1) {
    between(nextRefreshSeconds(86_400, { rotates: true }), 86_400 - 750, 86_400 - 450);
    between(nextRefreshSeconds(600, { rotates: true }), 600 - 150, 600 - 90);
    between(nextRefreshSeconds(60, { rotates: true }), 60 - 37.5, 60 - 22.5);
    between(nextRefreshSeconds(1, { rotates: true }), 1, 1);
    between(keepAliveSeconds({ rotates: true, idleDays: 10 }), 4.5 * 86_400, 7.5 * 86_400);
    between(pauseSeconds(0), 0.75, 1.25);
    between(pauseSeconds(1000), 45, 75);
  }
  expect(nextRefreshSeconds(undefined, { rotates: true })).toBeNull();
});

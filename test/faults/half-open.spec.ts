import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { ConnectedPerson } from '../support/connected-planes.ts';
import { reportFault } from '../support/fault-report.ts';
import { type DescribedSnapshot, described, everySecond, type FaultedPlanes, outageSeconds, readiness, snapshotOf, startFaultedPlanes } from '../support/faulted-planes.ts';

/*
 * A line that was good for a login, and then carries nothing any more: nobody is told. What is bound by which timeout: a new connection
 * to Postgres by 5 s, a statement on an old one by 12 s, of which a request makes one; a command to Redis by 5 s; a token by 25 s.
 */
const refusalLimitMs = 20_000;
const tokenLimitMs = 30_000;
const patience = { timeout: 90_000, interval: 100 };

let planes: FaultedPlanes;
let before: DescribedSnapshot;
beforeAll(async () => {
  planes = await startFaultedPlanes();
  before = await snapshotOf(planes.dataPlanes[0]);
});
afterEach(async () => {
  for (const line of Object.values(planes.lines)) await line.set({ mode: 'up' });
});
afterAll(() => planes?.close());

/** Open lines fall silent, and so do those that are opened meanwhile. */
async function silence(name: keyof FaultedPlanes['lines']): Promise<number> {
  planes.lines[name].silenceConnections();
  await planes.lines[name].set({ mode: 'timeout' });
  return Date.now();
}

async function expectWholeConfiguration(): Promise<void> {
  for (const plane of planes.dataPlanes) {
    expect(await readiness(plane)).toMatchObject({ status: 200, body: { ready: true } });
    expect((await snapshotOf(plane)).documents).toBe(before.documents);
  }
}

const timeout = (outageSeconds + 240) * 1000;

test('fault 7: the lines to Postgres fall silent: requests are refused in time, and answered when there are others', { timeout }, async () => {
  const silentAt = await silence('postgres');
  let slowestMs = 0;
  await everySecond(outageSeconds, async () => {
    for (const answer of await Promise.all([planes.read(), planes.read(), planes.setKey('key-of-the-outage')])) {
      expect(answer).toMatchObject({ status: 503, contentType: 'application/problem+json', code: 'database_unavailable' });
      slowestMs = Math.max(slowestMs, answer.tookMs);
    }
    for (const plane of planes.controlPlanes) expect(await readiness(plane)).toMatchObject({ status: 200, body: { degraded: ['database'] } });
    await expectWholeConfiguration();
  });
  await planes.lines.postgres.set({ mode: 'up' });
  const returnedAt = Date.now();
  await expect.poll(() => planes.read(), patience).toMatchObject({ status: 200 });
  const readMs = Date.now() - returnedAt;
  await expect.poll(() => planes.setKey('key-after-postgres'), patience).toMatchObject({ status: 200 });
  await planes.untilServed('key-after-postgres');
  expect(described(planes.failures(silentAt), silentAt)).toEqual([]);
  expect(planes.load.made.filter(({ outcome }) => outcome === 'key-of-the-outage')).toEqual([]);
  reportFault(7, 'Postgres half-open', { outageSeconds, slowestRefusalMs: slowestMs, readsAfterMs: readMs, editServedAfterMs: Date.now() - returnedAt });
  console.info(`Postgres: refused within ${slowestMs} ms, reads ${readMs} ms after its return`);
  expect(slowestMs).toBeLessThan(refusalLimitMs);
});

test('fault 7: the lines to Redis fall silent: edits are taken, calls go on, and the edits come when there are others', { timeout }, async () => {
  const silentAt = await silence('redis');
  const edit = await planes.setKey('key-after-redis');
  expect(edit).toMatchObject({ status: 200 });
  expect(edit.tookMs).toBeLessThan(refusalLimitMs);
  await everySecond(outageSeconds, expectWholeConfiguration);
  for (const plane of planes.dataPlanes) await expect.poll(() => readiness(plane), patience).toMatchObject({ body: { degraded: true } });
  for (const plane of planes.controlPlanes) expect(await readiness(plane)).toEqual({ status: 200, body: { status: 'ready', degraded: ['channel'] } });
  await planes.lines.redis.set({ mode: 'up' });
  const returnedAt = Date.now();
  const servedAfterMs = Math.max(...(await planes.untilServed('key-after-redis'))) - returnedAt;
  await expect.poll(async () => Promise.all(planes.dataPlanes.map(async (plane) => (await readiness(plane)).body['degraded'])), patience).toEqual([false, false]);
  expect(described(planes.failures(silentAt), silentAt)).toEqual([]);
  reportFault(7, 'Redis half-open', { outageSeconds, editServedAfterMs: servedAfterMs });
  console.info(`Redis: the edit was served ${servedAfterMs} ms after its return`);
});

test('fault 7: only the lines to Postgres that are open fall silent: whoever gets one is refused in time, and soon nobody does', { timeout }, async () => {
  await Promise.all(Array.from({ length: 8 }, () => planes.read()));
  planes.lines.postgres.silenceConnections();
  const silentAt = Date.now();
  let slowestMs = 0;
  let streak = 0;
  let goodSince = 0;
  // Each control plane is asked in turn, and each with what connections it has.
  while (streak < 5) {
    const answers = await Promise.all(Array.from({ length: 4 }, () => planes.read()));
    for (const { status, code, tookMs } of answers) {
      expect([[200, undefined], [503, 'database_unavailable']]).toContainEqual([status, code]);
      slowestMs = Math.max(slowestMs, tookMs);
    }
    const isGood = answers.every(({ status }) => status === 200);
    if (isGood && streak === 0) goodSince = Date.now();
    streak = isGood ? streak + 1 : 0;
  }
  expect(await planes.setKey('key-over-new-lines-to-postgres')).toMatchObject({ status: 200 });
  await planes.untilServed('key-over-new-lines-to-postgres');
  expect(described(planes.failures(silentAt), silentAt)).toEqual([]);
  reportFault(7, 'open connections to Postgres silent', { slowestRefusalMs: slowestMs, answeredAfterMs: goodSince - silentAt });
  console.info(`Postgres, new lines: refused within ${slowestMs} ms, answered after ${goodSince - silentAt} ms`);
  expect(slowestMs).toBeLessThan(refusalLimitMs);
});

test('fault 7: only the lines to Redis that are open fall silent: subscriptions that hear nothing are found out, and replaced', { timeout }, async () => {
  planes.lines.redis.silenceConnections();
  const silentAt = Date.now();
  expect(await planes.setKey('key-over-new-lines')).toMatchObject({ status: 200 });
  const servedAfterMs = Math.max(...(await planes.untilServed('key-over-new-lines'))) - silentAt;
  await expectWholeConfiguration();
  expect(described(planes.failures(silentAt), silentAt)).toEqual([]);
  reportFault(7, 'open connections to Redis silent', { editServedAfterMs: servedAfterMs });
  console.info(`Redis, new lines: the edit was served after ${servedAfterMs} ms`);
  expect(servedAfterMs).toBeLessThan(refusalLimitMs);
});

test('fault 7: the lines to the control planes fall silent: tokens that are there are used, who has none is refused in time', { timeout }, async () => {
  const people: ConnectedPerson[] = [];
  for (const name of ['ben', 'cleo', 'dan']) people.push(await planes.connect(name, 3600));
  const silentAt = await silence('broker');
  const tookMs = await Promise.all(people.map(async (who) => {
    const beganAt = Date.now();
    expect(await planes.call(planes.dataPlanes[0], who)).toBe('503 broker_unavailable');
    return Date.now() - beganAt;
  }));
  await everySecond(outageSeconds, expectWholeConfiguration);
  // The configuration comes another way.
  expect(await planes.setKey('key-without-broker')).toMatchObject({ status: 200 });
  await planes.untilServed('key-without-broker');
  await planes.lines.broker.set({ mode: 'up' });
  const returnedAt = Date.now();
  for (const who of people) await expect.poll(() => planes.call(planes.dataPlanes[0], who), patience).toBe('served');
  expect(described(planes.failures(silentAt), silentAt)).toEqual([]);
  reportFault(7, 'control plane half-open', { outageSeconds, slowestRefusalMs: Math.max(...tookMs), servedAfterMs: Date.now() - returnedAt });
  console.info(`control plane: refused within ${Math.max(...tookMs)} ms, served ${Date.now() - returnedAt} ms after its return`);
  expect(Math.max(...tookMs)).toBeLessThan(tokenLimitMs);
});

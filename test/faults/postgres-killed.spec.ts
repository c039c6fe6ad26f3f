import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConnectedPerson } from '../support/connected-planes.ts';
import { reportFault } from '../support/fault-report.ts';
import { anyone, described, everySecond, type FaultedPlanes, outageSeconds, readiness, startFaultedPlanes } from '../support/faulted-planes.ts';

/** Of the throughput before; beyond these the fault has been felt. */
const [least, most] = [0.7, 1.3];
const watchedSeconds = Math.min(outageSeconds, 20);
const unavailable = { status: 503, contentType: 'application/problem+json', code: 'database_unavailable' };

let planes: FaultedPlanes;
let ben: ConnectedPerson;
beforeAll(async () => {
  planes = await startFaultedPlanes();
  ben = await planes.connect('ben', 3600);
});
afterAll(() => planes?.close());

test('fault 1: Postgres is killed: data planes serve on as before, control planes say so and recover by themselves', { timeout: (outageSeconds + 120) * 1000 }, async () => {
  const { controlPlanes, dataPlanes, shape } = planes;
  const watchedAt = Date.now();
  await everySecond(watchedSeconds, async () => expect((await planes.read()).status).toBe(200));
  const killedAt = Date.now();
  await shape.postgres.kill9();

  let slowestMs = 0;
  await everySecond(outageSeconds, async () => {
    const answers = [await planes.setKey('key-2'), await planes.read()];
    for (const answer of answers) expect(answer).toMatchObject(unavailable);
    slowestMs = Math.max(slowestMs, ...answers.map(({ tookMs }) => tookMs));
    for (const plane of controlPlanes) expect(await readiness(plane)).toEqual({ status: 200, body: { status: 'ready', degraded: ['database'] } });
    for (const plane of dataPlanes) expect(await readiness(plane)).toMatchObject({ status: 200, body: { ready: true } });
  });
  // Whose token no data plane has yet is told that it cannot be had, and not to connect again.
  expect(await planes.call(dataPlanes[0], ben)).toBe('503 broker_unavailable');
  const endedAt = Date.now();
  const during = planes.callsPerSecond(killedAt, endedAt);
  const ratio = during / planes.callsPerSecond(watchedAt, killedAt);

  await shape.postgres.startAgain();
  const returnedAt = Date.now();
  await expect.poll(() => planes.read(), { timeout: 60_000, interval: 50 }).toMatchObject({ status: 200 });
  const readMs = Date.now() - returnedAt;
  for (const plane of controlPlanes) await expect.poll(() => readiness(plane), { timeout: 60_000 }).toEqual({ status: 200, body: { status: 'ready' } });
  expect(await planes.setKey('key-2')).toMatchObject({ status: 200 });
  await planes.untilServed('key-2');
  const servedMs = Date.now() - returnedAt;
  await expect.poll(() => planes.call(dataPlanes[0], ben), { timeout: 60_000 }).toBe('served');

  expect(described(planes.failures(), killedAt)).toEqual([]);
  // Nothing that was answered with 503 was made all the same.
  expect(planes.load.made.filter(({ who, outcome, beganAt }) => who === anyone && beganAt < endedAt && outcome !== 'key-1')).toEqual([]);
  reportFault(1, 'Postgres killed', { outageSeconds, callsPerSecond: Math.round(during), ofBefore: ratio.toFixed(2), slowestRefusalMs: slowestMs, readsAfterMs: readMs, editServedAfterMs: servedMs });
  console.info(`${during.toFixed(0)} calls/s, ${ratio.toFixed(2)} of before; refused within ${slowestMs} ms; reads ${readMs} ms and an edit ${servedMs} ms after its return`);
  expect(ratio).toBeGreaterThan(least);
  expect(ratio).toBeLessThan(most);
});

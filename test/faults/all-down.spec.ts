import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportFault } from '../support/fault-report.ts';
import { anyone, callOrders, described, everySecond, type FaultedPlanes, outageSeconds, readiness, snapshotOf, startFaultedPlanes } from '../support/faulted-planes.ts';

let planes: FaultedPlanes;
beforeAll(async () => {
  planes = await startFaultedPlanes();
});
afterAll(() => planes?.close());

test('fault 5: everything is down and data planes are started again: they serve the last known good; one that has none is unready, and knows that it does not know', { timeout: (outageSeconds + 180) * 1000 }, async () => {
  const { controlPlanes, dataPlanes, shape } = planes;
  expect(await planes.setKey('key-2')).toMatchObject({ status: 200 });
  await planes.untilServed('key-2');
  await expect.poll(async () => Promise.all(dataPlanes.map(async (plane) => (await snapshotOf(plane)).revisionOnDisk === (await snapshotOf(plane)).revision))).toEqual([true, true]);
  await Promise.all([shape.postgres.kill9(), shape.redis.kill9(), ...controlPlanes.map(({ process }) => process.kill9())]);
  const killedAt = Date.now();
  await everySecond(outageSeconds / 4, async () => {
    for (const plane of dataPlanes) expect(await readiness(plane)).toMatchObject({ status: 200, body: { ready: true } });
  });
  expect(described(planes.failures(), killedAt)).toEqual([]);

  await Promise.all(dataPlanes.map((plane) => plane.kill9()));
  const servedAfterMs = await Promise.all([planes.restartDataPlane(0), planes.restartDataPlane(1)]);
  const fresh = await planes.startDataPlane('three');
  const restartedAt = Date.now();
  await everySecond((outageSeconds * 3) / 4, async () => {
    for (const plane of dataPlanes) expect(await readiness(plane)).toMatchObject({ status: 200, body: { ready: true, degraded: true } });
    expect([await callOrders(fresh), await callOrders(fresh, 'nothing-of-that-name')]).toEqual(['503 not_ready', '503 not_ready']);
    expect(await readiness(fresh)).toMatchObject({ status: 503, body: { ready: false } });
  });
  expect(await Promise.all(dataPlanes.map(async (plane) => (await snapshotOf(plane)).source))).toEqual(['disk', 'disk']);
  const since = planes.load.made.filter(({ who, beganAt }) => who === anyone && beganAt >= restartedAt);
  expect(since.length).toBeGreaterThan(0);
  expect(described(since.filter(({ outcome }) => outcome !== 'key-2'), restartedAt)).toEqual([]);

  await Promise.all([shape.postgres.startAgain(), planes.restartRedis()]);
  await planes.restartControlPlanes();
  const returnedAt = Date.now();
  expect(await planes.setKey('key-3')).toMatchObject({ status: 200 });
  const editMs = Math.max(...(await planes.untilServed('key-3'))) - returnedAt;
  await expect.poll(() => callOrders(fresh), { timeout: 60_000 }).toBe('key-3');
  expect((await readiness(fresh)).status).toBe(200);
  await expect.poll(() => dataPlanes.map((_plane, index) => planes.load.last(planes.ana, index)?.outcome), { timeout: 60_000 }).toEqual(['served', 'served']);
  reportFault(5, 'everything down, data planes started again', { outageSeconds, servesFromDiskAfterMs: Math.max(...servedAfterMs), editServedAfterMs: editMs });
  console.info(`served from disk ${servedAfterMs.join(' and ')} ms after the start, an edit ${editMs} ms after the return`);
});

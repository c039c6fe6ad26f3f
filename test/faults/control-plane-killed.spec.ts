import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportFault } from '../support/fault-report.ts';
import { anyone, described, everySecond, type FaultedPlanes, outageSeconds, readiness, snapshotOf, startFaultedPlanes } from '../support/faulted-planes.ts';

/** From the start of the process to the first call that is served. */
const restartLimitMs = 5_000;

let planes: FaultedPlanes;
beforeAll(async () => {
  planes = await startFaultedPlanes();
});
afterAll(() => planes?.close());

test('fault 3: every control plane is killed: data planes stay ready, and one that is started again serves within five seconds', { timeout: (outageSeconds + 120) * 1000 }, async () => {
  const { ana, controlPlanes, dataPlanes } = planes;
  await expect.poll(async () => Promise.all(dataPlanes.map(async (plane) => (await snapshotOf(plane)).revisionOnDisk === (await snapshotOf(plane)).revision))).toEqual([true, true]);
  await Promise.all(controlPlanes.map(({ process }) => process.kill9()));
  const killedAt = Date.now();
  await everySecond(outageSeconds / 2, async () => {
    // Neither needs a control plane for what it serves, nor for its configuration.
    for (const plane of dataPlanes) expect(await readiness(plane)).toMatchObject({ status: 200, body: { ready: true, degraded: false } });
  });
  expect(described(planes.failures(), killedAt)).toEqual([]);

  await dataPlanes[0].kill9();
  const servedAfterMs = await planes.restartDataPlane(0);
  const restartedAt = Date.now();
  await everySecond(outageSeconds / 2, async () => {
    for (const plane of dataPlanes) expect(await readiness(plane)).toMatchObject({ status: 200, body: { ready: true } });
  });
  // What it had in memory alone is gone with it: who needs the broker is told so there, and nowhere else.
  expect(described(planes.failures(restartedAt).filter(({ who, plane, outcome }) => !(who === ana && plane === 0 && outcome === '503 broker_unavailable')), restartedAt)).toEqual([]);
  expect(planes.failures(killedAt).filter(({ plane }) => plane === 1)).toEqual([]);

  const again = await planes.restartControlPlanes();
  const returnedAt = Date.now();
  for (const plane of again) expect(await readiness(plane)).toEqual({ status: 200, body: { status: 'ready' } });
  expect(await planes.setKey('key-2')).toMatchObject({ status: 200 });
  const editMs = Math.max(...(await planes.untilServed('key-2'))) - returnedAt;
  await expect.poll(() => planes.load.last(ana, 0)?.outcome, { timeout: 60_000 }).toBe('served');
  expect(planes.load.made.filter(({ who, beganAt, outcome }) => who === anyone && beganAt < returnedAt && outcome === 'key-2')).toEqual([]);
  reportFault(3, 'every control plane killed', { outageSeconds, dataPlaneRestartedServesAfterMs: servedAfterMs, editServedAfterMs: editMs });
  console.info(`a data plane that was started again served after ${servedAfterMs} ms`);
  expect(servedAfterMs).toBeLessThan(restartLimitMs);
});

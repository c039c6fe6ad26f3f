import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportFault } from '../support/fault-report.ts';
import { callOrders, described, everySecond, type FaultedPlanes, gauge, outageSeconds, readiness, snapshotOf, startFaultedPlanes } from '../support/faulted-planes.ts';
import { limitFiles } from '../support/limit-files.ts';

let planes: FaultedPlanes;
beforeAll(async () => {
  planes = await startFaultedPlanes();
});
afterAll(() => planes?.close());

test('fault 11: the disk of a data plane is full: it serves on, edits and all, and says so; with room again, what it serves is on it', { timeout: (outageSeconds + 180) * 1000 }, async () => {
  const [plane] = planes.dataPlanes;
  await expect.poll(async () => (await snapshotOf(plane)).revisionOnDisk, { timeout: 30_000 }).toBe((await snapshotOf(plane)).revision);
  const { revisionOnDisk: keptBefore } = await snapshotOf(plane);
  await limitFiles(plane, 1_000);
  const fullAt = Date.now();
  let edits = 0;
  const servedAfterMs: number[] = [];
  await everySecond(outageSeconds, async () => {
    const editedAt = Date.now();
    expect(await planes.setKey(`key-full-${(edits += 1)}`)).toMatchObject({ status: 200 });
    servedAfterMs.push((await planes.untilServed(`key-full-${edits}`))[0] - editedAt);
    expect(await readiness(plane)).toMatchObject({ status: 200, body: { ready: true } });
  });
  expect(await gauge(plane, 'gatehouse_snapshot_disk_failures')).toBeGreaterThan(0);
  await expect.poll(() => plane.output(), { timeout: 30_000 }).toMatch(/EFBIG.*snapshot could not be written to disk; serving on/);
  expect((await snapshotOf(plane)).revisionOnDisk).toBe(keptBefore);
  expect(await gauge(planes.dataPlanes[1], 'gatehouse_snapshot_disk_failures')).toBe(0);

  // Nothing changes any more, and it is kept all the same.
  await limitFiles(plane, 'unlimited');
  const roomAt = Date.now();
  const { revision } = await snapshotOf(plane);
  await expect.poll(async () => (await snapshotOf(plane)).revisionOnDisk, { timeout: 60_000, interval: 100 }).toBe(revision);
  const keptMs = Date.now() - roomAt;
  expect(described(planes.failures(fullAt), fullAt)).toEqual([]);

  // What is there is whole: alone with it, it serves.
  await plane.kill9();
  const alone = await planes.startDataPlane('one', { GATEHOUSE_REDIS_URL: 'redis://127.0.0.1:1' });
  expect(await callOrders(alone)).toBe(`key-full-${edits}`);
  reportFault(11, 'disk of a data plane full', { outageSeconds, editServedAfterMs: Math.max(...servedAfterMs), keptAgainAfterMs: keptMs });
  console.info(`edits were served within ${Math.max(...servedAfterMs)} ms; kept again ${keptMs} ms after there was room`);
});

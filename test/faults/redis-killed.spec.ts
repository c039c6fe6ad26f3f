import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportFault } from '../support/fault-report.ts';
import { callOrders, described, everySecond, type FaultedPlanes, outageSeconds, readiness, snapshotOf, startFaultedPlanes } from '../support/faulted-planes.ts';

/** As everywhere, unless somebody says otherwise. */
const pollSeconds = 10;

let planes: FaultedPlanes;
beforeAll(async () => {
  planes = await startFaultedPlanes({ environment: { GATEHOUSE_SNAPSHOT_POLL_SECONDS: String(pollSeconds) } });
});
afterAll(() => planes?.close());

test('fault 2: Redis is killed and comes back empty: no call fails, and an edit made meanwhile is served within two polls', { timeout: (outageSeconds + 180) * 1000 }, async () => {
  const { controlPlanes, dataPlanes, shape } = planes;
  const before = await snapshotOf(dataPlanes[0]);
  await shape.redis.kill9();
  const killedAt = Date.now();
  expect(await planes.setKey('key-2')).toMatchObject({ status: 200 });
  await everySecond(outageSeconds, async () => {
    for (const plane of dataPlanes) expect(await readiness(plane)).toMatchObject({ status: 200, body: { ready: true } });
    for (const plane of controlPlanes) expect((await readiness(plane)).status).toBe(200);
  });
  // They know since their next poll.
  for (const plane of dataPlanes) await expect.poll(() => readiness(plane), { timeout: 30_000 }).toMatchObject({ status: 200, body: { degraded: true } });
  for (const plane of controlPlanes) expect((await readiness(plane)).body).toEqual({ status: 'ready', degraded: ['channel'] });
  for (const plane of dataPlanes) expect(await snapshotOf(plane)).toMatchObject({ revision: before.revision, hash: before.hash, documents: before.documents });

  await planes.restartRedis();
  const returnedAt = Date.now();
  const servedAfterMs = (await planes.untilServed('key-2')).map((servedAt) => servedAt - returnedAt);
  // It holds everything again: a data plane that knows nothing starts from it.
  const fresh = await planes.startDataPlane('three');
  await expect.poll(() => callOrders(fresh), { timeout: 30_000 }).toBe('key-2');
  await expect.poll(async () => Promise.all(dataPlanes.map(async (plane) => (await readiness(plane)).body['degraded'])), { timeout: 60_000 }).toEqual([false, false]);
  expect(new Set(await Promise.all(dataPlanes.map(async (plane) => (await snapshotOf(plane)).hash))).size).toBe(1);

  expect(described(planes.failures(), killedAt)).toEqual([]);
  reportFault(2, 'Redis killed, back empty', { outageSeconds, pollSeconds, editServedAfterMs: Math.max(...servedAfterMs) });
  console.info(`an edit was served ${servedAfterMs.join(' and ')} ms after its return`);
  for (const tookMs of servedAfterMs) expect(tookMs).toBeLessThanOrEqual(2 * pollSeconds * 1000);
});

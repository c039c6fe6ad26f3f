import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportFault } from '../support/fault-report.ts';
import { type LoadedPlanes, startLoadedPlanes } from '../support/loaded-planes.ts';
import { drain, type LastingUpstreams } from '../support/scenarios/drain.ts';

/** GATEHOUSE_DRAIN_TIMEOUT_MS when nothing is said. */
const inTimeMs = 25_000;
const unreadyAtOnceMs = 500;
const slowMs = 5_000;

let planes: LoadedPlanes;
let upstreams: LastingUpstreams;
beforeAll(async () => {
  planes = await startLoadedPlanes();
  upstreams = { lasting: await planes.serve('lasting'), streaming: await planes.serve('streaming') };
  await planes.serve('orders');
  planes.load.begin('orders', 5, 20);
});
afterAll(() => planes?.close());

test('fault 15: SIGTERM with 200 requests and 100 streams open, five times: unready at once, none that began before is reset, exit 0 in time', async () => {
  for (let time = 1; time <= 5; time += 1) {
    const { unreadyMs, drainedMs, refusedAfterwards } = await drain(planes, upstreams, { requests: 200, streams: 100, slowMs });
    expect(unreadyMs).toBeLessThan(unreadyAtOnceMs);
    expect(drainedMs).toBeLessThan(inTimeMs);
    reportFault(15, `SIGTERM, time ${time}`, { unreadyMs, drainedMs, refusedAfterwards });
    await planes.restartDataPlane(0);
    await expect.poll(() => planes.load.last('orders', 0)?.outcome, { timeout: 20_000 }).toBe('key-0');
  }
});

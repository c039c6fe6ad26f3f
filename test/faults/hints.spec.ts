import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportFault } from '../support/fault-report.ts';
import { type LoadedPlanes, startLoadedPlanes } from '../support/loaded-planes.ts';
import { convergeAfter, lostHints } from '../support/scenarios/lose-hints.ts';

const pollSeconds = 3;
/** Polls come up to a fifth later, and then it is read. */
const onePollMs = pollSeconds * 1_000 * 1.2 + 1_000;
const times = 5;

let planes: LoadedPlanes;
beforeAll(async () => {
  planes = await startLoadedPlanes({ GATEHOUSE_SNAPSHOT_POLL_SECONDS: String(pollSeconds) });
  await planes.serve('orders');
  planes.load.begin('orders', 5, 20);
});
afterAll(() => planes?.close());

test.each(Object.entries(lostHints))('fault 6: %s: both data planes come to the last edit within one poll', async (name, lose) => {
  const tookMs: number[] = [];
  for (let time = 0; time < times; time += 1) tookMs.push(await convergeAfter(planes, lose));
  expect(Math.max(...tookMs)).toBeLessThan(onePollMs);
  reportFault(6, name, { pollMs: pollSeconds * 1_000, convergedMs: Math.max(...tookMs), times });
});

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportFault } from '../support/fault-report.ts';
import { described, everySecond, type FaultedPlanes, outageSeconds, startFaultedPlanes, type Writing } from '../support/faulted-planes.ts';

let planes: FaultedPlanes;
beforeAll(async () => {
  planes = await startFaultedPlanes();
});
afterAll(() => planes?.close());

const setLatency = (roundTripMs: number): Promise<void> => planes.lines.postgres.set({ latencyMs: roundTripMs / 2 });
const slowest = (answers: readonly Writing[]): number => Math.max(...answers.map(({ tookMs }) => tookMs));
const seconds = outageSeconds / 3;

test.each([30, 300])('fault 8: %d ms more to Postgres: slower, and nothing worse', { timeout: (seconds + 120) * 1000 }, async (roundTripMs) => {
  const beganAt = Date.now();
  await setLatency(roundTripMs);
  const [reads, writes]: [Writing[], Writing[]] = [[], []];
  let edits = 0;
  await everySecond(seconds, async () => {
    reads.push(await planes.read());
    writes.push(await planes.setKey(`key-${roundTripMs}-${(edits += 1)}`));
  });
  for (const { status } of [...reads, ...writes]) expect(status).toBe(200);
  await planes.untilServed(`key-${roundTripMs}-${edits}`);
  expect(described(planes.failures(beganAt), beganAt)).toEqual([]);
  reportFault(8, `${roundTripMs} ms more to Postgres`, { slowestReadMs: slowest(reads), slowestWriteMs: slowest(writes) });
  console.info(`+${roundTripMs} ms: reads within ${slowest(reads)} ms, writes within ${slowest(writes)} ms`);
});

test('fault 8: three seconds more to Postgres: refused with 5xx, the reason in the log, and nothing half done', { timeout: (seconds + 240) * 1000 }, async () => {
  const beganAt = Date.now();
  const logged = planes.controlPlanes.map(({ process }) => process.output().length);
  await setLatency(3_000);
  const answers: Writing[] = [];
  await everySecond(seconds, async () => {
    answers.push(...(await Promise.all([planes.read(), planes.setKey('key-of-the-slow')])));
  });
  // Reads of one statement over an open connection may come through; a write has too many of them.
  for (const { status } of answers) expect([200, 503]).toContain(status);
  const writes = answers.filter((_answer, index) => index % 2 === 1);
  for (const { status, contentType, code } of writes) expect({ status, contentType, code }).toEqual({ status: 503, contentType: 'application/problem+json', code: 'database_unavailable' });
  const reasons = (): string[] => {
    const lines = planes.controlPlanes.flatMap(({ process }, index) => process.output().slice(logged[index]).split('\n'));
    return lines.filter((line) => line.includes('"code":"database_unavailable"') && /timeout/i.test(line));
  };
  await expect.poll(() => reasons().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(writes.length);
  await setLatency(0);
  const returnedAt = Date.now();
  await expect.poll(() => planes.setKey('key-of-the-fast'), { timeout: 60_000, interval: 50 }).toMatchObject({ status: 200 });
  const recoveredMs = Date.now() - returnedAt;
  await planes.untilServed('key-of-the-fast');
  await delay(2_000);
  expect(planes.load.made.filter(({ outcome }) => outcome === 'key-of-the-slow')).toEqual([]);
  expect(described(planes.failures(beganAt), beganAt)).toEqual([]);
  console.info(`+3000 ms: ${answers.map(({ status, tookMs }) => `${status} after ${tookMs} ms`).join(', ')}`);
  reportFault(8, '3000 ms more to Postgres', { slowestRefusalMs: slowest(writes), recoveredAfterMs: recoveredMs });
});

import { randomInt } from 'node:crypto';
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSnapshot } from '../../apps/data-plane/src/snapshot/snapshot-disk.ts';
import { type AlternatingProxy, startAlternatingProxy } from '../support/alternating-proxy.ts';
import { reportFault } from '../support/fault-report.ts';
import { anyone, callOrders, described, type FaultedPlanes, outageSeconds, startFaultedPlanes } from '../support/faulted-planes.ts';
import { SteadyCalls } from '../support/steady-calls.ts';

const kills = Math.max(2, Math.round(outageSeconds / 10));
const callers = 4;
const names = ['one', 'two'] as const;

let planes: FaultedPlanes;
let ingress: AlternatingProxy;
/** Of whoever calls the data planes through the ingress, as everybody does. */
let calls: SteadyCalls;
beforeAll(async () => {
  planes = await startFaultedPlanes();
  ingress = await startAlternatingProxy();
  for (const [index, name] of names.entries()) ingress.targets.set(name, planes.dataPlanes[index]?.dataPlaneUrl ?? '');
  calls = new SteadyCalls({ dataPlanes: [{ ...planes.dataPlanes[0], dataPlaneUrl: ingress.url }], call: (plane) => callOrders(plane) });
  calls.begin(anyone, callers, 20);
});
afterAll(async () => {
  await calls?.stop();
  await ingress?.close();
  await planes?.close();
});

/** Which of its two files are not whole. Each is looked at alone: the first that is would do. */
async function damagedOnDisk(name: string): Promise<string[]> {
  const keys = snapshotKeysOf([parseKey(planes.shape.environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]);
  const alone = await mkdtemp(join(tmpdir(), 'gatehouse-left-'));
  const damaged: string[] = [];
  for (const file of ['snapshot', 'snapshot.previous']) {
    await copyFile(join(planes.shape.folder, name, file), join(alone, 'snapshot'));
    await readSnapshot(alone, keys, () => void damaged.push(file));
  }
  await rm(alone, { recursive: true });
  return damaged;
}

test('fault 4: a data plane is killed while it writes its snapshot: the other takes over, and what is on the disk is whole', { timeout: kills * 30_000 + 60_000 }, async () => {
  let edits = 0;
  let isOver = false;
  const editing = (async () => {
    for (; !isOver; await delay(50)) expect(await planes.setKey(`key-${(edits += 1)}`)).toMatchObject({ status: 200 });
  })();
  const inFlight: number[] = [];
  const servedAfterMs: number[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    const index = (kill % 2) as 0 | 1;
    const name = names[index];
    await delay(randomInt(500, 1500));
    const before = calls.made.length;
    const { pid } = planes.dataPlanes[index].child;
    await planes.dataPlanes[index].kill9();
    const killedAt = Date.now();
    expect([name, await damagedOnDisk(name)]).toEqual([name, []]);
    await expect.poll(() => calls.made.filter(({ beganAt }) => beganAt > killedAt).length, { timeout: 30_000 }).toBeGreaterThan(50);
    expect(described(calls.made.filter(({ beganAt, outcome }) => beganAt > killedAt && !outcome.startsWith('key-')), killedAt)).toEqual([]);
    // What ran on it when it died is all that anyone has lost.
    inFlight.push(calls.made.slice(before).filter(({ outcome }) => !outcome.startsWith('key-')).length);
    servedAfterMs.push(await planes.restartDataPlane(index));
    ingress.targets.set(name, planes.dataPlanes[index].dataPlaneUrl);
    // What the dead one had begun to write is gone.
    expect((await readdir(join(planes.shape.folder, name))).filter((file) => file.includes(`.${pid}.`))).toEqual([]);
  }
  isOver = true;
  await editing;
  await planes.untilServed(`key-${edits}`);
  expect(Math.max(...inFlight)).toBeLessThanOrEqual(callers);
  expect(described(planes.failures().filter(({ outcome, who }) => !outcome.startsWith('no answer') && who === anyone))).toEqual([]);
  reportFault(4, 'data plane killed', { kills, edits, callsLostInFlightAtMost: Math.max(...inFlight), servesAgainAfterMs: Math.max(...servedAfterMs) });
  console.info(`${kills} kills during ${edits} edits: ${inFlight.join(', ')} calls lost in flight; served again after ${servedAfterMs.join(', ')} ms`);
});

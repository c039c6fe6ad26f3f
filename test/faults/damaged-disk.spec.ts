import { randomBytes } from 'node:crypto';
import { copyFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { snapshotKeysOf } from '@gatehouse/gateway-config';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { emptySnapshot } from '../../apps/data-plane/src/snapshot/current-snapshot.ts';
import { writeSnapshot } from '../../apps/data-plane/src/snapshot/snapshot-disk.ts';
import { reportFault } from '../support/fault-report.ts';
import { callOrders, described, type FaultedPlanes, gauge, readiness, snapshotOf, startFaultedPlanes } from '../support/faulted-planes.ts';
import type { DataPlaneProcess } from '../support/production-shape.ts';

/** Nobody is there: what is served comes from the disk. */
const nobody = { GATEHOUSE_REDIS_URL: 'redis://127.0.0.1:1' };
const names = ['snapshot', 'snapshot.previous'] as const;

let planes: FaultedPlanes;
let folder: string;
let beganAt: number;
/** As the data plane left them: the newest has key-2, the one before key-1. */
let files: readonly Buffer[];
beforeAll(async () => {
  planes = await startFaultedPlanes();
  folder = join(planes.shape.folder, 'three');
  beganAt = Date.now();
  const started = await planes.startDataPlane('three');
  const isKept = async (): Promise<boolean> => {
    const { revision, revisionOnDisk } = await snapshotOf(started);
    return revision !== undefined && revisionOnDisk === revision;
  };
  while (!(await isKept())) await new Promise(setImmediate);
  await planes.setKey('key-2');
  while ((await callOrders(started)) !== 'key-2') await new Promise(setImmediate);
  await started.stop();
  files = await Promise.all(names.map((name) => readFile(join(folder, name))));
});
afterAll(() => planes?.close());

const newest = (): string => join(folder, names[0]);

/** Starts it with what is on the disk, and nothing else, for as long as `check` takes. */
async function startAlone(check: (plane: DataPlaneProcess) => Promise<void>, more: Record<string, string> = {}): Promise<void> {
  const plane = await planes.startDataPlane('three', { ...nobody, ...more });
  try {
    await check(plane);
  } finally {
    await plane.kill9();
  }
}

async function flipBit(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] as number) ^ 1;
  await writeFile(path, bytes);
}

async function writeUnderAnotherKey(): Promise<void> {
  await writeSnapshot(folder, snapshotKeysOf([randomBytes(32)]), emptySnapshot({ revision: 1_000_000, stamp: 'another' }));
  await writeFile(join(folder, names[1]), files[1] as Buffer);
}

test.each<[string, () => Promise<unknown>]>([
  ['truncated', async () => truncate(newest(), (files[0] as Buffer).length - 100)],
  ['of zero bytes', () => truncate(newest(), 0)],
  ['with a flipped bit in its list', () => flipBit(newest(), 100)],
  ['with a flipped bit in a document', () => flipBit(newest(), -40)],
  ['sealed under another key', writeUnderAnotherKey],
])('fault 10: the snapshot on disk is %s: it is skipped and counted, and the one before is served', { timeout: 120_000 }, async (what, damage) => {
  for (const [index, name] of names.entries()) await writeFile(join(folder, name), files[index] as Buffer);
  await damage();
  await startAlone(async (plane) => {
    expect(await callOrders(plane)).toBe('key-1');
    expect(await readiness(plane)).toMatchObject({ status: 200, body: { ready: true } });
    expect(await gauge(plane, 'gatehouse_snapshot_disk_failures')).toBe(1);
    // What it says may come a moment later.
    await expect.poll(() => plane.output(), { timeout: 30_000 }).toContain('snapshot on disk cannot be used, skipped');
  });
  expect(described(planes.failures(beganAt), beganAt)).toEqual([]);
  reportFault(10, `snapshot on disk ${what}`, { served: 'the one before', counted: 1 });
});

test('fault 10: both are damaged: unready, and no call is told that there is no such server', { timeout: 120_000 }, async () => {
  await truncate(newest(), 10);
  await copyFile(newest(), join(folder, names[1]));
  await startAlone(async (plane) => {
    expect(await callOrders(plane)).toBe('503 not_ready');
    expect((await readiness(plane)).status).toBe(503);
    expect(await gauge(plane, 'gatehouse_snapshot_disk_failures')).toBe(2);
  });
});

test('fault 10: everything on the disk is under another key than the process has: unready alone, whole with Redis', { timeout: 120_000 }, async () => {
  for (const [index, name] of names.entries()) await writeFile(join(folder, name), files[index] as Buffer);
  await startAlone(async (plane) => {
    expect(await callOrders(plane)).toBe('503 not_ready');
    expect(await gauge(plane, 'gatehouse_snapshot_disk_failures')).toBe(2);
  }, { GATEHOUSE_SNAPSHOT_KEY: randomBytes(32).toString('base64') });
  const plane = await planes.startDataPlane('three');
  await expect.poll(() => callOrders(plane), { timeout: 30_000 }).toBe('key-2');
});

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportFault } from '../support/fault-report.ts';
import { callOrders, described, type FaultedPlanes, outageSeconds, snapshotOf, startFaultedPlanes } from '../support/faulted-planes.ts';
import { runSql } from '../support/postgres.ts';

let planes: FaultedPlanes;
beforeAll(async () => {
  planes = await startFaultedPlanes();
});
afterAll(() => planes?.close());

const servers = '/v1/workspaces/default/servers';
const server = (name: string, value: string): object => ({
  name, type: 'mcp', upstream: { url: planes.upstreamUrl }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value },
});
/** What a server of each name comes to at each data plane. */
const seen = (...names: string[]): Promise<string[][]> => Promise.all(planes.dataPlanes.map((plane) => Promise.all(names.map((name) => callOrders(plane, name)))));
const patience = { timeout: 60_000, interval: 100 };

/** Postgres' own copy of a whole database: what a dump and its restore come to. Whoever is connected is thrown out. */
async function replaceDatabase(name: string, template: string): Promise<void> {
  const { url } = planes.shape.postgres;
  await runSql(url, `drop database if exists ${name} with (force)`);
  await runSql(url, 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [template]);
  await runSql(url, `create database ${name} template ${template}`);
}

test('fault 9: the database is restored to an older backup while everything runs: data planes go back to it, and nothing of what came after is back in any of them', { timeout: (outageSeconds + 240) * 1000 }, async () => {
  const { admin, dataPlanes, shape } = planes;
  const database = new URL(shape.databaseUrl).pathname.slice(1);
  await admin.post(servers, server('ledger', 'key-of-ledger'));
  await expect.poll(() => seen('ledger'), patience).toEqual([['key-of-ledger'], ['key-of-ledger']]);
  // For as long as it takes, nobody else is let in.
  await planes.lines.postgres.set({ mode: 'down' });
  await replaceDatabase(`${database}_backup`, database);
  await planes.lines.postgres.set({ mode: 'up' });

  await expect.poll(() => planes.setKey('key-after-the-backup'), patience).toMatchObject({ status: 200 });
  expect((await admin.post(servers, server('invoices', 'key-of-invoices'))).status).toBe(201);
  expect((await admin.delete(`${servers}/ledger`, { 'if-match': '*' })).status).toBe(204);
  await expect.poll(() => seen('orders', 'invoices', 'ledger'), patience).toEqual(Array.from({ length: 2 }, () => ['key-after-the-backup', 'key-of-invoices', '404 server_not_found']));
  await expect.poll(async () => Promise.all(dataPlanes.map(async (plane) => (await snapshotOf(plane)).revisionOnDisk === (await snapshotOf(plane)).revision)), patience).toEqual([true, true]);
  // One sleeps through it, with what came after the backup on its disk.
  await dataPlanes[1].kill9();
  const beganAt = Date.now();

  await planes.lines.postgres.set({ mode: 'down' });
  await replaceDatabase(database, `${database}_backup`);
  await planes.lines.postgres.set({ mode: 'up' });
  const restoredAt = Date.now();
  await expect.poll(() => callOrders(dataPlanes[0], 'invoices'), patience).toBe('404 server_not_found');
  const goneMs = Date.now() - restoredAt;
  expect(await callOrders(dataPlanes[0])).toBe('key-1');
  await planes.restartDataPlane(1);
  await expect.poll(() => seen('orders', 'invoices', 'ledger'), patience).toEqual(Array.from({ length: 2 }, () => ['key-1', '404 server_not_found', 'key-of-ledger']));
  const settledAt = Date.now();

  // Its revisions are used a second time, for something else.
  for (let edit = 1; edit <= 5; edit += 1) expect(await planes.setKey(`key-since-${edit}`)).toMatchObject({ status: 200 });
  await planes.untilServed('key-since-5');
  for (const until = Date.now() + (outageSeconds / 2) * 1000; Date.now() < until; await delay(200)) {
    expect(await seen('invoices', 'ledger')).toEqual(Array.from({ length: 2 }, () => ['404 server_not_found', 'key-of-ledger']));
  }
  expect(planes.load.made.filter(({ beganAt: at, outcome }) => at > settledAt && outcome === 'key-after-the-backup')).toEqual([]);
  // Not from a disk either.
  await expect.poll(async () => Promise.all(dataPlanes.map(async (plane) => (await snapshotOf(plane)).revisionOnDisk === (await snapshotOf(plane)).revision)), patience).toEqual([true, true]);
  await shape.redis.kill9();
  await Promise.all(dataPlanes.map((plane) => plane.kill9()));
  await Promise.all([planes.restartDataPlane(0), planes.restartDataPlane(1)]);
  expect(await seen('orders', 'invoices', 'ledger')).toEqual(Array.from({ length: 2 }, () => ['key-since-5', '404 server_not_found', 'key-of-ledger']));
  expect(new Set(await Promise.all(dataPlanes.map(async (plane) => (await snapshotOf(plane)).hash))).size).toBe(1);
  // Whoever called `orders` all the time got an answer from the data plane that was there.
  expect(described(planes.failures(beganAt).filter(({ outcome, endedAt, who, plane }) => plane === 0 && endedAt < settledAt && who !== planes.ana && outcome !== 'key-1'), beganAt)).toEqual([]);
  reportFault(9, 'database restored to an older backup', { newerServersGoneAfterMs: goneMs });
  console.info(`what came after the backup was gone ${goneMs} ms after the restore`);
});

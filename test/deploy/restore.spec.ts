import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runSql } from '../support/postgres.ts';
import { type DataPlaneProcess, type ProductionShape, startProductionShape } from '../support/production-shape.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

let shape: ProductionShape;
let upstream: RecordingUpstream;
let dataPlane: DataPlaneProcess;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  shape = await startProductionShape();
  dataPlane = await shape.startDataPlane('one');
});
afterAll(async () => {
  await shape?.close();
  await upstream?.close();
});

const patience = { timeout: 30_000, interval: 100 };
const servers = '/v1/workspaces/default/servers';
const server = (name: string, value: string): object => ({
  name, type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value },
});

/** The stored key that a call carried upstream, or the status of its refusal. */
async function sentFor(name: string): Promise<string | number | undefined> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } });
  const seenBefore = upstream.requests.length;
  const { status } = await fetch(`${dataPlane.dataPlaneUrl}/mcp/default/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const seen = upstream.requests[seenBefore];
  return status === 200 && seen !== undefined ? headerValue(seen, 'x-api-key') : status;
}

/** Postgres' own copy of a whole database, which nobody may use meanwhile: what a dump and its restore come to. */
async function copyDatabase(from: string, to: string): Promise<void> {
  await runSql(shape.postgres.url, `drop database if exists ${to} with (force)`);
  await runSql(shape.postgres.url, `create database ${to} template ${from}`);
}

it('a restored backup opens with its root key, and data planes go back to it: what came after is served no more', async () => {
  const database = new URL(shape.databaseUrl).pathname.slice(1);
  const before = await shape.startControlPlane();
  expect((await before.admin.post(servers, server('orders', 'key-of-the-backup'))).status).toBe(201);
  await vi.waitFor(async () => expect(await sentFor('orders')).toBe('key-of-the-backup'), patience);
  await before.process.stop();
  await copyDatabase(database, `${database}_backup`);

  const after = await shape.startControlPlane();
  expect((await after.admin.patch(`${servers}/orders`, { appAuth: { value: 'key-after-the-backup' } }, { 'if-match': '*' })).status).toBe(200);
  expect((await after.admin.post(servers, server('invoices', 'key-of-invoices'))).status).toBe(201);
  await vi.waitFor(async () => expect([await sentFor('orders'), await sentFor('invoices')]).toEqual(['key-after-the-backup', 'key-of-invoices']), patience);
  await after.process.stop();

  await copyDatabase(`${database}_backup`, database);
  // Until a control plane is there, calls go on as they were.
  expect(await sentFor('invoices')).toBe('key-of-invoices');
  const restored = await shape.startControlPlane();
  await vi.waitFor(async () => expect([await sentFor('orders'), await sentFor('invoices')]).toEqual(['key-of-the-backup', 404]), patience);
  const { body } = await restored.admin.get<{ items: { drift: boolean }[] }>('/v1/data-planes');
  expect(body.items.map(({ drift }) => drift)).toEqual([false]);

  // And from there on: edits arrive, although their revisions were used once before.
  expect((await restored.admin.patch(`${servers}/orders`, { appAuth: { value: 'key-since' } }, { 'if-match': '*' })).status).toBe(200);
  await vi.waitFor(async () => expect(await sentFor('orders')).toBe('key-since'), patience);
}, 120_000);

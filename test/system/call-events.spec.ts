import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AdminClient } from '../support/admin-client.ts';
import { runSql } from '../support/postgres.ts';
import { type DataPlaneProcess, type ProductionShape, startProductionShape } from '../support/production-shape.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { type RunningRedis, startRedis } from '../support/redis.ts';

const patience = { timeout: 40_000, interval: 50 };
const stream = '{gatehouse}:call-events';

let shape: ProductionShape;
let upstream: RecordingUpstream;
let redis: RunningRedis;
let admin: AdminClient;
let controlPlane: Awaited<ReturnType<ProductionShape['startControlPlane']>>['process'];
let planes: DataPlaneProcess[];

interface CallEvent {
  readonly id: string;
  readonly tool?: string;
  readonly dataPlane: string;
}

async function call(plane: DataPlaneProcess | undefined, tool: string, server = 'orders'): Promise<number> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: { secret: 'of-the-arguments' } } });
  const response = await fetch(`${plane?.dataPlaneUrl}/mcp/default/${server}`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-passed': 'a value' }, body });
  await response.text();
  return response.status;
}
const listed = async (query: string): Promise<readonly CallEvent[]> => (await admin.get<{ items: CallEvent[] }>(`/v1/call-events?limit=200&${query}`)).body.items;
/** The rows themselves, so that nothing between hides one that is there twice. */
const stored = async (tool: string): Promise<number> => (await runSql<{ count: number }>(shape.databaseUrl, 'select count(*)::int as count from call_events where tool = $1', [tool]))[0]?.count ?? 0;
const areStored = (tool: string, count: number): Promise<void> => vi.waitFor(async () => expect(await stored(tool)).toBe(count), patience);

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  shape = await startProductionShape();
  redis = shape.redis;
  ({ process: controlPlane, admin } = await shape.startControlPlane());
  planes = [await shape.startDataPlane('one'), await shape.startDataPlane('two')];
  const created = await admin.post('/v1/workspaces/default/servers', {
    name: 'orders', type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value: 'stored-key' }, headerPolicy: { mode: 'list', list: ['X-Passed'] },
  });
  expect(created.status).toBe(201);
  for (const plane of planes) await vi.waitFor(async () => expect(await call(plane, 'warm-up')).toBe(200), patience);
});
afterAll(async () => {
  await shape?.close();
  await redis?.stop();
  await upstream?.close();
});

// In this order: each step goes on from where the one before left the processes.
describe('events of calls, over processes of their own', () => {
  it('what was called through any data plane is listed, once, with what is known of it and nothing of what was said', async () => {
    for (const plane of planes) for (let count = 0; count < 3; count += 1) expect(await call(plane, 'first')).toBe(200);
    await areStored('first', 6);
    const events = await listed('tool=first');
    expect(events.map(({ dataPlane }) => dataPlane).toSorted()).toEqual(['one', 'one', 'one', 'two', 'two', 'two']);
    expect(events[0]).toEqual({
      id: expect.any(String) as string, at: expect.any(String) as string, dataPlane: 'two', workspace: 'default', server: 'orders', serverId: expect.any(String) as string, caller: 'anonymous', callerKind: 'anonymous',
      endpoint: 'mcp', http: 'POST', era: 'legacy', method: 'tools/call', tool: 'first', outcome: 'ok', credentials: ['stored'], headers: expect.objectContaining({ kept: 1 }) as object,
      upstreamStatus: 200, upstreamMs: expect.any(Number) as number, durationMs: expect.any(Number) as number,
    });
    expect(JSON.stringify(events)).not.toMatch(/of-the-arguments|stored-key|a value|x-passed/i);
  });

  it('a call that fails is one too; one of a data plane that is told to keep none is none', async () => {
    const silent = await shape.startDataPlane('silent', { GATEHOUSE_CALL_EVENTS: 'false' });
    await vi.waitFor(async () => expect(await call(silent, 'kept-to-itself')).toBe(200), patience);
    // At its end it would have sent what it had.
    await silent.stop();
    upstream.handle((_request, response) => void response.destroy());
    expect(await call(planes[0], 'failing')).toBe(502);
    upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'));
    await areStored('failing', 1);
    expect(await listed('outcome=upstream_failed&server=orders')).toMatchObject([{ tool: 'failing' }]);
    expect(await stored('kept-to-itself')).toBe(0);
  }, 60_000);

  it('Redis is killed and comes back empty: no call fails for it, and what was called meanwhile arrives', async () => {
    await redis.kill9();
    for (const plane of planes) for (let count = 0; count < 5; count += 1) expect(await call(plane, 'without-redis')).toBe(200);
    redis = await startRedis({ port: redis.port });
    await areStored('without-redis', 10);
  }, 60_000);

  it('the control plane is killed between storing and saying so: nothing is lost, nothing is there twice', async () => {
    const watcher = new Redis(redis.url);
    const blocker = new Client({ connectionString: shape.databaseUrl });
    await blocker.connect();
    try {
      await vi.waitFor(async () => expect(await watcher.xlen(stream)).toBe(0), patience);
      // Taken, and not stored yet.
      await blocker.query('begin; lock table call_events in exclusive mode');
      expect(await call(planes[0], 'in-between')).toBe(200);
      await vi.waitFor(async () => expect((await watcher.xpending(stream, 'control-planes'))[0]).toBe(1), patience);
      // From here on nobody can take it out of the stream.
      await watcher.call('CLIENT', 'PAUSE', '60000', 'WRITE');
      await blocker.query('commit');
      await areStored('in-between', 1);
      await controlPlane.kill9();
      await watcher.call('CLIENT', 'UNPAUSE');
      expect((await watcher.xpending(stream, 'control-planes'))[0]).toBe(1);

      for (let count = 0; count < 3; count += 1) expect(await call(planes[1], 'without-control-plane')).toBe(200);
      await vi.waitFor(async () => expect(await watcher.xlen(stream)).toBeGreaterThan(1), patience);
      ({ process: controlPlane, admin } = await shape.startControlPlane());
      await areStored('without-control-plane', 3);
      await vi.waitFor(async () => expect(await watcher.xlen(stream)).toBe(0), patience);
      expect(await stored('in-between')).toBe(1);
    } finally {
      watcher.disconnect();
      await blocker.end();
    }
  }, 120_000);
});

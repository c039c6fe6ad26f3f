import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AdminClient } from '../support/admin-client.ts';
import { type DataPlaneProcess, type ProductionShape, startProductionShape } from '../support/production-shape.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { type RunningRedis, startRedis } from '../support/redis.ts';

let shape: ProductionShape;
let upstream: RecordingUpstream;
let admin: AdminClient;
let controlPlane: Awaited<ReturnType<ProductionShape['startControlPlane']>>['process'];
let planes: DataPlaneProcess[];
let redis: RunningRedis;

const patience = { timeout: 20_000, interval: 50 };
let calls = 0;

/** The stored key that the upstream sees when a data plane is called. */
async function keySeenThrough(plane: DataPlaneProcess): Promise<string | undefined> {
  // Planes are called side by side: the id says which request came through which.
  const id = (calls += 1);
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: {} } });
  const response = await fetch(`${plane.dataPlaneUrl}/mcp/default/orders`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (response.status !== 200) return `${response.status} ${await response.text()}`;
  const seen = upstream.requests.find((request) => (JSON.parse(request.body.toString()) as { id: number }).id === id);
  return seen && headerValue(seen, 'x-api-key');
}
const everyPlaneSends = (key: string): Promise<void> => vi.waitFor(async () => expect(await Promise.all(planes.map(keySeenThrough))).toEqual(planes.map(() => key)), patience);
const setKey = async (value: string): Promise<void> => {
  const { status, body } = await admin.patch('/v1/workspaces/default/servers/orders', { appAuth: { value } }, { 'if-match': '*' });
  expect([status, body]).toEqual([200, expect.anything()]);
};

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  shape = await startProductionShape();
  redis = shape.redis;
  ({ process: controlPlane, admin } = await shape.startControlPlane());
  planes = [await shape.startDataPlane('one'), await shape.startDataPlane('two')];
  const created = await admin.post('/v1/workspaces/default/servers', {
    name: 'orders',
    type: 'mcp',
    upstream: { url: upstream.url },
    agentAuth: { type: 'passthrough' },
    appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value: 'key-1' },
  });
  expect(created.status).toBe(201);
});
afterAll(async () => {
  await shape.close();
  await redis.stop();
  await upstream.close();
});

// In this order: each step goes on from where the one before left the processes.
describe('control plane, two data planes, Postgres and Redis as processes of their own', () => {
  it('an edit reaches both data planes', async () => {
    await everyPlaneSends('key-1');
    await setKey('key-2');
    await everyPlaneSends('key-2');
  });

  it('both report the same revision and hash, and nothing drifts', async () => {
    await vi.waitFor(async () => {
      const { body } = await admin.get<{ items: { id: string; hash: string; drift: boolean }[] }>('/v1/data-planes');
      expect(body.items.map(({ id, drift }) => [id, drift]).sort()).toEqual([['one', false], ['two', false]]);
      expect(new Set(body.items.map(({ hash }) => hash)).size).toBe(1);
    }, patience);
  });

  it('Redis is killed, an edit is made, Redis comes back empty: the edit arrives (fault 2)', async () => {
    await redis.kill9();
    await setKey('key-3');
    // Meanwhile both serve what they have, and stay ready.
    expect(await Promise.all(planes.map(keySeenThrough))).toEqual(['key-2', 'key-2']);
    expect(await Promise.all(planes.map(async ({ internalUrl }) => (await fetch(`${internalUrl}/readyz`)).status))).toEqual([200, 200]);
    redis = await startRedis({ port: redis.port });
    await everyPlaneSends('key-3');
  });

  it('P30 control plane, Redis and Postgres are killed and a data plane is started again: it serves (fault 5)', async () => {
    await vi.waitFor(async () => {
      for (const { internalUrl } of planes) {
        const status = (await (await fetch(`${internalUrl}/debug/snapshot`)).json()) as { revision: number; revisionOnDisk: number };
        expect(status.revisionOnDisk).toBe(status.revision);
      }
    }, patience);
    await planes[0]?.stop();
    await controlPlane.kill9();
    await redis.kill9();
    await shape.postgres.close();
    await planes[1]?.kill9();
    planes = [await shape.startDataPlane('one'), await shape.startDataPlane('two')];
    expect(await Promise.all(planes.map(keySeenThrough))).toEqual(['key-3', 'key-3']);
    const fresh = await shape.startDataPlane('three');
    expect(await keySeenThrough(fresh)).toMatch(/^503 .*not_ready/);
    expect((await fetch(`${fresh.internalUrl}/readyz`)).status).toBe(503);
  });
});

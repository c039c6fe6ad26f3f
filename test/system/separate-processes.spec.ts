import { join } from 'node:path';
import { snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readSnapshot } from '../../apps/data-plane/src/snapshot/snapshot-disk.ts';
import type { AdminClient } from '../support/admin-client.ts';
import { type DataPlaneProcess, type ProductionShape, startProductionShape } from '../support/production-shape.ts';
import { limitFiles } from '../support/limit-files.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { type RunningRedis, startRedis } from '../support/redis.ts';

let shape: ProductionShape;
let upstream: RecordingUpstream;
let admin: AdminClient;
let controlPlane: Awaited<ReturnType<ProductionShape['startControlPlane']>>;
let planes: DataPlaneProcess[];
let redis: RunningRedis;

const patience = { timeout: 20_000, interval: 50 };
/** Where processes start anew, and the machine has others to start. */
const startPatienceMs = 120_000;
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
const path = '/v1/workspaces/default/servers/orders';
const tryKey = (value: string) => admin.patch(path, { appAuth: { value } }, { 'if-match': '*' });
const setKey = async (value: string): Promise<void> => {
  const { status, body } = await tryKey(value);
  expect([status, body]).toEqual([200, expect.anything()]);
};
const json = async (url: string): Promise<unknown> => (await fetch(url)).json();
/** Both serve this, and are ready. */
const expectServing = async (key: string): Promise<void> => {
  expect(await Promise.all(planes.map(keySeenThrough))).toEqual(planes.map(() => key));
  expect(await Promise.all(planes.map(async ({ internalUrl }) => (await fetch(`${internalUrl}/readyz`)).status))).toEqual(planes.map(() => 200));
};
const untilKept = (): Promise<void> => vi.waitFor(async () => {
  for (const { internalUrl } of planes) {
    const status = (await json(`${internalUrl}/debug/snapshot`)) as { revision: number; revisionOnDisk: number };
    expect(status.revisionOnDisk).toBe(status.revision);
  }
}, patience);

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  shape = await startProductionShape();
  redis = shape.redis;
  controlPlane = await shape.startControlPlane();
  ({ admin } = controlPlane);
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
    await expectServing('key-2');
    redis = await startRedis({ port: redis.port });
    await everyPlaneSends('key-3');
  });

  it('Postgres is killed: data planes serve on, the control plane says what it cannot do, and does it again by itself (fault 1)', async () => {
    await shape.postgres.kill9();
    for (const reply of [await tryKey('key-never'), await admin.get(path)]) {
      expect([reply.status, reply.headers.get('content-type'), reply.body]).toEqual([503, 'application/problem+json', expect.objectContaining({ code: 'database_unavailable' })]);
    }
    expect(await json(`${controlPlane.internalUrl}/readyz`)).toEqual({ status: 'ready', degraded: ['database'] });
    await expectServing('key-3');
    await shape.postgres.startAgain();
    await vi.waitFor(async () => expect((await admin.get(path)).status).toBe(200), patience);
    await setKey('key-4');
    await everyPlaneSends('key-4');
  });

  it('Redis says nothing any more, on lines that stay open: an edit is taken, both serve on, and it arrives when Redis answers again (fault 7)', async () => {
    redis.freeze();
    await setKey('key-5');
    await expectServing('key-4');
    redis.thaw();
    await everyPlaneSends('key-5');
  });

  it('the disk of a data plane is full: it serves edits all the same, and counts (fault 11)', async () => {
    await untilKept();
    const [plane] = planes as [DataPlaneProcess];
    await limitFiles(plane, 1_000);
    await setKey('key-6');
    await everyPlaneSends('key-6');
    await vi.waitFor(async () => expect(await (await fetch(`${plane.internalUrl}/metrics`)).text()).toMatch(/^gatehouse_snapshot_disk_failures [1-9]/m), patience);
    await limitFiles(plane, 'unlimited');
    await setKey('key-7');
    await everyPlaneSends('key-7');
  });

  it('control plane and a data plane are killed: the other serves on, what the dead one left on its disk is whole, and it comes back with it (faults 3 and 4)', async () => {
    await untilKept();
    const [one, two] = planes as [DataPlaneProcess, DataPlaneProcess];
    await Promise.all([controlPlane.process.kill9(), one.kill9()]);
    expect(await keySeenThrough(two)).toBe('key-7');
    const skipped: string[] = [];
    await readSnapshot(join(shape.folder, 'one'), snapshotKeysOf([parseKey(shape.environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]), (file) => void skipped.push(file));
    expect(skipped).toEqual([]);
    planes = [await shape.startDataPlane('one'), two];
    await expectServing('key-7');
    controlPlane = await shape.startControlPlane();
    ({ admin } = controlPlane);
    await setKey('key-3');
    await everyPlaneSends('key-3');
  }, startPatienceMs);

  it('P30 control plane, Redis and Postgres are killed and a data plane is started again: it serves (fault 5)', async () => {
    await untilKept();
    await planes[0]?.stop();
    await controlPlane.process.kill9();
    await redis.kill9();
    await shape.postgres.close();
    await planes[1]?.kill9();
    planes = [await shape.startDataPlane('one'), await shape.startDataPlane('two')];
    expect(await Promise.all(planes.map(keySeenThrough))).toEqual(['key-3', 'key-3']);
    const fresh = await shape.startDataPlane('three');
    expect(await keySeenThrough(fresh)).toMatch(/^503 .*not_ready/);
    expect((await fetch(`${fresh.internalUrl}/readyz`)).status).toBe(503);
  }, startPatienceMs);
});

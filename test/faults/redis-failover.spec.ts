import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AdminClient } from '../support/admin-client.ts';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { type DataPlaneProcess, type ProductionShape, startProductionShape } from '../support/production-shape.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import type { RunningRedis } from '../support/redis.ts';
import { startRedisBehindSentinels } from '../support/redis-sentinels.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';

// Fault 7 where Redis is more than one: the master that everybody is connected to dies, or says nothing any more, under load.

interface Topology {
  readonly url: string;
  /** That the planes write to. */
  master(): Promise<RunningRedis>;
  stop(): Promise<void>;
}

const topologies: [string, () => Promise<Topology>][] = [
  ['behind sentinels', async () => {
    const { url, master, stop } = await startRedisBehindSentinels({ sentinels: 3, replica: true });
    return { url, master: () => Promise.resolve(master), stop };
  }],
  ['as a cluster', async () => {
    const { url, holderOf, stop } = await startRedisCluster({ replicas: true });
    return { url, master: () => holderOf('{gatehouse}'), stop };
  }],
];

let redis: Topology;
let shape: ProductionShape;
let upstream: RecordingUpstream;
const stops: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function start(startRedis: () => Promise<Topology>): Promise<{ admin: AdminClient; dataPlanes: DataPlaneProcess[] }> {
  redis = await startRedis();
  stops.push(() => redis.stop());
  upstream = await startRecordingUpstream();
  upstream.handle(answerAsMcp);
  stops.push(() => upstream.close());
  shape = await startProductionShape({ GATEHOUSE_REDIS_URL: redis.url });
  stops.push(() => shape.close());
  const { admin } = await shape.startControlPlane();
  return { admin, dataPlanes: await Promise.all(['one', 'two'].map((name) => shape.startDataPlane(name))) };
}

const call = async (plane: DataPlaneProcess, server: string): Promise<number> => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'inspect', arguments: {} } });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const response = await fetch(`${plane.dataPlaneUrl}/mcp/default/${server}`, { method: 'POST', headers, body });
  await response.arrayBuffer();
  return response.status;
};

async function serve(admin: AdminClient, name: string): Promise<void> {
  const document = { name, type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' } };
  expect((await admin.post('/v1/workspaces/default/servers', document)).status).toBe(201);
}

const untilServed = (planes: readonly DataPlaneProcess[], server: string): Promise<void> =>
  vi.waitFor(async () => expect(await Promise.all(planes.map((plane) => call(plane, server)))).toEqual(planes.map(() => 200)), { timeout: 60_000, interval: 100 });

describe.each(topologies)('Redis %s', (_name, startRedis) => {
  it.each<[string, (master: RunningRedis) => Promise<unknown> | void]>([
    ['dies', (master) => master.kill9()],
    ['says nothing any more', (master) => master.freeze()],
  ])('whose master %s: no call fails, and an edit made meanwhile is served when another has taken its place', async (_what, fail) => {
    const { admin, dataPlanes } = await start(startRedis);
    await serve(admin, 'before');
    await untilServed(dataPlanes, 'before');

    const statuses = new Map<number | string, number>();
    let isOver = false;
    const callers = dataPlanes.map(async (plane) => {
      while (!isOver) {
        const status = await call(plane, 'before').catch(String);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        await delay(20);
      }
    });
    const master = await redis.master();
    await fail(master);
    await serve(admin, 'meanwhile');
    await untilServed(dataPlanes, 'meanwhile');
    // And from then on edits arrive by hint and poll as ever, also when the one that was away comes back.
    master.thaw();
    await serve(admin, 'after');
    await untilServed(dataPlanes, 'after');
    isOver = true;
    await Promise.all(callers);
    expect([...statuses.keys()]).toEqual([200]);
  });
});

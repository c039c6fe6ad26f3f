import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { reportFault } from '../support/fault-report.ts';
import { type LoadedPlanes, snapshotOf, startLoadedPlanes } from '../support/loaded-planes.ts';
import { type FollowerState, type ManyFollowers, startManyFollowers } from '../support/many-followers.ts';
import { type RunningRedis, startRedis } from '../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

// Fault 16: fifty data planes come back in one moment. They are fifty followers in one process: fifty processes would be the machine's fault, and not theirs.
const count = 50;
const servers = 200;
const pollMs = 10_000;
const awayMs = 15_000;
const calmMs = 5_000;
/** Of the control plane, while they come back; or twice what it was before, where the machine itself is slow. */
const p99LimitMs = 500;
const p99Limit = 2;

let planes: LoadedPlanes;
let line: TcpProxy;
let followers: ManyFollowers;
let redis: RunningRedis | undefined;
let edits = 0;

beforeAll(async () => {
  planes = await startLoadedPlanes({ GATEHOUSE_SNAPSHOT_POLL_SECONDS: String(pollMs / 1_000) });
  await planes.serve('orders');
  planes.load.begin('orders', 2, 50);
  for (let index = 0; index < servers; index += 1) {
    const document = { name: `server-${index}`, type: 'mcp', upstream: { url: 'https://upstream.example/mcp' }, agentAuth: { type: 'api-key' }, appAuth: { type: 'bearer', token: `token-${index}` } };
    expect((await planes.admin.post('/v1/workspaces/default/servers', document)).status).toBe(201);
  }
  line = await startTcpProxy({ targetPort: planes.shape.redis.port });
  followers = await startManyFollowers({ count, redisUrl: `redis://127.0.0.1:${line.port}`, snapshotKey: String(planes.shape.environment['GATEHOUSE_SNAPSHOT_KEY']), pollMs });
  await vi.waitFor(async () => expect(await distinct()).toEqual(new Set([(await snapshotOf(planes.dataPlanes[1])).hash])), { timeout: 60_000, interval: 100 });
}, 240_000);
afterAll(async () => {
  await followers?.close();
  await planes?.close();
  await Promise.all([line?.close(), redis?.stop()]);
});

const distinct = async (): Promise<Set<string | undefined>> => new Set((await followers.states()).map(({ hash }) => hash));

/** Reads and edits at the control plane until `over`. @returns how long the slowest hundredth took */
async function useControlPlane(over: () => boolean): Promise<{ p99Ms: number; count: number }> {
  const tookMs: number[] = [];
  while (!over()) {
    const beganAt = performance.now();
    if (tookMs.length % 10 === 0) await planes.edit('orders', { appAuth: { value: `key-${(edits += 1)}` } });
    else expect((await planes.admin.get('/v1/workspaces/default/servers?limit=20')).status).toBe(200);
    tookMs.push(performance.now() - beganAt);
    await delay(5);
  }
  tookMs.sort((one, other) => one - other);
  return { p99Ms: Math.round(tookMs[Math.floor(tookMs.length * 0.99)] ?? Infinity), count: tookMs.length };
}

const returns: readonly [string, { spreadMs: number; windowMs: number }, () => Promise<void>][] = [
  ['their connections break', { spreadMs: 40, windowMs: 50 }, () => {
    line.dropConnections();
    return Promise.resolve();
  }],
  ['Redis cannot be reached for a while', { spreadMs: 750, windowMs: 500 }, async () => {
    await line.set({ mode: 'down' });
    await delay(awayMs);
    await line.set({ mode: 'up' });
  }],
  ['Redis is killed and comes back empty', { spreadMs: 750, windowMs: 500 }, async () => {
    await (redis ?? planes.shape.redis).kill9();
    await delay(awayMs);
    redis = await startRedis({ port: planes.shape.redis.port });
  }],
];

test.each(returns)('fault 16: %s: fifty data planes come back, not in step, and the control plane answers', { timeout: 180_000, retry: 1 }, async (name, { spreadMs, windowMs }, goAway) => {
  const calmFrom = Date.now();
  const { p99Ms: calmP99Ms } = await useControlPlane(() => Date.now() - calmFrom > calmMs);
  const beganAt = Date.now();
  let isOver = false;
  const using = useControlPlane(() => isOver);
  await goAway();
  const returnedAt = Date.now();
  let states: FollowerState[] = [];
  const newest = async (): Promise<unknown> => {
    states = await followers.states();
    return states.every(({ subscribedAt }) => (subscribedAt.at(-1) ?? 0) >= beganAt);
  };
  await expect.poll(newest, { timeout: 60_000, interval: 50 }).toBe(true);
  isOver = true;
  const { p99Ms, count: requests } = await using;
  // With an edit that all of them have to hear of, or to find.
  const revision = await planes.edit('orders', { appAuth: { value: `key-${(edits += 1)}` } });
  await expect.poll(async () => (await followers.states()).filter((state) => (state.revision ?? 0) < revision).length, { timeout: 60_000, interval: 20 }).toBe(0);
  const convergedMs = Date.now() - returnedAt;
  await expect.poll(async () => new Set([...(await distinct()), ...(await planes.snapshots()).map(({ hash }) => hash)]).size, { timeout: 30_000 }).toBe(1);

  const cameBackAt = states.map(({ subscribedAt }) => subscribedAt.find((at) => at >= beganAt) ?? Infinity).sort((one, other) => one - other);
  const spread = (cameBackAt.at(-1) ?? 0) - (cameBackAt[0] ?? 0);
  const most = Math.max(...cameBackAt.map((from) => cameBackAt.filter((at) => at >= from && at < from + windowMs).length));
  reportFault(16, name, { followers: count, spreadMs: spread, [`mostIn${windowMs}Ms`]: most, controlPlaneRequests: requests, controlPlaneP99Ms: p99Ms, p99BeforeMs: calmP99Ms, convergedMs });
  expect(spread).toBeGreaterThan(spreadMs);
  expect(most).toBeLessThan(count * 0.8);
  expect(p99Ms).toBeLessThan(Math.max(p99LimitMs, calmP99Ms * p99Limit));
  expect(planes.failures(beganAt)).toEqual([]);
});

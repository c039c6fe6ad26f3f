import { randomBytes } from 'node:crypto';
import { Secret } from '@gatehouse/sealing';
import { connectRedisSharedBuckets, createMemoryChannel } from '@gatehouse/snapshot-channel';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { type InProcessDataPlane, type SpecServer, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { type RunningRedis, startRedis } from '../support/redis.ts';

/* Limits that two data planes share, over a real Redis, each on a connection of its own (docs/limits.md). */

let redis: RunningRedis;
let upstream: RecordingUpstream;
const planes: InProcessDataPlane[] = [];
const cleanUps: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  [redis, upstream] = await Promise.all([startRedis(), startRecordingUpstream()]);
  const fleet = { key: randomBytes(32), channel: createMemoryChannel() };
  for (let plane = 0; plane < 2; plane += 1) planes.push(await startPlane(fleet));
});
afterAll(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  await Promise.all([upstream?.close(), redis?.stop()]);
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.handle(answerAsMcp);
});

async function startPlane(fleet: { readonly key: Buffer; readonly channel: ReturnType<typeof createMemoryChannel> }): Promise<InProcessDataPlane> {
  // Also a busy machine answers in time.
  const sharedBuckets = connectRedisSharedBuckets({ url: new Secret(redis.url), timeoutMs: 20_000 });
  cleanUps.push(() => sharedBuckets.close());
  const plane = await startInProcessDataPlane({}, { ...fleet, sharedBuckets });
  cleanUps.push(() => plane.close());
  return plane;
}

const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'echo', arguments: {} } });
async function statusOf({ url }: InProcessDataPlane, name: string): Promise<number> {
  const response = await fetch(`${url}/mcp/default/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  await response.text();
  return response.status;
}

async function serve(rate: Omit<NonNullable<NonNullable<SpecServer['limits']>['rates']>[number], 'per'>): Promise<string> {
  const name = `s-${crypto.randomUUID().slice(0, 8)}`;
  await planes[0]?.publish({ name, upstream: { url: upstream.url }, limits: { rates: [{ per: 'server', ...rate }] } });
  // No JSON: refused where the server is known, before it is counted.
  const isServed = async ({ url }: InProcessDataPlane): Promise<void> => expect((await fetch(`${url}/mcp/default/${name}`, { method: 'POST', body: 'x' })).status).toBe(415);
  await vi.waitFor(() => Promise.all(planes.map(isServed)), { timeout: 20_000 });
  return name;
}

const fromAll = async (name: string, calls: number): Promise<number[]> => (await Promise.all(planes.flatMap((plane) => Array.from({ length: calls }, () => statusOf(plane, name))))).toSorted();
const passed = (all: readonly number[]): number => all.filter((status) => status === 200).length;

it('two data planes together let through no more than the limit', async () => {
  const name = await serve({ calls: 30, seconds: 3_600, shared: true });
  const all = await fromAll(name, 25);
  expect([passed(all), all.filter((status) => status === 429).length]).toEqual([30, 20]);
  expect(upstream.requests).toHaveLength(30);
  expect(await Promise.all(planes.map((plane) => statusOf(plane, name)))).toEqual([429, 429]);
});

it('at a high rate they ask for many calls at once, and still keep to it but for what each may hold', async () => {
  const [calls, seconds, burst] = [600, 1, 60];
  const name = await serve({ calls, seconds, burst, shared: true });
  const begun = performance.now();
  let through = 0;
  for (let round = 0; round < 6; round += 1) through += passed(await fromAll(name, 30));
  const elapsedSeconds = (performance.now() - begun) / 1_000;
  // A tenth of the burst each.
  expect(through).toBeLessThanOrEqual(burst + elapsedSeconds * (calls / seconds) + planes.length * (burst / 10) + 1);
  expect(through).toBeGreaterThanOrEqual(burst);
});

it('those of each data plane are counted by itself', async () => {
  const name = await serve({ calls: 5, seconds: 3_600 });
  expect(passed(await fromAll(name, 10))).toBe(10);
});

it('without Redis no call fails: each data plane counts by itself, says so once, and joins the others again', async () => {
  const name = await serve({ calls: 3, seconds: 3_600, shared: true });
  expect(passed(await fromAll(name, 1))).toBe(2);
  await redis.kill9();
  const others = await fromAll(name, 5);
  expect([passed(others), others.filter((status) => status === 429).length]).toEqual([6, 4]);
  for (const { internalUrl, log } of planes) {
    const alone = /^gatehouse_shared_limits_alone_total (\d+)/m.exec(await (await fetch(`${internalUrl}/metrics`)).text())?.[1];
    expect(Number(alone)).toBeGreaterThanOrEqual(5);
    expect(log.filter((line) => line.includes('each data plane counts by itself'))).toHaveLength(1);
  }
  redis = await startRedis({ port: redis.port });
  await vi.waitFor(async () => {
    // A new server each time: its bucket is full, and has been asked for by nobody.
    const another = await serve({ calls: 1, seconds: 3_600, shared: true });
    expect(passed(await fromAll(another, 2))).toBe(1);
  }, { timeout: 60_000, interval: 500 });
  // That is said by the first answer after a calm while.
  const calm = await serve({ calls: 1_000, seconds: 3_600, shared: true });
  await vi.waitFor(async () => {
    await fromAll(calm, 1);
    planes.forEach(({ log }) => expect(log.filter((line) => line.includes('Redis answers again'))).toHaveLength(1));
  }, { timeout: 30_000, interval: 200 });
});

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@gatehouse/sealing';
import { connectRedisChannel, type SnapshotChannel } from '@gatehouse/snapshot-channel';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { startConformanceUpstream } from '../support/conformance-upstream.ts';
import { gatehouseCommand, startGatehouse } from '../support/gatehouse-process.ts';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { textOf } from '../support/mcp-clients/mcp-client.ts';
import type { DataPlaneProcess } from '../support/production-shape.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { type RunningRedis, startRedis } from '../support/redis.ts';
import type { RunningUpstream } from '../support/serve-both-eras.ts';
import { SteadyCalls } from '../support/steady-calls.ts';

let redis: RunningRedis;
let channel: SnapshotChannel;
/** Of the same fleet; what is published is published through it. */
let other: InProcessDataPlane;
let folder: string;
let upstream: RecordingUpstream;
let streamable: RunningUpstream;
let plane: DataPlaneProcess;

const count = 2;
const patience = { timeout: 60_000, interval: 50 };

interface Line {
  readonly msg: string;
  readonly time: string;
  readonly worker: number;
  readonly pid: number;
  readonly tool?: string;
  /** Which worker ended, in what the primary process says of it. */
  readonly ended?: number;
}
/** What the processes have written: whole lines, whoever writes at the same time. */
const linesOf = (process: DataPlaneProcess): Line[] => process.output().split('\n').slice(0, -1).map((line) => JSON.parse(line) as Line);
const workersThatServed = (tool: string): Set<number> => new Set(linesOf(plane).filter((line) => line.tool === tool).map(({ worker }) => worker));

/** The process of worker `number` that wrote last; never 0, which would mean this process and all of its group. */
const pidOf = (number: number): Promise<number> =>
  vi.waitFor(() => {
    const pid = linesOf(plane).findLast(({ worker }) => worker === number)?.pid;
    if (pid === undefined) throw new Error(`worker ${number} has written nothing yet`);
    return pid;
  }, patience);

const messageFor = (tool: string): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {} } });
const headers = { 'content-type': 'application/json' };

/**
 * A call on a connection of its own: each of these goes to the next worker, and none is lost on one that has just been closed, which its
 * caller has not noticed.
 */
function callAnew(server: string, tool = 'inspect'): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request(`${plane.dataPlaneUrl}/mcp/default/${server}`, { method: 'POST', headers, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode === 200 ? 'served' : String(response.statusCode))).on('error', () => resolve('failed'));
    });
    outgoing.on('error', () => resolve('failed')).end(messageFor(tool));
  });
}

interface Ready {
  readonly ready: boolean;
  readonly degraded: boolean;
  readonly revision: number;
  readonly workers: readonly { readonly worker: number; readonly ready: boolean; readonly revision: number }[];
}
const internal = (path: string): Promise<Response> => fetch(new URL(path, plane.internalUrl));
const readiness = async (): Promise<Ready> => (await (await internal('/readyz')).json()) as Ready;
const untilAllReady = (): Promise<void> => vi.waitFor(async () => expect(await readiness()).toMatchObject({ ready: true, degraded: false, workers: [{ worker: 1, ready: true }, { worker: 2, ready: true }] }), patience);
const metric = async (name: string): Promise<number> => {
  const lines = (await (await internal('/metrics')).text()).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

async function startPlane(): Promise<DataPlaneProcess> {
  const started = await startGatehouse(['data-plane', '--workers', String(count), '--json'], {
    env: {
      GATEHOUSE_REDIS_URL: redis.url,
      GATEHOUSE_SNAPSHOT_KEY: other.key.toString('base64'),
      GATEHOUSE_SNAPSHOT_DIR: folder,
      GATEHOUSE_SNAPSHOT_POLL_SECONDS: '1',
      GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback',
      GATEHOUSE_DATA_PLANE_ID: 'plane',
      GATEHOUSE_DATA_PLANE_HOST: '127.0.0.1',
      GATEHOUSE_DATA_PLANE_PORT: '0',
      GATEHOUSE_DATA_PLANE_INTERNAL_HOST: '127.0.0.1',
      GATEHOUSE_DATA_PLANE_INTERNAL_PORT: '0',
    },
  });
  return { ...started, internalUrl: /"internalUrl":"([^"]+)"/.exec(started.output())?.[1] ?? '' };
}

/** Each connection goes to the next worker: two of them that say so have asked both. */
const untilServedByAll = (server: string): Promise<void> =>
  vi.waitFor(async () => {
    const { workers } = await readiness();
    expect(workers.every(({ revision }) => revision === workers[0]?.revision && revision > 0)).toBe(true);
    for (let connection = 0; connection < count; connection += 1) expect(await callAnew(server)).toBe('served');
  }, patience);

beforeAll(async () => {
  [upstream, streamable, redis, folder] = await Promise.all([startRecordingUpstream(), startConformanceUpstream(), startRedis(), mkdtemp(join(tmpdir(), 'gatehouse-workers-'))]);
  channel = connectRedisChannel({ url: new Secret(redis.url) });
  other = await startInProcessDataPlane({}, { key: randomBytes(32), channel });
  await other.publish({ name: 'orders', upstream: { url: upstream.url } }, { name: 'streamable', upstream: { url: streamable.url } });
  plane = await startPlane();
  await untilAllReady();
});
afterAll(async () => {
  await plane?.stop();
  await other?.close();
  await channel?.close();
  await Promise.all([upstream?.close(), streamable?.close(), redis?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

// In this order: each step goes on from where the one before left the processes.
describe('a data plane of two workers', () => {
  it('serves edits and calls from both, and counts them together', async () => {
    await untilServedByAll('orders');
    const before = await metric('gatehouse_requests_total');
    const names = Array.from({ length: 8 }, (_, index) => `tool-${index % 2}`);
    expect(new Set(await Promise.all(names.map((name) => callAnew('orders', name))))).toEqual(new Set(['served']));
    expect(await metric('gatehouse_requests_total')).toBe(before + names.length);
    await vi.waitFor(() => expect(new Set([...workersThatServed('tool-0'), ...workersThatServed('tool-1')])).toEqual(new Set([1, 2])), patience);

    await other.publish({ name: 'later', upstream: { url: upstream.url } });
    await untilServedByAll('later');
    expect((await channel.readHeartbeats()).map(({ id }) => id)).toEqual(expect.arrayContaining(['plane-1', 'plane-2']));
    const { workers } = (await (await internal('/debug/snapshot')).json()) as { workers: { hash: string }[] };
    expect(new Set(workers.map(({ hash }) => hash)).size).toBe(1);
    expect(await metric('gatehouse_snapshot_revision')).toBe((await readiness()).revision);
  });

  it('serves sessions of bridges, whichever worker their requests come to', async () => {
    // The stream is open on one connection, to one worker; what is posted comes on others.
    const transport = new SSEClientTransport(new URL(`${plane.dataPlaneUrl}/sse/default/streamable`), {
      fetch: (url, init) => fetch(url, init?.method === 'POST' ? { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), connection: 'close' } } : init),
    });
    const client = new Client({ name: 'spec', version: '1' });
    await client.connect(transport);
    for (let posted = 0; posted < 4; posted += 1) expect(textOf(await client.callTool({ name: 'test_simple_text' }))).toContain('simple text');
    await client.close();
    await vi.waitFor(() => expect(workersThatServed('test_simple_text')).toEqual(new Set([1, 2])), patience);
  });

  it('loses nothing but what a worker has in flight when it is killed, and starts it again', async () => {
    const before = await metric('gatehouse_requests_total');
    const victim = await pidOf(1);
    const steady = new SteadyCalls<string>({ dataPlanes: [plane], call: (_plane, server) => callAnew(server) });
    steady.begin('orders', 8, 5);
    await vi.waitFor(() => expect(steady.made.length).toBeGreaterThan(50), patience);
    process.kill(victim, 'SIGKILL');
    await vi.waitFor(() => expect(linesOf(plane).filter(({ ended }) => ended === 1)).toHaveLength(1), patience);
    await untilAllReady();
    const seen = steady.made.length;
    await vi.waitFor(() => expect(steady.made.length).toBeGreaterThan(seen + 50), patience);
    await steady.stop();
    const endedAt = Date.parse(linesOf(plane).find(({ ended }) => ended === 1)?.time ?? '');
    const failed = steady.made.filter(({ outcome }) => outcome !== 'served');
    expect(failed.filter(({ beganAt }) => beganAt > endedAt)).toEqual([]);
    expect(await metric('gatehouse_worker_restarts_total')).toBe(1);
    // What the one that was killed had counted until it was asked last is still there.
    expect(await metric('gatehouse_requests_total')).toBeGreaterThan(before);
    expect(new Set(linesOf(plane).filter(({ worker }) => worker === 1).map(({ pid }) => pid)).size).toBe(2);
  });

  it('ends the connection that a worker was given and had not taken when it died', async () => {
    const victim = await pidOf(2);
    process.kill(victim, 'SIGSTOP');
    const calls = Array.from({ length: count }, () => callAnew('orders'));
    // One of them went to the other worker.
    expect(await Promise.race(calls)).toBe('served');
    // Who asks how they are does not wait for it, and hears of the other.
    expect(await readiness()).toMatchObject({ ready: true });
    process.kill(victim, 'SIGKILL');
    expect((await Promise.all(calls)).sort()).toEqual(['failed', 'served']);
    await untilAllReady();
  });

  it('finishes what is in flight at SIGTERM, in all of them, and exits with 0', async () => {
    const held: (() => void)[] = [];
    upstream.handle((recorded, response) => new Promise((resolve) => void held.push(() => resolve(answerAsMcp(recorded, response)))));
    const calls = Array.from({ length: 4 }, () => callAnew('orders', 'held'));
    await vi.waitFor(() => expect(held).toHaveLength(4), patience);
    const stopped = plane.stop();
    await vi.waitFor(async () => expect(await readiness()).toMatchObject({ ready: false, draining: true }), patience);
    for (const release of held) release();
    expect(await Promise.all(calls)).toEqual(['served', 'served', 'served', 'served']);
    expect(await stopped).toBe(0);
    upstream.handle(answerAsMcp);
  });
});

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it('a worker that is just being started when all are told to stop is told too', async () => {
  plane = await startPlane();
  await untilAllReady();
  process.kill(await pidOf(1), 'SIGKILL');
  await vi.waitFor(() => expect(linesOf(plane).filter(({ ended }) => ended === 1)).toHaveLength(1), patience);
  expect(await plane.stop()).toBe(0);
  expect(plane.output()).not.toContain('it is killed');
});

it('workers end with a primary process that is killed', async () => {
  plane = await startPlane();
  await untilAllReady();
  let pids: number[] = [];
  await vi.waitFor(() => {
    pids = [...new Set(linesOf(plane).flatMap(({ worker, pid }) => (worker > 0 ? pid : [])))];
    expect(pids).toHaveLength(count);
  }, patience);
  await plane.kill9();
  await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), patience);
});

it.each<[string, Record<string, string>, string]>([
  ['settings that no worker can start with', { GATEHOUSE_WORKERS: '2', GATEHOUSE_SNAPSHOT_KEY: 'short' }, 'GATEHOUSE_SNAPSHOT_KEY'],
  ['no number of workers', { GATEHOUSE_WORKERS: 'many' }, 'GATEHOUSE_WORKERS'],
])('with %s it exits with 78, and says so once', async (_name, settings, setting) => {
  const { exitCode, stderr } = await gatehouseCommand(['data-plane'], { GATEHOUSE_REDIS_URL: redis.url, GATEHOUSE_DATA_PLANE_PORT: '0', GATEHOUSE_DATA_PLANE_INTERNAL_PORT: '0', ...settings });
  expect(exitCode).toBe(78);
  expect(stderr.split(setting)).toHaveLength(2);
});

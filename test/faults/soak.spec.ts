import { randomInt } from 'node:crypto';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCanary } from '../support/canary.ts';
import type { ControlPlaneProcess } from '../support/connected-planes.ts';
import { reportFault } from '../support/fault-report.ts';
import { anyone, callOrders, described, type FaultedPlanes, snapshotOf, startFaultedPlanes } from '../support/faulted-planes.ts';
import { type FaultyUpstream, startFaultyUpstream, type UpstreamBehaviour } from '../support/faulty-upstream.ts';
import { findLeaks } from '../support/find-leaks.ts';
import type { GatehouseProcess } from '../support/gatehouse-process.ts';
import { runSql } from '../support/postgres.ts';
import { type ProcessUsage, usageOf } from '../support/process-usage.ts';
import { type RunningRedis, startRedis } from '../support/redis.ts';
import { killSubscriptions } from '../support/scenarios/lose-hints.ts';
import { breakServer } from '../support/scenarios/reject-document.ts';
import { makeShiftedClock, type ShiftedClock } from '../support/shifted-clock.ts';
import type { MadeCall } from '../support/steady-calls.ts';

// Fault 22: configuration changes once a second while one fault after the other comes and goes. The second data plane and the second
// control plane live through all of it; what is killed is killed beside them.
const minutes = Number(process.env['GATEHOUSE_SOAK_MINUTES'] ?? 10);
/** Until memory is what it is under this load. */
const warmUpMs = Math.min(120_000, minutes * 15_000);
const awayMs = 2_000;
const canary = makeCanary('soak');

let planes: FaultedPlanes;
let clock: ShiftedClock;
let faulty: FaultyUpstream;
let controlPlane: ControlPlaneProcess;
let survivor: ControlPlaneProcess;
let postgresUrl: string;
let redis: RunningRedis | undefined;
/** Every process there was. */
const logs: GatehouseProcess[] = [];
/** While the first data plane is away, its callers notice. */
const absences: { from: number; to: number }[] = [];

beforeAll(async () => {
  clock = await makeShiftedClock();
  planes = await startFaultedPlanes();
  [controlPlane, survivor] = planes.controlPlanes;
  postgresUrl = planes.shape.databaseUrl;
  logs.push(controlPlane.process, survivor.process, ...planes.dataPlanes.map((plane) => ({ ...plane })));
  faulty = await startFaultyUpstream();
  for (const [name, url] of [['faulty', faulty.url], ['spare', faulty.url]] as const) expect((await planes.admin.post('/v1/workspaces/default/servers', serverDocument(name, url))).status).toBe(201);
});
afterAll(async () => {
  await planes?.close();
  await Promise.all([faulty?.close(), clock?.remove(), redis?.stop()]);
});

const serverDocument = (name: string, url: string): object => ({
  name, type: 'mcp', upstream: { url, timeouts: { responseSeconds: 1 } }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'bearer', token: `${canary}-${name}` },
});

/** The first data plane, again; also with the clock that can be wrong. @param heal what it may need before calls go well */
async function restartFirst({ meanwhile, heal }: { readonly meanwhile?: () => Promise<void>; readonly heal?: () => Promise<void> } = {}): Promise<void> {
  const absence = { from: Date.now(), to: Infinity };
  absences.push(absence);
  await planes.dataPlanes[0].kill9();
  await meanwhile?.();
  Object.assign(planes.dataPlanes[0], await planes.startDataPlane('one', clock.environment));
  logs.push({ ...planes.dataPlanes[0] });
  await heal?.();
  const since = Date.now();
  const isServed = (call: MadeCall | undefined): boolean => call !== undefined && call.beganAt > since && !planes.failures(since).includes(call);
  await expect.poll(() => [anyone, planes.ana].every((who) => isServed(planes.load.last(who, 0))), { timeout: 60_000 }).toBe(true);
  absence.to = Date.now();
}

const faults: Readonly<Record<string, () => Promise<void>>> = {
  '1 Postgres is killed': async () => {
    await planes.shape.postgres.kill9();
    await delay(awayMs);
    await planes.shape.postgres.startAgain();
  },
  '2 Redis is killed': async () => {
    await (redis ?? planes.shape.redis).kill9();
    await delay(awayMs);
    redis = await startRedis({ port: planes.shape.redis.port });
  },
  '3 a control plane is killed': async () => {
    await controlPlane.process.kill9();
    await delay(awayMs);
    controlPlane = await planes.startControlPlane('one');
    logs.push(controlPlane.process);
  },
  '4 a data plane is killed': () => restartFirst(),
  '5 nothing can be reached, and a data plane is killed': async () => {
    const lines = Object.values(planes.lines);
    await Promise.all(lines.map((line) => line.set({ mode: 'down' })));
    await restartFirst({
      heal: async () => {
        expect(await callOrders(planes.dataPlanes[0])).toContain('key-');
        await Promise.all(lines.map((line) => line.set({ mode: 'up' })));
      },
    });
  },
  '6 subscriptions are ended': async () => void (await killSubscriptions(planes.shape.redis)),
  '7 lines fall silent': async () => {
    for (const line of ['postgres', 'redis', 'broker'] as const) planes.lines[line].silenceConnections();
    await delay(awayMs);
  },
  '8 the line to Postgres is slow': async () => {
    await planes.lines.postgres.set({ latencyMs: 300 });
    await delay(awayMs);
    await planes.lines.postgres.set({ latencyMs: 0 });
  },
  '8 the lines to Redis break': async () => {
    await planes.lines.redis.set({ mode: 'reset' });
    await delay(awayMs);
    await planes.lines.redis.set({ mode: 'up' });
  },
  '10 a snapshot on disk is cut off': async () => {
    await restartFirst({ meanwhile: () => truncate(join(planes.shape.folder, 'one', 'snapshot'), 100) });
  },
  '12 a document does not compile': async () => {
    await runSql(postgresUrl, breakServer, ['spare']);
    await delay(awayMs);
    // What went wrong before may still keep it from being stored.
    const repair = () => planes.admin.put('/v1/workspaces/default/servers/spare', serverDocument('spare', faulty.url), { 'if-match': '*' });
    await expect.poll(async () => (await repair()).status, { timeout: 60_000 }).toBe(200);
  },
  '13 a clock is wrong': async () => {
    await clock.shift(randomInt(2) === 0 ? 300 : -300);
    await delay(awayMs);
    await clock.shift(0);
  },
  '14 an upstream goes wrong': async () => {
    const ways: UpstreamBehaviour[] = ['hanging', 'broken', 'reset', 'slow'];
    faulty.behaviour = ways[randomInt(ways.length)] ?? 'reset';
    await delay(awayMs);
    faulty.behaviour = 'well';
  },
};

/** All of them, in any order, and then in another. */
function* inAnyOrder(): Generator<string> {
  for (;;) {
    const names = Object.keys(faults);
    while (names.length > 0) yield names.splice(randomInt(names.length), 1)[0] as string;
  }
}

/** Every second, whatever happens. @returns how many were taken, and how many refused */
async function changeConfiguration(isOver: () => boolean): Promise<{ taken: number; refused: number }> {
  let [taken, refused] = [0, 0];
  while (!isOver()) {
    const next = Date.now() + 1_000;
    const { status } = await planes.setKey(`key-${canary}-${taken + refused}`).catch(() => ({ status: 0 }));
    if (status === 200) taken += 1;
    else refused += 1;
    await delay(Math.max(0, next - Date.now()));
  }
  return { taken, refused };
}

/** Calls of what goes wrong: they must end, in whatever. */
async function callFaulty(isOver: () => boolean): Promise<number> {
  let calls = 0;
  while (!isOver()) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: `soak-${calls}`, method: 'tools/call', params: { name: 'inspect', arguments: {} } });
    await fetch(`${planes.dataPlanes[1].dataPlaneUrl}/mcp/default/faulty`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).then((reply) => reply.text()).catch(() => undefined);
    calls += 1;
    await delay(50);
  }
  return calls;
}

/** The least of some seconds: garbage comes and goes. */
async function usage(pid: number | undefined): Promise<ProcessUsage> {
  const samples: ProcessUsage[] = [];
  for (let sample = 0; sample < 8; sample += 1) {
    samples.push(await usageOf(pid));
    await delay(500);
  }
  return { residentMb: Math.min(...samples.map(({ residentMb }) => residentMb)), descriptors: Math.min(...samples.map(({ descriptors }) => descriptors)) };
}

const survivors = (): (number | undefined)[] => [planes.dataPlanes[1].child.pid, survivor.process.child.pid];
const isExcused = ({ plane, beganAt, endedAt }: MadeCall): boolean => plane === 0 && absences.some(({ from, to }) => endedAt >= from && beganAt <= to);

test(`fault 22: ${minutes} minutes of changes, with one fault after the other: memory and descriptors flat, hashes equal at the end, no secret in the open`, { timeout: (minutes * 60 + 300) * 1_000 }, async () => {
  let isOver = false;
  const changing = changeConfiguration(() => isOver);
  const calling = callFaulty(() => isOver);
  await delay(warmUpMs);
  const before = await Promise.all(survivors().map(usage));

  const beganAt = Date.now();
  const times = new Map<string, number>();
  for (const name of inAnyOrder()) {
    if (Date.now() - beganAt > minutes * 60_000) break;
    await faults[name]?.();
    times.set(name, (times.get(name) ?? 0) + 1);
    await delay(randomInt(1_000));
  }
  isOver = true;
  const { taken, refused } = await changing;
  const faultyCalls = await calling;

  // Everything is well again: the last change is served by both, and they serve the same.
  const last = `key-${canary}-last`;
  await expect.poll(async () => (await planes.setKey(last)).status, { timeout: 60_000 }).toBe(200);
  const healedFrom = Date.now();
  await planes.untilServed(last);
  await expect.poll(async () => new Set((await Promise.all(planes.dataPlanes.map(snapshotOf))).map(({ hash }) => hash)).size, { timeout: 60_000 }).toBe(1);
  const convergedMs = Date.now() - healedFrom;
  await expect.poll(async () => (await planes.admin.get('/v1/workspaces/default/servers')).status, { timeout: 60_000 }).toBe(200);
  const after = await Promise.all(survivors().map(usage));

  expect(described(planes.failures().filter((call) => !isExcused(call)), beganAt)).toEqual([]);
  expect(faulty.repeated).toEqual([]);
  const texts = Object.fromEntries(logs.map((process, index) => [`log ${index}`, process.output()]));
  for (const { internalUrl } of [...planes.dataPlanes, survivor]) texts[`metrics of ${internalUrl}`] = await (await fetch(`${internalUrl}/metrics`)).text();
  const secrets = [canary, planes.ana.accessToken, ...['GATEHOUSE_ADMIN_TOKEN', 'GATEHOUSE_VAULT_KEY', 'GATEHOUSE_SNAPSHOT_KEY', 'GATEHOUSE_DATA_PLANE_TOKEN'].map((name) => String(planes.shape.environment[name]))];
  expect(await findLeaks({ redisUrl: planes.shape.redis.url, databaseUrl: postgresUrl, folder: planes.shape.folder, texts }, secrets)).toEqual([]);
  // The search finds what is there: the upstream has seen the secret, and said so to who called.
  expect(planes.load.last(anyone, 1)?.outcome).toContain(canary);

  const flat = (index: number): string => `${before[index]?.residentMb} to ${after[index]?.residentMb} MB, ${before[index]?.descriptors} to ${after[index]?.descriptors} descriptors`;
  reportFault(22, `${minutes} minutes`, { faults: [...times.values()].reduce((sum, count) => sum + count, 0), changes: taken, refused, calls: planes.load.made.length + faultyCalls, convergedMs, dataPlane: flat(0), controlPlane: flat(1) });
  for (const [index, { residentMb, descriptors }] of after.entries()) {
    expect(residentMb).toBeLessThan((before[index]?.residentMb ?? 0) * 1.25 + 40);
    expect(descriptors).toBeLessThan((before[index]?.descriptors ?? 0) + 30);
  }
  // Each of them came, where there was time.
  if (minutes >= 2) expect([...times.keys()].sort()).toEqual(Object.keys(faults).sort());
});

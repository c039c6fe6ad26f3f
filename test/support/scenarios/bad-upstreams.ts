import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { FaultyUpstream, UpstreamBehaviour } from '../faulty-upstream.ts';
import { described, type LoadedPlanes } from '../loaded-planes.ts';
import type { MadeCall } from '../steady-calls.ts';

const responseSeconds = 0.5;
const patientSeconds = 1.5;
const circuitOpen = '503 upstream_circuit_open';
const broken = 'no answer: TypeError: terminated';

/** By the name of a server: how its upstream goes wrong, what calls of it may come to, and to what at least some do. */
const wrongs: Readonly<Record<string, { behaviour: UpstreamBehaviour; allowed: readonly string[]; some: string; timeouts?: Readonly<Record<string, number>> }>> = {
  slow: { behaviour: 'slow', allowed: ['key-0'], some: 'key-0' },
  hanging: { behaviour: 'hanging', allowed: ['504 upstream_timeout', circuitOpen], some: '504 upstream_timeout', timeouts: { responseSeconds } },
  'hanging-longer': { behaviour: 'hanging', allowed: ['504 upstream_timeout', circuitOpen], some: '504 upstream_timeout', timeouts: { responseSeconds: patientSeconds } },
  // Where head and end come in one moment, nothing of it may have come through.
  broken: { behaviour: 'broken', allowed: [broken, 'no answer: TypeError: fetch failed', '502 upstream_failed', circuitOpen], some: broken },
  reset: { behaviour: 'reset', allowed: ['502 upstream_failed', circuitOpen], some: '502 upstream_failed' },
};

export interface BadUpstreamsReport {
  readonly calls: number;
  /** Of the servers whose upstreams are well: before, and while the others' are not. */
  readonly p99Ms: readonly [number, number];
}

/** @param callers of each server, at each data plane */
export async function serveBadUpstreams(planes: LoadedPlanes, callers: number): Promise<Map<string, FaultyUpstream>> {
  const upstreams = new Map<string, FaultyUpstream>();
  for (const [name, { timeouts }] of Object.entries(wrongs)) {
    upstreams.set(name, await planes.serve(name, timeouts));
    planes.load.begin(name, callers, 50);
  }
  upstreams.set('endless', await planes.serve('endless'));
  return upstreams;
}

/** Fault 14: upstreams go wrong in each way at once, at both data planes, while others are well. */
export async function goThroughBadUpstreams(planes: LoadedPlanes, upstreams: ReadonlyMap<string, FaultyUpstream>, seconds: number): Promise<BadUpstreamsReport> {
  const { load } = planes;
  const wellFrom = Date.now();
  await delay(seconds * 1000);

  const wrongFrom = Date.now();
  for (const [name, { behaviour }] of Object.entries(wrongs)) Object.assign(upstreams.get(name) ?? {}, { behaviour, slowMs: 300 });
  Object.assign(upstreams.get('endless') ?? {}, { behaviour: 'endless' });
  const reading = planes.dataPlanes.map(({ dataPlaneUrl }) => readEndless(`${dataPlaneUrl}/mcp/default/endless`, seconds));
  await delay(seconds * 1000);
  const read = await Promise.all(reading);
  const wrongTo = Date.now();
  for (const upstream of upstreams.values()) upstream.behaviour = 'well';

  // By itself, well again: nothing is held against anyone for longer than a circuit is open.
  const isWell = (name: string): boolean => planes.dataPlanes.every((_plane, index) => load.last(name, index)?.outcome === 'key-0');
  await expect.poll(() => Object.keys(wrongs).filter((name) => !isWell(name)), { timeout: 90_000, interval: 100 }).toEqual([]);

  for (const [name, { allowed, some }] of Object.entries(wrongs)) {
    const during = load.made.filter(({ who, beganAt }) => who === name && beganAt >= wrongFrom && beganAt < wrongTo);
    // Those that were still on their way when all was well again may have come to either.
    const isAllowed = ({ outcome, endedAt }: MadeCall<string>): boolean => allowed.includes(outcome) || (endedAt >= wrongTo && outcome === 'key-0');
    expect(described(during.filter((call) => !isAllowed(call)), wrongFrom)).toEqual([]);
    expect([name, during.filter(({ outcome }) => outcome === some).length > 0]).toEqual([name, true]);
  }
  // Each waits for its own time, and not for another's.
  const shortest = (name: string): number => Math.min(...load.made.filter(({ who, outcome }) => who === name && outcome === '504 upstream_timeout').map(({ beganAt, endedAt }) => endedAt - beganAt));
  expect(shortest('hanging')).toBeGreaterThanOrEqual(responseSeconds * 1000 - 5);
  expect(shortest('hanging')).toBeLessThan(shortest('hanging-longer'));
  expect(shortest('hanging-longer')).toBeGreaterThanOrEqual(patientSeconds * 1000 - 5);
  // Whoever reads what does not end gets it, for as long as they read; then its upstream is let go.
  expect(Math.min(...read)).toBeGreaterThan(16_384);
  await expect.poll(() => upstreams.get('endless')?.open, { timeout: 20_000 }).toBe(0);
  for (const [name, { repeated }] of upstreams) expect([name, repeated]).toEqual([name, []]);

  expect(described(load.made.filter(({ who, beganAt, outcome }) => who === 'orders' && beganAt >= wellFrom && !outcome.startsWith('key-')), wrongFrom)).toEqual([]);
  const p99Between = (from: number, to: number): number => p99Of(load.made.filter(({ who, beganAt, endedAt }) => who === 'orders' && beganAt >= from && endedAt <= to));
  return { calls: load.made.filter(({ beganAt }) => beganAt >= wellFrom).length, p99Ms: [p99Between(wellFrom, wrongFrom), p99Between(wrongFrom, wrongTo)] };
}

/** @returns how many bytes came until its caller left */
async function readEndless(url: string, seconds: number): Promise<number> {
  const leave = AbortSignal.timeout(seconds * 1000);
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: randomUUID(), method: 'tools/call', params: { name: 'inspect', arguments: {} } });
  let bytes = 0;
  try {
    const response = await fetch(url, { method: 'POST', headers, body, signal: leave });
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) bytes += chunk.length;
  } catch (error) {
    if (!leave.aborted) throw error;
  }
  return bytes;
}

function p99Of(calls: readonly MadeCall<string>[]): number {
  const tookMs = calls.map(({ beganAt, endedAt }) => endedAt - beganAt).sort((one, other) => one - other);
  return tookMs[Math.floor(tookMs.length * 0.99)] ?? Infinity;
}

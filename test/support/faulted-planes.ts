import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { type CallOutcome, type ConnectedPerson, type ConnectedPlanes, type ConnectedPlanesOptions, type ControlPlaneProcess, startConnectedPlanes } from './connected-planes.ts';
import type { DataPlaneProcess } from './production-shape.ts';
import { headerValue, type RecordedRequest, startRecordingUpstream } from './recording-upstream.ts';
import { type RunningRedis, startRedis } from './redis.ts';
import { type MadeCall, SteadyCalls } from './steady-calls.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** For how long something is away; shorter, to try it out. */
export const outageSeconds = Number(process.env['GATEHOUSE_OUTAGE_SECONDS'] ?? 60);

/** Whoever calls `orders`, which asks nobody and has a stored key; what becomes of a call is the key that the upstream saw. */
export const anyone: ConnectedPerson = { name: 'anyone', person: '', connection: '', accessToken: '', expiresAt: Infinity, authorization: '' };

export type Writing = Readonly<{ status: number; contentType: string; code: string | undefined; tookMs: number }>;

/** Connected planes under steady load, whose parts and lines can be broken one by one. */
export interface FaultedPlanes extends Omit<ConnectedPlanes, 'dataPlanes'> {
  /** Wherever each is at the moment. */
  readonly dataPlanes: [DataPlaneProcess, DataPlaneProcess];
  /** What the planes reach Postgres, Redis and the broker through. */
  readonly lines: Readonly<Record<'postgres' | 'redis' | 'broker', TcpProxy>>;
  /** Connected, and with a token that every data plane has had from the broker. */
  readonly ana: ConnectedPerson;
  /** Of `orders`, for servers beside it. */
  readonly upstreamUrl: string;
  /** Of `anyone` and `ana`, at both. */
  readonly load: SteadyCalls;
  /** In the place of that one, from its folder. @returns after how many milliseconds `orders` was served there */
  restartDataPlane(index: 0 | 1): Promise<number>;
  /** Empty, where the one before was. */
  restartRedis(): Promise<void>;
  restartControlPlanes(): Promise<ControlPlaneProcess[]>;
  /** A change of the key that `orders` has. */
  setKey(key: string): Promise<Writing>;
  read(): Promise<Writing>;
  /** Waits until the load sees a key at both. @returns when each saw it first, in milliseconds since the epoch */
  untilServed(key: string): Promise<[number, number]>;
  /** Calls since then that came to anything but what they were to: the token or a key. */
  failures(sinceMs?: number): MadeCall[];
  /** Calls in a second, of those that ended between the two. */
  callsPerSecond(fromMs: number, toMs: number): number;
}

/** Between two calls of a caller: long beside a call, so that their number says whether calls take longer, and not how much the machine has to do. */
const pauseMs = 100;
const serverPath = '/v1/workspaces/default/servers/orders';

export async function startFaultedPlanes(options: Pick<ConnectedPlanesOptions, 'environment'> = {}): Promise<FaultedPlanes> {
  const upstream = await startRecordingUpstream();
  const lines = {} as Record<'postgres' | 'redis' | 'broker', TcpProxy>;
  const through = async (name: keyof typeof lines, url: string): Promise<string> => {
    lines[name] = await startTcpProxy({ targetPort: Number(new URL(url).port) });
    return Object.assign(new URL(url), { port: lines[name].port }).href;
  };
  const planes = await startConnectedPlanes({
    ...options,
    environmentOf: async ({ databaseUrl, redisUrl, brokerUrl }) => {
      const redis = { GATEHOUSE_REDIS_URL: await through('redis', redisUrl) };
      return {
        controlPlane: { GATEHOUSE_DATABASE_URL: await through('postgres', databaseUrl), ...redis },
        dataPlane: { GATEHOUSE_INTERNAL_URL: await through('broker', brokerUrl), ...redis },
      };
    },
  });
  let redis: RunningRedis | undefined;
  const dataPlanes = planes.dataPlanes.map((plane) => ({ ...plane })) as [DataPlaneProcess, DataPlaneProcess];
  const call = (plane: DataPlaneProcess, who: ConnectedPerson): Promise<CallOutcome> => (who === anyone ? callOrders(plane) : planes.call(plane, who));
  const load = new SteadyCalls({ dataPlanes, call });
  const appAuth = (value: string) => ({ type: 'api-key', name: 'X-API-Key', in: 'header', value });
  // Whoever drives it for minutes needs no record.
  const forgetRequests = setInterval(() => void (upstream.requests.length = 0), 1_000);

  const ana = await planes.connect('ana', 3600);
  const untilAll = (who: ConnectedPerson, outcome: CallOutcome): Promise<void> => vi.waitFor(() => expect(dataPlanes.map((_plane, index) => load.last(who, index)?.outcome)).toEqual([outcome, outcome]), { timeout: 60_000, interval: 20 });
  const firstServed = (key: string, index: number): number => load.made.find(({ who, plane, outcome }) => who === anyone && plane === index && outcome === key)?.endedAt ?? Infinity;
  const faulted: FaultedPlanes = {
    ...planes, dataPlanes, lines, ana, load, call, upstreamUrl: upstream.url,
    untilServed: async (key) => {
      await untilAll(anyone, key);
      return [firstServed(key, 0), firstServed(key, 1)];
    },
    restartDataPlane: async (index) => {
      const beganAt = Date.now();
      Object.assign(dataPlanes[index], await planes.startDataPlane(index === 0 ? 'one' : 'two'));
      while (!isKey(await callOrders(dataPlanes[index]).catch(String))) await delay(5);
      return Date.now() - beganAt;
    },
    restartRedis: async () => {
      redis = await startRedis({ port: planes.shape.redis.port });
    },
    restartControlPlanes: () => Promise.all(['one', 'two'].map((name) => planes.startControlPlane(name))),
    setKey: (key) => timed(() => planes.admin.patch(serverPath, { appAuth: { value: key } }, { 'if-match': '*' })),
    read: () => timed(() => planes.admin.get(serverPath)),
    failures: (sinceMs = 0) => load.made.filter(({ beganAt, outcome, who }) => beganAt >= sinceMs && !(who === anyone ? isKey(outcome) : outcome === 'served')),
    callsPerSecond: (fromMs, toMs) => load.made.filter(({ endedAt }) => endedAt >= fromMs && endedAt < toMs).length / ((toMs - fromMs) / 1000),
    close: async () => {
      await load.stop();
      clearInterval(forgetRequests);
      await Promise.all(Object.values(lines).map((line) => line.close()));
      await planes.close();
      await Promise.all([redis?.stop(), upstream.close()]);
    },
  };
  try {
    await planes.admin.post('/v1/workspaces/default/servers', { name: 'orders', type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' }, appAuth: appAuth('key-1') });
    load.begin(anyone, 2, pauseMs);
    load.begin(ana, 2, pauseMs);
    await untilAll(anyone, 'key-1');
    await untilAll(ana, 'served');
    // From here on nothing may fail.
    load.made.length = 0;
    return faulted;
  } catch (error) {
    await faulted.close();
    throw error;
  }
}

const isKey = (outcome: CallOutcome): boolean => outcome.startsWith('key-');

/** What a data plane's `orders` comes to: the key that was sent upstream, or status and code of an error. */
export async function callOrders(plane: Pick<DataPlaneProcess, 'dataPlaneUrl'>, server = 'orders'): Promise<CallOutcome> {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: randomUUID(), method: 'tools/call', params: { name: 'inspect', arguments: {} } });
  const response = await fetch(`${plane.dataPlaneUrl}/mcp/default/${server}`, { method: 'POST', headers, body });
  const answer = (await response.json()) as { result?: { content: { text: string }[] }; error?: { data?: { code?: string } }; code?: string };
  const shown = answer.result?.content[0]?.text;
  if (response.status !== 200 || shown === undefined) return `${response.status} ${answer.error?.data?.code ?? answer.code}`;
  return headerValue(JSON.parse(shown) as RecordedRequest, 'x-api-key') ?? 'no key';
}

async function timed(send: () => Promise<{ status: number; headers: Headers; body: unknown }>): Promise<Writing> {
  const beganAt = Date.now();
  const { status, headers, body } = await send();
  return { status, contentType: headers.get('content-type') ?? '', code: (body as { code?: string }).code, tookMs: Date.now() - beganAt };
}

/** A probe's answer. */
export async function readiness({ internalUrl }: { readonly internalUrl: string }): Promise<{ status: number; body: Record<string, unknown> }> {
  const reply = await fetch(`${internalUrl}/readyz`);
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
}

export interface DescribedSnapshot {
  readonly revision: number;
  readonly revisionOnDisk?: number;
  readonly hash: string;
  readonly documents: number;
  readonly source: 'channel' | 'disk';
}

export async function snapshotOf({ internalUrl }: DataPlaneProcess): Promise<DescribedSnapshot> {
  return (await (await fetch(`${internalUrl}/debug/snapshot`)).json()) as DescribedSnapshot;
}

/** A gauge or counter without labels. */
export async function gauge({ internalUrl }: DataPlaneProcess, name: string): Promise<number> {
  const text = await (await fetch(`${internalUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** For assertions: what the calls came to, where, and when. */
export const described = (calls: readonly MadeCall[], sinceMs = 0): unknown[] => calls.slice(0, 20).map(({ who, plane, outcome, beganAt, endedAt }) => [who.name, plane, outcome, beganAt - sinceMs, endedAt - beganAt]);

/** Does something once a second until the time is over. */
export async function everySecond(seconds: number, check: () => Promise<void>): Promise<void> {
  const until = Date.now() + seconds * 1000;
  while (Date.now() < until) {
    const next = Date.now() + 1000;
    await check();
    await delay(Math.max(0, Math.min(next, until) - Date.now()));
  }
}

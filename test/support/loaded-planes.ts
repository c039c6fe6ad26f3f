import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import type { AdminClient, AdminReply } from './admin-client.ts';
import type { CallOutcome, ControlPlaneProcess } from './connected-planes.ts';
import { type DeafLine, startDeafLine } from './deaf-line.ts';
import { type FaultyUpstream, startFaultyUpstream } from './faulty-upstream.ts';
import { type DataPlaneProcess, type ProductionShape, startProductionShape } from './production-shape.ts';
import { type MadeCall, SteadyCalls } from './steady-calls.ts';

type Json = Readonly<Record<string, unknown>>;

/** What a data plane says of its configuration. */
export interface ServedSnapshot {
  readonly revision: number;
  readonly revisionOnDisk?: number;
  readonly hash: string;
  readonly rejects: readonly { readonly id: string; readonly reason: string }[];
}

/** A control plane and two data planes as in production, upstreams that can go wrong, and steady calls of their servers at both. */
export interface LoadedPlanes {
  readonly shape: ProductionShape;
  readonly controlPlane: ControlPlaneProcess;
  readonly admin: AdminClient;
  /** Between Redis and the data planes. */
  readonly redisLine: DeafLine;
  readonly dataPlanes: [DataPlaneProcess, DataPlaneProcess];
  /** Callers are by the name of the server that they call. */
  readonly load: SteadyCalls<string>;
  /** What a call of a server comes to: the key that its upstream saw, `no key`, or status and code of an error. */
  call(plane: DataPlaneProcess, server: string): Promise<CallOutcome>;
  /** Creates an open server with an upstream of its own, and waits until both serve it. */
  serve(name: string, timeouts?: Json): Promise<FaultyUpstream>;
  /** @returns the revision of the change */
  edit(name: string, change: Json): Promise<number>;
  /** The whole document, with another key. @returns the revision */
  replace(name: string, key: string): Promise<number>;
  snapshots(): Promise<ServedSnapshot[]>;
  /** Resolves when both serve a revision, with equal hashes, and rejects of it where some are expected. @returns after how many milliseconds */
  converge(revision: number, options?: { readonly timeoutMs?: number; readonly rejects?: number }): Promise<number>;
  /** Calls since then that came to anything but a key. */
  failures(sinceMs?: number): MadeCall<string>[];
  /** In the place of the one before, on its folder. */
  restartDataPlane(index: 0 | 1, more?: Record<string, string>): Promise<DataPlaneProcess>;
  close(): Promise<void>;
}

const names = ['one', 'two'] as const;
const servers = '/v1/workspaces/default/servers';

export async function startLoadedPlanes(environment: Record<string, string> = {}): Promise<LoadedPlanes> {
  const upstreams = new Map<string, FaultyUpstream>();
  const shape = await startProductionShape(environment);
  const redisLine = await startDeafLine(shape.redis);
  const controlPlane = await shape.startControlPlane();
  const { admin } = controlPlane;
  const start = (name: string, more?: Record<string, string>): Promise<DataPlaneProcess> => shape.startDataPlane(name, { GATEHOUSE_REDIS_URL: redisLine.url, ...more });
  const dataPlanes = (await Promise.all(names.map((name) => start(name)))) as [DataPlaneProcess, DataPlaneProcess];
  const load = new SteadyCalls<string>({ dataPlanes, call: callServer });

  const snapshots = (): Promise<ServedSnapshot[]> => Promise.all(dataPlanes.map(snapshotOf));
  return {
    shape, controlPlane, admin, redisLine, dataPlanes, load, snapshots,
    call: callServer,
    serve: async (name, timeouts = {}) => {
      const upstream = await startFaultyUpstream();
      upstreams.set(name, upstream);
      const { status, body } = await admin.post(servers, { ...documentOf(name, upstream.url, 'key-0'), upstream: { url: upstream.url, timeouts } });
      expect([status, body]).toEqual([201, expect.anything()]);
      await vi.waitFor(async () => expect(await Promise.all(dataPlanes.map((plane) => callServer(plane, name)))).toEqual(['key-0', 'key-0']), { timeout: 20_000 });
      return upstream;
    },
    edit: async (name, change) => revisionOf(await admin.patch(`${servers}/${name}`, change, { 'if-match': '*' })),
    replace: async (name, key) => revisionOf(await admin.put(`${servers}/${name}`, documentOf(name, upstreams.get(name)?.url ?? '', key), { 'if-match': '*' })),
    converge: async (revision, { timeoutMs = 60_000, rejects = 0 } = {}) => {
      const beganAt = Date.now();
      const differing = async (): Promise<unknown> => {
        const [first, second] = await snapshots();
        const isEqual = first?.hash === second?.hash && (first?.revision ?? 0) >= revision && (second?.revision ?? 0) >= revision;
        return isEqual && [first, second].every((snapshot) => snapshot?.rejects.length === rejects) ? undefined : [first, second];
      };
      await expect.poll(differing, { timeout: timeoutMs, interval: 10 }).toBeUndefined();
      return Date.now() - beganAt;
    },
    failures: (sinceMs = 0) => load.made.filter(({ beganAt, outcome }) => beganAt >= sinceMs && !outcome.startsWith('key-')),
    restartDataPlane: async (index, more) => (dataPlanes[index] = await start(names[index], more)),
    close: async () => {
      await load.stop();
      await shape.close();
      await Promise.all([redisLine.close(), ...[...upstreams.values()].map((upstream) => upstream.close())]);
    },
  };
}

const documentOf = (name: string, url: string, value: string): Json => ({
  name, type: 'mcp', upstream: { url }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value },
});

function revisionOf({ status, body }: AdminReply): number {
  expect([status, body]).toEqual([200, expect.anything()]);
  return (body as { revision: number }).revision;
}

export async function snapshotOf({ internalUrl }: Pick<DataPlaneProcess, 'internalUrl'>): Promise<ServedSnapshot> {
  return (await (await fetch(`${internalUrl}/debug/snapshot`)).json()) as ServedSnapshot;
}

interface Answer {
  readonly result?: { readonly content: readonly { readonly text: string }[] };
  readonly error?: { readonly data?: { readonly code?: string } };
}

async function callServer(plane: Pick<DataPlaneProcess, 'dataPlaneUrl'>, server: string): Promise<CallOutcome> {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: randomUUID(), method: 'tools/call', params: { name: 'inspect', arguments: {} } });
  const response = await fetch(`${plane.dataPlaneUrl}/mcp/default/${server}`, { method: 'POST', headers, body });
  const text = await response.text();
  const isStream = response.headers.get('content-type') === 'text/event-stream';
  const { result, error } = JSON.parse(isStream ? (/data: (.*"result".*)/.exec(text)?.[1] ?? '{}') : text) as Answer;
  return result?.content[0]?.text ?? `${response.status} ${error?.data?.code ?? 'no answer'}`;
}

/** For assertions: what calls came to, where, and when. */
export const described = (calls: readonly MadeCall<string>[], sinceMs = 0): unknown[] => calls.slice(0, 20).map(({ who, plane, outcome, beganAt, endedAt }) => [who, plane, outcome, beganAt - sinceMs, endedAt - beganAt]);

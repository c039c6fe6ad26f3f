import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportFault } from '../support/fault-report.ts';
import { anyone, callOrders, described, everySecond, outageSeconds, readiness } from '../support/faulted-planes.ts';
import { listenOnLoopback } from '../support/listen.ts';
import { type DataPlaneProcess, type ProductionShape, startProductionShape } from '../support/production-shape.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { SteadyCalls } from '../support/steady-calls.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { startTransitServer, type TransitServer } from '../support/transit-server.ts';

const token = 'hvs.token-of-the-spec';
const path = '/v1/workspaces/default/servers';

let transit: TransitServer;
let line: TcpProxy;
let upstream: RecordingUpstream;
let shape: ProductionShape;
let controlPlane: Awaited<ReturnType<ProductionShape['startControlPlane']>>;
let dataPlanes: DataPlaneProcess[];
let calls: SteadyCalls;
let settings: Record<string, string>;
beforeAll(async () => {
  transit = await startTransitServer({ token });
  line = await startTcpProxy({ targetPort: transit.port });
  [upstream, shape] = await Promise.all([startRecordingUpstream(), startProductionShape()]);
  // In the place of the key that it would have here.
  settings = { GATEHOUSE_VAULT_KEY: '', GATEHOUSE_VAULT_KMS: `transit:http://127.0.0.1:${line.port}/v1/transit/keys/gatehouse`, GATEHOUSE_VAULT_KMS_TOKEN: token };
  controlPlane = await shape.startControlPlane(settings);
  dataPlanes = [await shape.startDataPlane('one'), await shape.startDataPlane('two')];
  const created = await controlPlane.admin.post(path, server('orders', 'key-1'));
  if (created.status !== 201) throw new Error(JSON.stringify(created.body));
  calls = new SteadyCalls({ dataPlanes, call: (plane) => callOrders(plane) });
});
afterAll(async () => {
  await calls?.stop();
  await shape?.close();
  await Promise.all([upstream?.close(), line?.close(), transit?.close()]);
});

const server = (name: string, value: string): object => ({
  name, type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value },
});
const isServed = (key: string): Promise<void> => expect.poll(() => dataPlanes.map((_plane, index) => calls.last(anyone, index)?.outcome), { timeout: 60_000, interval: 20 }).toEqual([key, key]);

async function freePort(): Promise<number> {
  const taken = createServer();
  const port = await listenOnLoopback(taken);
  taken.close();
  return port;
}

test('fault 18: the key management service is away: what runs goes on, what starts is unready and says why, until it is back', { timeout: (outageSeconds + 180) * 1000 }, async () => {
  await expect.poll(() => Promise.all(dataPlanes.map((plane) => callOrders(plane))), { timeout: 30_000 }).toEqual(['key-1', 'key-1']);
  calls.begin(anyone, 4, 40);
  await line.set({ mode: 'down' });
  const awayAt = Date.now();
  const port = await freePort();
  const starting = shape.startControlPlane({ ...settings, GATEHOUSE_CONTROL_PLANE_INTERNAL_PORT: String(port) });
  const internalUrl = `http://127.0.0.1:${port}`;
  await expect.poll(() => readiness({ internalUrl }).catch(() => undefined), { timeout: 60_000 }).toEqual({ status: 503, body: { status: 'unready', reason: 'kms' } });
  let edits = 0;
  await everySecond(outageSeconds, async () => {
    // Sealing, and opening for whoever publishes it.
    const { status } = await controlPlane.admin.patch(`${path}/orders`, { appAuth: { value: `key-away-${(edits += 1)}` } }, { 'if-match': '*' });
    expect(status).toBe(200);
    await isServed(`key-away-${edits}`);
    expect(await readiness(controlPlane)).toEqual({ status: 200, body: { status: 'ready' } });
    expect(await readiness({ internalUrl })).toEqual({ status: 503, body: { status: 'unready', reason: 'kms' } });
  });
  await line.set({ mode: 'up' });
  const returnedAt = Date.now();
  const started = await starting;
  const readyMs = Date.now() - returnedAt;
  expect(await readiness({ internalUrl })).toEqual({ status: 200, body: { status: 'ready' } });
  // It opens what was sealed meanwhile, and what it seals is served.
  expect((await started.admin.patch(`${path}/orders`, { appAuth: { value: 'key-of-the-new' } }, { 'if-match': '*' })).status).toBe(200);
  await isServed('key-of-the-new');
  expect(described(calls.made.filter(({ outcome }) => !outcome.startsWith('key-')), awayAt)).toEqual([]);
  reportFault(18, 'KMS away', { outageSeconds, edits, readyAfterMs: readyMs });
  console.info(`${edits} edits meanwhile; what was starting was ready ${readyMs} ms after its return`);
});

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AdminClient, createAdminClient } from '../support/admin-client.ts';
import { type GatehouseProcess, startGatehouse } from '../support/gatehouse-process.ts';
import { runSql } from '../support/postgres.ts';
import { type DataPlaneProcess, type ProductionShape, startProductionShape } from '../support/production-shape.ts';
import { headerPairs, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { runCommand } from '../support/run-command.ts';
import { type RunningGatehouse, startUp } from '../support/start-up.ts';

const executable = fileURLToPath(new URL('../../apps/gatehouse/bin/gatehouse.js', import.meta.url));
const path = '/v1/header-policy';
const patience = { timeout: 20_000, interval: 50 };
let upstream: RecordingUpstream;
let calls = 0;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
});
afterAll(() => upstream.close());

const server = (name: string, more: Record<string, unknown> = {}) => ({ name, type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' }, ...more });
const callersHeaders = { 'X-Tenant': 'acme', 'X-Plan': 'gold', 'X-Internal-Id': '1', Authorization: 'Bearer theirs' };

/** The caller's headers that the upstream sees, as `name: value`. */
async function leaving(dataPlaneUrl: string, name: string): Promise<string[]> {
  const id = (calls += 1);
  const response = await fetch(`${dataPlaneUrl}/mcp/default/${name}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...callersHeaders },
    body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: {} } }),
  });
  if (response.status !== 200) return [`${response.status} ${await response.text()}`];
  const seen = upstream.requests.find((request) => (JSON.parse(request.body.toString()) as { id: number }).id === id);
  const values = new Set<string>(Object.values(callersHeaders));
  return headerPairs(seen ?? { method: '', url: '', rawHeaders: [], body: Buffer.alloc(0) }).filter(([, value]) => values.has(value)).map(([header, value]) => `${header}: ${value}`);
}
const leaves = (dataPlaneUrl: string, name: string, expected: string[]): Promise<void> => vi.waitFor(async () => expect(await leaving(dataPlaneUrl, name)).toEqual(expected), patience);

async function put(admin: AdminClient, document: unknown): Promise<void> {
  const { status, body } = await admin.put(path, document, { 'if-match': '*' });
  expect([status, body]).toEqual([200, expect.anything()]);
}

describe('P16 gatehouse up, with the environment’s list', () => {
  let gatehouse: RunningGatehouse;
  beforeAll(async () => {
    gatehouse = await startUp({ env: { GATEHOUSE_PASSTHROUGH_HEADERS: 'X-Tenant,x-tenant', GATEHOUSE_PASSTHROUGH_HEADERS_SOURCE: 'merge' } });
    for (const document of [server('left-to-it'), server('own', { headerPolicy: { mode: 'list', list: ['X-Plan'] } }), server('nothing', { headerPolicy: { mode: 'none' } })]) await gatehouse.addServer(document);
  });
  afterAll(() => gatehouse.close());

  it('seeds the policy, which counts where a server says nothing', async () => {
    expect((await gatehouse.admin.get(path)).body).toMatchObject({ mode: 'list', list: ['X-Tenant'], warnings: [] });
    await leaves(gatehouse.dataPlaneUrl, 'left-to-it', ['X-Tenant: acme']);
    expect(await leaving(gatehouse.dataPlaneUrl, 'own')).toEqual(['X-Plan: gold']);
    expect(await leaving(gatehouse.dataPlaneUrl, 'nothing')).toEqual([]);
  });

  it('an edit by REST is served; the environment’s list is merged in', async () => {
    await put(gatehouse.admin, { mode: 'mappings', mappings: [{ source: 'X-Plan', target: 'X-Tier' }] });
    await leaves(gatehouse.dataPlaneUrl, 'left-to-it', ['X-Tenant: acme', 'X-Tier: gold']);
    await put(gatehouse.admin, { mode: 'all', restricted: ['x-internal-*'] });
    await leaves(gatehouse.dataPlaneUrl, 'left-to-it', ['X-Tenant: acme', 'X-Plan: gold']);
  });

  it('P17 the master switch is for every server, and so is what the policy restricts', async () => {
    await put(gatehouse.admin, { mode: 'none', source: 'db', restricted: ['x-plan'] });
    await leaves(gatehouse.dataPlaneUrl, 'own', []);
    await put(gatehouse.admin, { mode: 'none' });
    await leaves(gatehouse.dataPlaneUrl, 'own', ['X-Plan: gold']);
    await put(gatehouse.admin, { mode: 'all', enabled: false });
    await leaves(gatehouse.dataPlaneUrl, 'own', []);
    expect(await leaving(gatehouse.dataPlaneUrl, 'left-to-it')).toEqual([]);
  });

  it('deleted, it leaves the environment’s list', async () => {
    expect((await gatehouse.admin.delete(path, { 'if-match': '*' })).status).toBe(204);
    await leaves(gatehouse.dataPlaneUrl, 'left-to-it', ['X-Tenant: acme']);
  });
});

describe('control plane and data plane as processes of their own, over Redis', () => {
  let shape: ProductionShape;
  let dataPlane: DataPlaneProcess;
  let controlPlane: GatehouseProcess;
  let admin: AdminClient;

  /** Another control plane in the place of the one before. */
  async function restart(settings: Record<string, string>): Promise<void> {
    await controlPlane.stop();
    controlPlane = await startGatehouse(['control-plane', '--json'], { env: { ...shape.environment, ...settings } });
    admin = createAdminClient(controlPlane.controlPlaneUrl, shape.environment['GATEHOUSE_ADMIN_TOKEN'] ?? '');
  }
  const run = (settings: Record<string, string>) => runCommand(process.execPath, [executable, 'control-plane', '--json'], { env: { PATH: process.env['PATH'], ...shape.environment, ...settings } });

  beforeAll(async () => {
    shape = await startProductionShape();
    ({ process: controlPlane, admin } = await shape.startControlPlane());
    dataPlane = await shape.startDataPlane('one');
    expect((await admin.post('/v1/workspaces/default/servers', server('orders'))).status).toBe(201);
  });
  afterAll(async () => {
    await controlPlane.stop();
    await shape.close();
  });

  it('a data plane follows the document', async () => {
    await leaves(dataPlane.dataPlaneUrl, 'orders', []);
    await put(admin, { mode: 'list', list: ['X-Tenant'] });
    await leaves(dataPlane.dataPlaneUrl, 'orders', ['X-Tenant: acme']);
  });

  it('a changed environment reaches it with the next start of a control plane', async () => {
    await restart({ GATEHOUSE_PASSTHROUGH_HEADERS: 'X-Plan', GATEHOUSE_PASSTHROUGH_HEADERS_SOURCE: 'env' });
    await leaves(dataPlane.dataPlaneUrl, 'orders', ['X-Plan: gold']);
    await restart({ GATEHOUSE_PASSTHROUGH_HEADERS: 'X-Plan', GATEHOUSE_PASSTHROUGH_HEADERS_SOURCE: 'merge' });
    await leaves(dataPlane.dataPlaneUrl, 'orders', ['X-Tenant: acme', 'X-Plan: gold']);
    await restart({ GATEHOUSE_HEADER_PASSTHROUGH: 'false' });
    await leaves(dataPlane.dataPlaneUrl, 'orders', []);
  });

  it.each([
    ['GATEHOUSE_PASSTHROUGH_HEADERS', 'X-Ok,Cookie'],
    ['GATEHOUSE_PASSTHROUGH_HEADERS', 'X Tenant'],
    ['GATEHOUSE_PASSTHROUGH_HEADERS_SOURCE', 'file'],
    ['GATEHOUSE_HEADER_PASSTHROUGH', 'maybe'],
  ])('a wrong %s (%s) names itself and ends the start with 78', async (name, value) => {
    const { exitCode, stderr } = await run({ [name]: value });
    expect([exitCode, stderr]).toEqual([78, expect.stringContaining(name)]);
  });

  it('a list that cannot be stored ends the start, and names its setting', async () => {
    expect((await admin.delete(path, { 'if-match': '*' })).status).toBe(204);
    await runSql(shape.databaseUrl, `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
      create trigger refuse before insert on header_policy for each row execute function refuse()`);
    const { exitCode, stderr } = await run({ GATEHOUSE_PASSTHROUGH_HEADERS: 'X-Plan' });
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/GATEHOUSE_PASSTHROUGH_HEADERS .*SQLSTATE P0001/)]);
  });
});

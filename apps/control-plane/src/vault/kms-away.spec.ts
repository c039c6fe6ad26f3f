import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@gatehouse/service-runtime';
import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listenOnLoopback } from '../../../../test/support/listen.ts';
import { runSql, startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { startTcpProxy, type TcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { startTransitServer, type TransitServer } from '../../../../test/support/transit-server.ts';
import { sampleServer } from '../spec-support/sample-server.ts';
import { startTestControlPlane, type TestControlPlane, testEnvironment, until } from '../spec-support/start-test-control-plane.ts';
import { startControlPlane } from '../start-control-plane.ts';

const token = 'hvs.first-token';
let postgres: TestPostgres;
let transit: TransitServer;
let line: TcpProxy;
let folder: string;
let environment: Record<string, string>;
let plane: TestControlPlane;

beforeAll(async () => {
  postgres = await startTestPostgres();
  transit = await startTransitServer({ token });
  line = await startTcpProxy({ targetPort: transit.port });
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-kms-'));
  await writeFile(join(folder, 'token'), `${token}\n`);
  const { GATEHOUSE_VAULT_KEY: _localKey, ...others } = testEnvironment(await postgres.createDatabase());
  environment = {
    ...others,
    GATEHOUSE_VAULT_KMS: `transit:http://127.0.0.1:${line.port}/v1/transit/keys/gatehouse`,
    GATEHOUSE_VAULT_KMS_TOKEN_FILE: join(folder, 'token'),
    GATEHOUSE_VAULT_KEY_GRACE_SECONDS: '1',
  };
});
afterAll(async () => {
  await plane?.close();
  await line.close();
  await transit.close();
  await postgres.close();
  await rm(folder, { recursive: true, force: true });
});

const logger = createLogger({ level: 'fatal', role: 'control-plane' });
const create = (workspace: string, name: string) => plane.send('POST', `/v1/workspaces/${workspace}/servers`, { body: sampleServer(name) });
/** A control plane that has nothing in its memory opens it. */
async function opensElsewhere(name: string): Promise<unknown> {
  const other = await startTestControlPlane({ environment });
  const { body } = await other.send<{ code?: string; steps?: unknown }>('POST', `/v1/workspaces/default/servers/${name}/explain`, { body: { request: { headers: [] } } });
  await other.close();
  return body.code;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  server.close();
  return port;
}

// In this order: each step goes on from where the one before left the service.
test('starting: unready with the reason until the service is there (fault 18)', async () => {
  await line.set({ mode: 'down' });
  const port = await freePort();
  const starting = startTestControlPlane({ environment: { ...environment, GATEHOUSE_CONTROL_PLANE_INTERNAL_PORT: String(port) } });
  const readiness = async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.text();
  await until(async () => (await readiness()) === '{"status":"unready","reason":"kms"}');
  transit.seal(true);
  await line.set({ mode: 'up' });
  transit.seal(false);
  plane = await starting;
  expect(await readiness()).toBe('{"status":"ready"}');
});

test('running: what is stored opens and what is new is sealed while the service is away (fault 18)', async () => {
  expect((await create('default', 'first')).status).toBe(201);
  await line.set({ mode: 'down' });
  expect((await create('default', 'second')).status).toBe(201);
  for (const name of ['first', 'second']) {
    const explained = await plane.send<{ code?: string }>('POST', `/v1/workspaces/default/servers/${name}/explain`, { body: { request: { headers: [] } } });
    expect([explained.status, explained.body.code]).toEqual([200, undefined]);
  }
});

test('a workspace that needs its first key meanwhile is told so, and nothing is stored', async () => {
  await plane.send('POST', '/v1/workspaces', { body: { name: 'new' } });
  expect((await create('new', 'third')).body).toMatchObject({ status: 503, code: 'vault_kms_unavailable' });
  expect((await plane.send('GET', '/v1/workspaces/new/servers/third')).status).toBe(404);
});

test('a rotation that is asked for meanwhile is carried out when it is back, with the token that the file has by then', async () => {
  expect((await plane.send('POST', '/v1/vault/keys/rotate', { body: { workspace: 'default' } })).body).toEqual({ requested: 1 });
  transit.tokens.clear();
  transit.tokens.add('hvs.second-token');
  await writeFile(join(folder, 'token'), 'hvs.second-token');
  await line.set({ mode: 'up' });
  const keys = async () => (await plane.send<{ rotating: boolean; items: { term: number; state: string; values: number; root: string | null }[] }>('GET', '/v1/vault/keys?workspace=default')).body;
  await until(async () => !(await keys()).rotating, 60_000);
  expect((await keys()).items).toMatchObject([{ term: 1, state: 'destroyed', values: 0, root: null }, { term: 2, state: 'active', values: 2, root: environment['GATEHOUSE_VAULT_KMS'] }]);
  expect(await opensElsewhere('first')).toBeUndefined();
  expect((await create('new', 'third')).status).toBe(201);
}, 90_000);

test('the key itself never reaches the database, and the context of each is its own', async () => {
  const rows = await runSql<{ wrapped: Buffer }>(environment['GATEHOUSE_DATABASE_URL'] ?? '', `select wrapped from data_keys where state <> 'destroyed'`);
  for (const { wrapped } of rows) expect(wrapped.subarray(1).toString()).toMatch(/^vault:v1:/);
  expect(new Set(transit.contexts.map((context) => (JSON.parse(context) as unknown[])[1])).size).toBeGreaterThanOrEqual(4);
});

test.each<[string, Record<string, string>, object]>([
  ['a wrong token', { GATEHOUSE_VAULT_KMS_TOKEN: 'hvs.wrong' }, { code: 'vault_kms_refused' }],
  ['another key', { GATEHOUSE_VAULT_KMS: 'transit:REPLACED/v1/transit/keys/other' }, { code: 'vault_key_wrong', detail: expect.stringContaining('GATEHOUSE_VAULT_KMS') as string }],
  ['no reference', { GATEHOUSE_VAULT_KMS: 'vault.example' }, { code: 'invalid_setting', message: expect.stringContaining('GATEHOUSE_VAULT_KMS') as string }],
])('a start with %s ends, and says why', async (_name, settings, error) => {
  const overrides = Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, value.replace('REPLACED', `http://127.0.0.1:${line.port}`)]));
  await expect(startControlPlane({ environment: { ...environment, ...overrides }, channel: createMemoryChannel(), logger })).rejects.toMatchObject(error);
});

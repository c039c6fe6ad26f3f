import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { Secret } from '@gatehouse/sealing';
import { createLogger } from '@gatehouse/service-runtime';
import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listenOnLoopback } from '../../../../test/support/listen.ts';
import { startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { migrate } from '../database/migrate.ts';
import { openDataSource } from '../database/open-data-source.ts';
import { testEnvironment, until } from '../spec-support/start-test-control-plane.ts';
import { startControlPlane } from '../start-control-plane.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.close());

const migrations = (openDataSource({ url: new Secret('postgres://nowhere'), poolSize: 1 }).options.migrations as (new () => { name: string })[]).map((Migration) => new Migration().name);
const logger = createLogger({ level: 'fatal', role: 'control-plane' });

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  server.close();
  return port;
}

async function readiness(port: number): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
  return response && { status: response.status, body: await response.json() };
}

test('a database that is away at the start, and then has an older schema, is waited for', async () => {
  const databaseUrl = await postgres.createDatabase();
  const url = new URL(databaseUrl);
  const line = await startTcpProxy({ targetPort: Number(url.port) });
  await line.set({ mode: 'down' });
  url.port = String(line.port);
  const port = await freePort();
  const environment = { ...testEnvironment(url.href), GATEHOUSE_CONTROL_PLANE_INTERNAL_PORT: String(port) };
  const starting = startControlPlane({ environment, channel: createMemoryChannel(), logger });

  await until(async () => JSON.stringify(await readiness(port))?.includes('"reason":"database"') ?? false);
  expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
  await line.set({ mode: 'up' });
  await until(async () => JSON.stringify(await readiness(port))?.includes('"reason":"migrations"') ?? false);
  expect(await readiness(port)).toMatchObject({ status: 503, body: { status: 'unready' } });

  expect(await migrate({ environment })).toEqual(migrations);
  const plane = await starting;
  expect(await readiness(port)).toEqual({ status: 200, body: { status: 'ready' } });
  expect(await migrate({ environment })).toEqual([]);
  await plane.close();
  await line.close();
}, 60_000);

test('two that migrate at once do it once', async () => {
  const environment = { GATEHOUSE_DATABASE_URL: await postgres.createDatabase() };
  const applied = await Promise.all([migrate({ environment }), migrate({ environment }), migrate({ environment })]);
  expect(applied.flat()).toEqual(migrations);
});

test('a wrong password is not waited for', async () => {
  const url = new URL(await postgres.createDatabase());
  url.password = 'wrong';
  await expect(startControlPlane({ environment: testEnvironment(url.href), channel: createMemoryChannel(), logger })).rejects.toMatchObject({ code: '28P01' });
});

test.each([
  ['GATEHOUSE_ADMIN_TOKEN', 'short'],
  ['GATEHOUSE_ADMIN_TOKEN', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
  ['GATEHOUSE_SNAPSHOT_KEY', `${randomBytes(32).toString('base64')},nonsense`],
  ['GATEHOUSE_DATABASE_URL', undefined],
  ['GATEHOUSE_DATABASE_URL', 'mysql://user:pass@host/db'],
  ['GATEHOUSE_REDIS_URL', 'http://host:6379'],
  ['GATEHOUSE_CONTROL_PLANE_URL', 'ftp://example.com'],
  ['GATEHOUSE_OPEN_SERVERS', 'perhaps'],
  ['GATEHOUSE_HEADER_PASSTHROUGH', 'perhaps'],
  ['GATEHOUSE_PASSTHROUGH_HEADERS', 'X-Tenant, not a name'],
  ['GATEHOUSE_PASSTHROUGH_HEADERS', 'X-Tenant,Set_Cookie'],
  ['GATEHOUSE_PASSTHROUGH_HEADERS', Array.from({ length: 201 }, (_, index) => `X-${index}`).join(',')],
  ['GATEHOUSE_PASSTHROUGH_HEADERS_SOURCE', 'both'],
  ['GATEHOUSE_CONTROL_PLANE_PORT', '65536'],
])('a bad %s names itself and is not quoted', async (name, value) => {
  const environment = { ...testEnvironment('postgres://nowhere'), [name]: value };
  const error: unknown = await startControlPlane({ environment, channel: createMemoryChannel(), logger }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'invalid_setting', message: expect.stringMatching(`^${name} `) as string });
  if (value) expect((error as Error).message).not.toContain(value);
});

test('without a channel and without Redis it says which setting is missing', async () => {
  const environment = testEnvironment(await postgres.createDatabase());
  await expect(startControlPlane({ environment, logger })).rejects.toMatchObject({ code: 'invalid_setting', message: 'GATEHOUSE_REDIS_URL is required' });
});

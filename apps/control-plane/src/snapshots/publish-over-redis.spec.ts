import { createLogger } from '@gatehouse/service-runtime';
import { connectRedisChannel, type SnapshotChannel } from '@gatehouse/snapshot-channel';
import { Secret } from '@gatehouse/sealing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { type RunningRedis, startRedis } from '../../../../test/support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { sampleServer } from '../spec-support/sample-server.ts';
import { send, testEnvironment, until } from '../spec-support/start-test-control-plane.ts';
import { type ControlPlane, startControlPlane } from '../start-control-plane.ts';

let postgres: TestPostgres;
let redis: RunningRedis;
let line: TcpProxy;
let plane: ControlPlane;
let observer: SnapshotChannel;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startTestPostgres(), startRedis()]);
  line = await startTcpProxy({ targetPort: Number(new URL(redis.url).port) });
  const environment = { ...testEnvironment(await postgres.createDatabase()), GATEHOUSE_REDIS_URL: `redis://127.0.0.1:${line.port}`, GATEHOUSE_SNAPSHOT_POLL_SECONDS: '1' };
  plane = await startControlPlane({ environment, migrate: true, logger: createLogger({ level: 'fatal', role: 'control-plane' }) });
  observer = connectRedisChannel({ url: new Secret(redis.url) });
});
afterAll(async () => {
  await plane?.close();
  await observer?.close();
  await line?.close();
  await Promise.all([postgres?.close(), redis?.stop()]);
});

const create = (name: string) => send<{ id: string; revision: number }>(plane.url, 'POST', '/v1/workspaces/default/servers', { body: sampleServer(name) });
const arrived = (revision: number) => until(async () => (await observer.readState())?.revision === revision, 20_000);

test('an edit arrives in Redis, where nothing is in the clear', async () => {
  const { body } = await create('orders');
  await arrived(body.revision);
  const [document] = await observer.readDocuments([body.id]);
  expect(document?.sealed.includes('token-of-orders')).toBe(false);
});

test('while Redis is away edits are taken, the control plane is degraded, and they arrive when it is back', async () => {
  await line.set({ mode: 'down' });
  line.dropConnections();
  const { status, body } = await create('meanwhile');
  expect(status).toBe(201);
  await until(async () => ((await (await fetch(`${plane.internalUrl}/readyz`)).json()) as { degraded?: string[] }).degraded?.includes('channel') ?? false);
  await line.set({ mode: 'up' });
  await arrived(body.revision);
});

test('a Redis that comes back empty is filled again', async () => {
  const before = await observer.readIndex();
  await redis.kill9();
  redis = await startRedis({ port: redis.port });
  await until(async () => (await observer.readIndex().catch(() => undefined))?.index.size === before?.index.size, 20_000);
});

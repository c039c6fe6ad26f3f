import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { sampleServer } from '../spec-support/sample-server.ts';
import { startTestControlPlane, type TestControlPlane, testEnvironment, until } from '../spec-support/start-test-control-plane.ts';

let postgres: TestPostgres;
let line: TcpProxy;
let plane: TestControlPlane;

const servers = '/v1/workspaces/default/servers';
const internal = async (path: string) => {
  const response = await fetch(new URL(path, plane.internalUrl));
  const text = await response.text();
  return { status: response.status, text, body: (text.startsWith('{') ? JSON.parse(text) : {}) as { status?: string; degraded?: string[] } };
};

beforeAll(async () => {
  postgres = await startTestPostgres();
  const url = new URL(await postgres.createDatabase());
  line = await startTcpProxy({ targetPort: Number(url.port) });
  url.port = String(line.port);
  plane = await startTestControlPlane({ environment: { ...testEnvironment(url.href), GATEHOUSE_DATABASE_POOL_SIZE: '3' } });
});
afterAll(async () => {
  await line?.set({ mode: 'up' });
  await plane?.close();
  await line?.close();
  await postgres?.close();
});

test('a control plane with its database is ready', async () => {
  expect(await internal('/livez')).toMatchObject({ status: 200 });
  expect(await internal('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
  expect((await internal('/nowhere')).status).toBe(404);
});

test('requests are counted by route template, publications by outcome', async () => {
  await plane.send('GET', `${servers}/some-name?secret=marked-query`);
  await until(async () => (await internal('/metrics')).text.includes('snapshot_publications_total{'));
  const { text } = await internal('/metrics');
  expect(text).toContain('route="/v1/workspaces/:workspace/servers/:server"');
  expect(text).toContain('gatehouse_control_plane_snapshot_publications_total{outcome="replaced"} 1');
  expect(text).not.toMatch(/some-name|marked-query/);
});

test.each(['down', 'reset'] as const)('a database that is %s: 503 that says so, degraded and yet ready, and back by itself', async (mode) => {
  await line.set({ mode });
  line.dropConnections();
  for (const [method, path] of [['GET', servers], ['POST', servers]] as const) {
    const reply = await plane.send(method, path, method === 'POST' ? { body: sampleServer(`while-${mode}`) } : {});
    expect([reply.status, reply.body]).toMatchObject([503, { code: 'database_unavailable' }]);
    expect(reply.headers.get('content-type')).toBe('application/problem+json');
  }
  expect(await internal('/readyz')).toMatchObject({ status: 200, body: { status: 'ready', degraded: ['database'] } });
  await line.set({ mode: 'up' });
  await until(async () => (await plane.send('GET', servers)).status === 200);
  expect((await plane.send('POST', servers, { body: sampleServer(`after-${mode}`) })).status).toBe(201);
  expect((await internal('/readyz')).body).toEqual({ status: 'ready' });
});

test('a database that accepts and then says nothing costs seconds, and its connections are not used again', async () => {
  await plane.send('GET', servers);
  await line.set({ mode: 'timeout' });
  const reply = await plane.send('GET', servers);
  expect(reply.body).toMatchObject({ status: 503, code: 'database_unavailable' });
  await line.set({ mode: 'up' });
  line.dropConnections();
  await delay(50);
  await until(async () => (await plane.send('GET', servers)).status === 200, 20_000);
}, 60_000);

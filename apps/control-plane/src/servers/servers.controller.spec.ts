import { openDocument, type ReadableServer, snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { startTestControlPlane, type TestControlPlane, testEnvironment, until } from '../testing/start-test-control-plane.ts';

let postgres: TestPostgres;
let plane: TestControlPlane;

beforeAll(async () => {
  postgres = await startTestPostgres();
  plane = await startTestControlPlane({ environment: testEnvironment(await postgres.createDatabase()) });
});
afterAll(async () => {
  await plane?.close();
  await postgres?.close();
});

const document = (name: string) => ({
  name,
  type: 'mcp',
  upstream: { url: 'https://orders.example/mcp' },
  agentAuth: { type: 'api-key' },
  appAuth: { type: 'bearer', token: 'top-secret-token' },
});

test('a server that is registered is stored without its secret in the clear and published to the data planes', async () => {
  const created = await plane.send<ReadableServer>('POST', '/v1/workspaces/default/servers', { body: document('orders') });
  expect(created.status, created.text).toBe(201);
  expect(created.headers.get('etag')).toBe(`"${created.body.revision}"`);
  expect(created.headers.get('location')).toBe(`/v1/workspaces/default/servers/${created.body.id}`);
  expect(created.body).toMatchObject({
    kind: 'Server', workspace: 'default', name: 'orders', enabled: true, url: 'https://gateway.example/mcp/default/orders',
    appAuth: { type: 'bearer', token: { set: true } }, warnings: [],
  });
  expect(created.text).not.toContain('top-secret-token');

  await until(async () => ((await plane.channel.readIndex())?.index.size ?? 0) === 1);
  const [sealed] = await plane.channel.readDocuments([created.body.id]);
  const keys = snapshotKeysOf([parseKey(plane.environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]);
  expect(sealed && openDocument(keys, sealed)).toEqual({
    kind: 'server', id: created.body.id, workspace: 'default', server: { ...document('orders'), enabled: true },
  });
});

test('a request without the token is refused, and so is one with another token', async () => {
  for (const authorization of [undefined, 'Bearer nonsense', 'Basic abc']) {
    const reply = await plane.send('GET', '/v1/workspaces/default/servers', { authorization });
    expect(reply.status).toBe(401);
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(reply.headers.get('content-type')).toBe('application/problem+json');
    expect(reply.body).toMatchObject({ code: 'unauthenticated', status: 401 });
  }
});

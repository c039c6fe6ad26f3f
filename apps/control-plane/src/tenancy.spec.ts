import type { ReadableServer } from '@gatehouse/gateway-config';
import { beforeAll, expect, test } from 'vitest';
import { sampleServer } from './spec-support/sample-server.ts';
import { useControlPlane } from './spec-support/use-control-plane.ts';

const fixture = useControlPlane();
let server: ReadableServer;
let account: { id: string };

beforeAll(async () => {
  await fixture.plane.send('POST', '/v1/workspaces', { body: { name: 'other' } });
  server = (await fixture.plane.send<ReadableServer>('POST', '/v1/workspaces/default/servers', { body: sampleServer('orders') })).body;
  account = (await fixture.plane.send<{ id: string }>('POST', '/v1/workspaces/default/service-accounts', { body: { name: 'nightly' } })).body;
});

test('every route with another workspace’s ids is 404, and changes nothing', async () => {
  const routes: [string, string, unknown?][] = [
    ['GET', `servers/${server.id}`], ['GET', 'servers/orders'], ['PUT', `servers/${server.id}`, sampleServer('orders')],
    ['PATCH', `servers/${server.id}`, { title: 'mine' }], ['DELETE', `servers/${server.id}`],
    ['POST', `servers/${server.id}/test`], ['POST', `servers/${server.id}/discover`],
    ['GET', `service-accounts/${account.id}`], ['PUT', `service-accounts/${account.id}`, { name: 'nightly' }],
    ['DELETE', `service-accounts/${account.id}`], ['POST', `service-accounts/${account.id}/rotate-key`],
  ];
  for (const [method, path, body] of routes) {
    const reply = await fixture.plane.send(method, `/v1/workspaces/other/${path}`, { body, headers: { 'If-Match': '*' } });
    expect([method, path, reply.status]).toEqual([method, path, 404]);
  }
  expect((await fixture.plane.send('GET', `/v1/workspaces/default/servers/${server.id}`)).body).toEqual(server);
});

test('a workspace that does not exist is 404 on every route', async () => {
  for (const path of ['', '/servers', '/servers/orders', '/service-accounts', '/service-accounts/nightly']) {
    for (const workspace of ['nowhere', server.id, 'NO%20slug', '%00']) {
      const reply = await fixture.plane.send('GET', `/v1/workspaces/${workspace}${path}`);
      expect([workspace, path, reply.status]).toEqual([workspace, path, 404]);
    }
  }
});

test('one name may be used in each workspace, and lists show one’s own', async () => {
  const created = await fixture.plane.send<ReadableServer>('POST', '/v1/workspaces/other/servers', { body: sampleServer('orders') });
  expect(created.status).toBe(201);
  const { body } = await fixture.plane.send<{ items: ReadableServer[] }>('GET', '/v1/workspaces/other/servers');
  expect(body.items.map(({ id }) => id)).toEqual([created.body.id]);
});

test('a document that names another workspace than its URL is refused', async () => {
  const reply = await fixture.plane.send('POST', '/v1/workspaces/other/servers', { body: sampleServer('moved', { workspace: 'default' }) });
  expect(reply.body).toMatchObject({ status: 422, errors: [{ pointer: '/workspace' }] });
});

import type { ReadableServer } from '@gatehouse/gateway-config';
import { expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();

interface Page {
  readonly items: { readonly name: string }[];
  readonly nextCursor?: string;
}

test('the first start makes the workspace default', async () => {
  const { body } = await fixture.plane.send<Page>('GET', '/v1/workspaces');
  expect(body.items).toMatchObject([{ kind: 'Workspace', name: 'default' }]);
});

test('a workspace is deleted only when it is empty, and then its keys go with it', async () => {
  const { plane } = fixture;
  const created = await plane.send<{ id: string }>('POST', '/v1/workspaces', { body: { name: 'short-lived' } });
  expect([created.status, created.headers.get('location')]).toEqual([201, `/v1/workspaces/${created.body.id}`]);
  await plane.send('POST', '/v1/workspaces/short-lived/servers', { body: sampleServer('orders') });
  expect((await plane.send('DELETE', '/v1/workspaces/short-lived')).body).toMatchObject({ status: 409, errors: [{ code: 'workspace_not_empty' }] });
  await plane.send('DELETE', '/v1/workspaces/short-lived/servers/orders', { headers: { 'If-Match': '*' } });
  expect((await plane.send('DELETE', '/v1/workspaces/short-lived')).status).toBe(204);
  expect(await fixture.query('select from data_keys where workspace_id = $1', [created.body.id])).toEqual([]);
});

test('a list is read page by page, in order, while it changes', async () => {
  const { plane } = fixture;
  const servers = '/v1/workspaces/default/servers';
  for (const name of ['a', 'b', 'b-1', 'b0', 'c', 'd', 'e']) await plane.send('POST', servers, { body: sampleServer(name) });
  const names: string[] = [];
  let cursor = '';
  for (;;) {
    const { body } = await plane.send<Page>('GET', `${servers}?limit=2${cursor}`);
    names.push(...body.items.map(({ name }) => name));
    if (names.length === 2) {
      await plane.send<ReadableServer>('DELETE', `${servers}/b`, { headers: { 'If-Match': '*' } });
      await plane.send('POST', servers, { body: sampleServer('a-late') });
    }
    if (body.nextCursor === undefined) break;
    cursor = `&cursor=${body.nextCursor}`;
  }
  expect(names).toEqual(['a', 'b', 'b-1', 'b0', 'c', 'd', 'e']);
});

test.each([
  ['limit=0', '/limit'], ['limit=201', '/limit'], ['limit=x', '/limit'], ['limit=1&limit=2', '/limit'], ['cursor=nonsense', '/cursor'], ['cursor=', '/cursor'],
  ['cursor=MQAA', '/cursor'],
])('?%s is refused', async (query, pointer) => {
  expect((await fixture.plane.send('GET', `/v1/workspaces?${query}`)).body).toMatchObject({ status: 400, errors: [{ pointer }] });
});

import { openDocument, type ReadableServer, snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { describe, expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { until } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();
const servers = '/v1/workspaces/default/servers';

test('a server that is registered is stored without its secret in the clear and published to the data planes', async () => {
  const { plane } = fixture;
  const created = await plane.send<ReadableServer>('POST', servers, { body: sampleServer('orders') });
  expect(created.status, created.text).toBe(201);
  expect(created.headers.get('etag')).toMatch(/^"[\w-]+"$/);
  expect(created.headers.get('location')).toBe(`${servers}/${created.body.id}`);
  expect(created.body).toMatchObject({
    kind: 'Server', workspace: 'default', name: 'orders', enabled: true, url: 'https://gateway.example/mcp/default/orders',
    appAuth: { type: 'bearer', token: { set: true } }, warnings: [],
  });
  expect(created.text).not.toContain('token-of-orders');
  const stored = await fixture.query('select document::text, (select string_agg(encode(sealed, \'escape\'), \'\') from secrets) as sealed from servers');
  expect(JSON.stringify(stored)).not.toContain('token-of-orders');

  await until(async () => (await plane.channel.readIndex())?.index.has(created.body.id) ?? false);
  const [sealed] = await plane.channel.readDocuments([created.body.id]);
  const keys = snapshotKeysOf([parseKey(plane.environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]);
  expect(sealed && openDocument(keys, sealed)).toEqual({
    kind: 'server', id: created.body.id, workspace: 'default', server: { ...sampleServer('orders'), enabled: true },
  });
});

test('it is found by name and by id, in a workspace by name and by id', async () => {
  const { plane } = fixture;
  const byName = await plane.send<ReadableServer>('GET', `${servers}/orders`);
  const workspace = await plane.send<{ id: string }>('GET', '/v1/workspaces/default');
  const byId = await plane.send<ReadableServer>('GET', `/v1/workspaces/${workspace.body.id}/servers/${byName.body.id}`);
  expect(byId.body).toEqual(byName.body);
  expect(byId.headers.get('cache-control')).toBe('no-store');
});

test('what was read can be written back as it is, and changes nothing', async () => {
  const { plane } = fixture;
  const read = await plane.send<ReadableServer>('GET', `${servers}/orders`);
  const etag = read.headers.get('etag') ?? '';
  const written = await plane.send<ReadableServer>('PUT', `${servers}/orders`, { body: read.body, headers: { 'If-Match': etag } });
  expect(written.status, written.text).toBe(200);
  expect(written.body).toEqual(read.body);
  expect(written.headers.get('etag')).toBe(etag);
});

test('a request without the token is refused, and so is one with another token', async () => {
  for (const authorization of [undefined, 'Bearer nonsense', 'Basic abc']) {
    const reply = await fixture.plane.send('GET', servers, { authorization });
    expect(reply.status).toBe(401);
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(reply.headers.get('content-type')).toBe('application/problem+json');
    expect(reply.body).toMatchObject({ code: 'unauthenticated', status: 401 });
  }
});

test('a name is used once in a workspace', async () => {
  const reply = await fixture.plane.send('POST', servers, { body: sampleServer('orders') });
  expect(reply.status).toBe(409);
  expect(reply.body).toMatchObject({ code: 'name_taken', errors: [{ pointer: '/name' }] });
});

test('a renamed server keeps its id and its secrets', async () => {
  const { plane } = fixture;
  await plane.send('POST', servers, { body: sampleServer('before') });
  const renamed = await plane.send<ReadableServer>('PATCH', `${servers}/before`, { body: { name: 'after' }, headers: { 'If-Match': '*' } });
  expect(renamed.body).toMatchObject({ name: 'after', url: 'https://gateway.example/mcp/default/after', appAuth: { token: { set: true } } });
  expect((await plane.send('GET', `${servers}/before`)).status).toBe(404);
});

describe('preconditions', () => {
  const change = (headers: Record<string, string>, method = 'PATCH') => {
    const body = method === 'PUT' ? sampleServer('guarded') : { title: `at ${Math.random()}` };
    return fixture.plane.send<ReadableServer>(method, `${servers}/guarded`, { headers, ...(method !== 'DELETE' && { body }) });
  };

  test('a change without If-Match is 428, with another ETag 412, and changes nothing', async () => {
    const { headers } = await fixture.plane.send('POST', servers, { body: sampleServer('guarded') });
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      expect((await change({}, method)).status, method).toBe(428);
      expect((await change({ 'If-Match': '"0"' }, method)).status, method).toBe(412);
    }
    const { headers: after } = await fixture.plane.send('GET', `${servers}/guarded`);
    expect(after.get('etag')).toBe(headers.get('etag'));
  });

  test('of two changes at once with the same ETag one wins', async () => {
    const etag = (await fixture.plane.send('GET', `${servers}/guarded`)).headers.get('etag') ?? '';
    const replies = await Promise.all(Array.from({ length: 6 }, () => change({ 'If-Match': etag })));
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412, 412, 412]);
  });

  test('a deleted server is gone from registry, vault and data planes', async () => {
    const { plane } = fixture;
    const { body } = await plane.send<ReadableServer>('GET', `${servers}/guarded`);
    expect((await change({ 'If-Match': '*' }, 'DELETE')).status).toBe(204);
    expect((await plane.send('GET', `${servers}/guarded`)).body).toMatchObject({ code: 'server_not_found' });
    expect(await fixture.query('select from secrets where owner_id = $1', [body.id])).toEqual([]);
    await until(async () => !(await plane.channel.readIndex())?.index.has(body.id));
  });
});

describe('warnings', () => {
  test('a server that lets anyone use its credential is marked wherever it is read', async () => {
    const body = sampleServer('open', { agentAuth: { type: 'passthrough' } });
    const created = await fixture.plane.send<ReadableServer>('POST', servers, { body });
    expect(created.body.warnings).toMatchObject([{ code: 'open_server', pointer: '/agentAuth' }]);
    const { body: list } = await fixture.plane.send<{ items: ReadableServer[] }>('GET', servers);
    expect(list.items.filter(({ warnings }) => warnings.length > 0).map(({ name }) => name)).toEqual(['open']);
  });

  test('a new origin that inherits stored secrets is pointed out once', async () => {
    const body = { upstream: { url: 'https://elsewhere.example/mcp' } };
    const moved = await fixture.plane.send<ReadableServer>('PATCH', `${servers}/orders`, { body, headers: { 'If-Match': '*' } });
    expect(moved.body.warnings).toMatchObject([{ code: 'secret_follows_new_origin', pointer: '/upstream/url' }]);
    expect((await fixture.plane.send<ReadableServer>('GET', `${servers}/orders`)).body.warnings).toEqual([]);
  });
});

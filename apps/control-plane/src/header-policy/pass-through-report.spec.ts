import type { ReadableServer } from '@gatehouse/gateway-config';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Page } from '../http/page.ts';
import { sampleServer } from '../spec-support/sample-server.ts';
import { startTestControlPlane } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';
import type { PassThroughUse } from './pass-through-use.ts';

const fixture = useControlPlane();
const report = async (query = '', plane = fixture.plane) => (await plane.send<Page<PassThroughUse>>('GET', `/v1/header-policy/servers${query}`)).body;
const create = (workspace: string, name: string, overrides: Record<string, unknown> = {}) =>
  fixture.plane.send<ReadableServer>('POST', `/v1/workspaces/${workspace}/servers`, { body: sampleServer(name, overrides) });
const putPolicy = (document: unknown) => fixture.plane.send('PUT', '/v1/header-policy', { body: document, headers: { 'If-Match': '*' } });

const passthrough = { type: 'passthrough' };
const none = { type: 'none' };
const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', alg: 'EdDSA', use: 'sig' }] };
const nothing = { mode: 'none', from: 'built-in', headers: [] };

beforeAll(async () => {
  await fixture.plane.send('POST', '/v1/workspaces', { body: { name: 'sales' } });
  await create('default', 'a-both', { agentAuth: passthrough, appAuth: passthrough });
  await create('default', 'b-checked', { agentAuth: { ...passthrough, jwt: { jwks }, restrictedHeaders: ['x-internal-*'] }, appAuth: passthrough, headerPolicy: { mode: 'list', list: ['X-Tenant'] } });
  await create('default', 'c-open', { agentAuth: passthrough });
  await create('default', 'd-basic', { appAuth: { type: 'basic', username: 'me', password: 'secret' } });
  await create('default', 'e-key', { appAuth: { type: 'api-key', in: 'header', name: 'X-Key', value: 'k' }, headerPolicy: { mode: 'mappings', mappings: [{ source: 'X-Tenant', target: 'X-Org' }, { source: 'X-Any', target: 'x_key' }, { source: 'Authorization', target: 'X-Token' }] } });
  await create('sales', 'a-public', { appAuth: none, headerPolicy: { mode: 'none' }, enabled: false });
  await create('sales', 'b-ordinary');
});

describe('P7 the types side by side', () => {
  test('every server of every workspace that passes anything on, or lets everyone in, and how', async () => {
    const { items, nextCursor } = await report();
    const shown = items.map(({ id: _id, ...use }) => use);
    const ordinary = { enabled: true, validatesJwt: false, open: false, forwards: nothing, authorization: 'never', upstreamAuthorization: 'never', restricted: [] };
    expect(shown).toEqual([
      { ...ordinary, workspace: 'default', name: 'a-both', agentAuth: 'passthrough', appAuth: 'passthrough', forwards: { mode: 'all', from: 'server', headers: [] }, authorization: 'forwarded', upstreamAuthorization: 'accepted' },
      {
        ...ordinary, workspace: 'default', name: 'b-checked', agentAuth: 'passthrough', validatesJwt: true, appAuth: 'passthrough',
        forwards: { mode: 'rows', from: 'server', headers: [{ source: 'X-Tenant', target: 'X-Tenant', from: 'server' }] }, upstreamAuthorization: 'accepted', restricted: [{ pattern: 'x-internal-*', from: 'server' }],
      },
      { ...ordinary, workspace: 'default', name: 'c-open', agentAuth: 'passthrough', open: true, appAuth: 'bearer' },
      // Of its rows only the one that can leave.
      { ...ordinary, workspace: 'default', name: 'e-key', agentAuth: 'api-key', appAuth: 'api-key', forwards: { mode: 'rows', from: 'server', headers: [{ source: 'X-Tenant', target: 'X-Org', from: 'server' }] } },
      { ...ordinary, workspace: 'sales', name: 'a-public', enabled: false, agentAuth: 'api-key', appAuth: 'none', forwards: { ...nothing, from: 'server' }, upstreamAuthorization: 'accepted' },
    ]);
    expect(nextCursor).toBeUndefined();
    const { body } = await fixture.plane.send<ReadableServer>('GET', '/v1/workspaces/default/servers/a-both');
    expect(items[0]?.id).toBe(body.id);
  });

  test('page by page', async () => {
    const names: string[] = [];
    let pages = 0;
    for (let query = '?limit=2'; query !== ''; pages += 1) {
      const { items, nextCursor } = await report(query);
      names.push(...items.map(({ name }) => name));
      query = nextCursor === undefined ? '' : `?limit=2&cursor=${nextCursor}`;
    }
    expect([names, pages]).toEqual([['a-both', 'b-checked', 'c-open', 'e-key', 'a-public'], 3]);
    expect((await fixture.plane.send('GET', '/v1/header-policy/servers?cursor=MWE')).status).toBe(400);
  });

  test('the global policy counts for the servers that leave it to it', async () => {
    await putPolicy({ mode: 'list', list: ['X-Global'], restricted: ['x-secret-*'] });
    const { items } = await report();
    const global = { mode: 'rows', from: 'global', headers: [{ source: 'X-Global', target: 'X-Global', from: 'global' }] };
    const byGlobal = items.filter(({ forwards }) => forwards.from === 'global');
    expect(byGlobal.map(({ name, forwards }) => [name, forwards])).toEqual([['c-open', global], ['d-basic', global], ['b-ordinary', global]]);
    expect(items.every(({ restricted }) => restricted.some(({ pattern, from }) => pattern === 'x-secret-*' && from === 'global'))).toBe(true);
  });

  test('with the switch off nothing is forwarded, and the pass-through types are listed all the same', async () => {
    const plane = await startTestControlPlane({ environment: { ...fixture.plane.environment, GATEHOUSE_HEADER_PASSTHROUGH: 'false' } });
    const { items } = await report('', plane);
    await plane.close();
    const off = { mode: 'none', from: 'environment', headers: [] };
    expect(items.map(({ name, forwards, authorization, upstreamAuthorization }) => [name, forwards, authorization, upstreamAuthorization])).toEqual(
      ['a-both', 'b-checked', 'c-open'].map((name) => [name, off, 'never', 'never']),
    );
  });
});

test('of very many servers only so many are looked at for one page', async () => {
  await fixture.query('delete from header_policy');
  // As if they had been registered: servers with a key on both sides.
  await fixture.query(`with ordinary as (select * from servers where name = 'd-basic'), added as (
      insert into servers (id, workspace_id, name, document, revision)
      select gen_random_uuid(), workspace_id, 'many-' || number, document, revision from ordinary, generate_series(10001, 12500) as number returning id, workspace_id)
    insert into secrets (workspace_id, owner_table, owner_id, field, sealed, key_term) select workspace_id, 'servers', id, '/appAuth[basic]/password', '', 1 from added`);
  const first = await report('?limit=5');
  expect([first.items.map(({ name }) => name), first.nextCursor]).toEqual([['a-both', 'b-checked', 'c-open', 'e-key'], expect.any(String)]);
  const second = await report(`?limit=5&cursor=${first.nextCursor}`);
  expect([second.items.map(({ name }) => name), second.nextCursor]).toEqual([['a-public'], undefined]);
  await fixture.query(`delete from secrets using servers where owner_id = servers.id and name like 'many-%'; delete from servers where name like 'many-%'`);
});

describe('P14 the types of authentication change, and the server stays', () => {
  const path = '/v1/workspaces/default/servers/e-key';
  const patch = (body: unknown) => fixture.plane.send<ReadableServer>('PATCH', path, { body, headers: { 'If-Match': '*' } });
  const identity = ({ id, name, url, createdAt, title }: ReadableServer) => ({ id, name, url, createdAt, title });

  test('through every pair of types and back', async () => {
    const { body: before } = await patch({ title: 'Kept' });
    const agentAuths = [passthrough, { ...passthrough, jwt: { jwks } }, { type: 'api-key' }];
    const appAuths = [
      none, passthrough, { type: 'bearer', token: 't' }, { type: 'basic', username: 'u', password: 'p' }, { type: 'custom-headers', headers: [{ name: 'X-A', value: '1' }] },
      { type: 'api-key', in: 'query', name: 'key', value: 'k' }, { type: 'api-key', in: 'header', name: 'X-Key', value: 'k' },
    ];
    for (const agentAuth of agentAuths) {
      for (const appAuth of appAuths) {
        const changed = await patch({ agentAuth, appAuth });
        expect([changed.status, identity(changed.body)], `${agentAuth.type} ${appAuth.type}`).toEqual([200, identity(before)]);
        expect(changed.body).toMatchObject({ agentAuth: { type: agentAuth.type }, appAuth: { type: appAuth.type } });
      }
    }
    const { body: after } = await fixture.plane.send<ReadableServer>('GET', path);
    expect({ ...after, revision: 0, updatedAt: '', appAuth: {} }).toEqual({ ...before, revision: 0, updatedAt: '', appAuth: {} });
  });
});

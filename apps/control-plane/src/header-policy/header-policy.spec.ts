import { headerPolicyId, openDocument, type ReadableHeaderPolicy, snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { describe, expect, test } from 'vitest';
import { type SendOptions, until } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();
const path = '/v1/header-policy';
const send = (method: string, body?: unknown, ifMatch?: string) => {
  const options: SendOptions = { ...(body !== undefined && { body }), headers: ifMatch === undefined ? {} : { 'If-Match': ifMatch } };
  return fixture.plane.send<ReadableHeaderPolicy>(method, path, options);
};
const events = async () => (await fixture.plane.send<{ items: { action: string; fields: string[]; targetId: string; actor: string }[] }>('GET', '/v1/audit-events')).body.items;

/** What data planes get, once they have what was just written. */
async function published(revision: number): Promise<unknown> {
  const { channel, environment } = fixture.plane;
  await until(async () => ((await channel.readState())?.revision ?? -1) >= revision);
  const [document] = await channel.readDocuments([headerPolicyId]);
  return document && (openDocument(snapshotKeysOf([parseKey(environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]), document) as { policy: unknown }).policy;
}

const nothingPasses = {
  enabled: true, enabledFrom: 'environment', mode: 'none', modeFrom: 'built-in', rows: [], restricted: [], overwriteBaseHeaders: false,
  maxValueBytes: 8192, maxValueBytesFrom: 'built-in',
};

describe('as long as no document is stored', () => {
  test('reading shows what holds, with the ETag "0", and data planes have it', async () => {
    const { status, body, headers } = await send('GET');
    expect([status, headers.get('etag')]).toEqual([200, '"0"']);
    expect(body).toEqual({ kind: 'HeaderPolicy', enabled: true, revision: 0, effective: nothingPasses, warnings: [] });
    expect(await published(0)).toEqual(nothingPasses);
  });

  test('deleting it changes nothing', async () => {
    expect((await send('DELETE', undefined, '"0"')).status).toBe(204);
    expect((await send('DELETE', undefined, '*')).status).toBe(204);
    expect(await events()).toEqual([]);
  });

  test('of several that store the first one, one wins', async () => {
    const replies = await Promise.all(Array.from({ length: 6 }, (_, index) => send('PUT', { mode: 'list', list: [`X-${index}`] }, '"0"')));
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412, 412, 412]);
    expect((await events()).map(({ action }) => action)).toEqual(['header-policy.created']);
    expect((await send('DELETE', undefined, '*')).status).toBe(204);
    expect((await send('GET')).headers.get('etag')).toBe('"0"');
  });
});

describe('the document', () => {
  const policy = { mode: 'mappings', mappings: [{ source: 'X-Tenant', target: 'X-Tenant-Id' }, { source: 'X-Plain' }], restricted: ['x-internal-*'], overwriteBaseHeaders: true, maxValueBytes: 100 };
  const effective = {
    ...nothingPasses, mode: 'rows', modeFrom: 'global', restricted: ['x-internal-*'], overwriteBaseHeaders: true, maxValueBytes: 100, maxValueBytesFrom: 'global',
    rows: [
      { source: 'X-Tenant', target: 'X-Tenant-Id', rule: 'mapping X-Tenant → X-Tenant-Id', from: 'global' },
      { source: 'X-Plain', target: 'X-Plain', rule: 'mapping X-Plain → X-Plain', from: 'global' },
    ],
  };

  test('is stored, shows what is in effect, and goes to the data planes', async () => {
    const { status, body, headers } = await send('PUT', { kind: 'HeaderPolicy', ...policy }, '"0"');
    expect([status, body]).toMatchObject([200, { kind: 'HeaderPolicy', ...policy, enabled: true, effective, warnings: [] }]);
    expect(headers.get('etag')).toMatch(/^"\d+-\w+"$/);
    expect(await published(body.revision)).toEqual(effective);
  });

  test('as it was read it can be written back, and nothing changes', async () => {
    const read = await send('GET');
    const written = await send('PUT', read.body, read.headers.get('etag') ?? '');
    expect([written.status, written.body, written.headers.get('etag')]).toEqual([200, read.body, read.headers.get('etag')]);
  });

  test('a change without If-Match is 428, with another ETag 412, and changes nothing', async () => {
    const before = (await send('GET')).body;
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const body = method === 'DELETE' ? undefined : { mode: 'all' };
      expect((await send(method, body)).status, method).toBe(428);
      expect((await send(method, body, '"0"')).status, method).toBe(412);
    }
    expect((await send('GET')).body).toEqual(before);
  });

  test('parts of it are changed by a merge patch', async () => {
    const { status, body } = await send('PATCH', { enabled: false, maxValueBytes: null, source: 'merge' }, '*');
    expect(status).toBe(200);
    expect(body).toMatchObject({ enabled: false, source: 'merge', mappings: policy.mappings, effective: { enabled: false, enabledFrom: 'global', maxValueBytes: 8192 } });
    expect(body).not.toHaveProperty('maxValueBytes');
  });

  test('every change leaves an event of the policy that names its fields; what changes nothing leaves none', async () => {
    expect((await events())[0]).toMatchObject({ action: 'header-policy.changed', actor: 'admin-token', targetId: headerPolicyId, fields: ['/enabled', '/maxValueBytes', '/source'] });
    const count = (await events()).length;
    await send('PATCH', { enabled: false }, '*');
    await send('PATCH', { mode: 'nonsense' }, '*');
    expect(await events()).toHaveLength(count);
    expect((await fixture.plane.send('GET', '/v1/audit-events/verification')).body).toMatchObject({ intact: true });
  });

  test('deleted, it is as if it had never been', async () => {
    expect((await send('DELETE', undefined, '*')).status).toBe(204);
    expect((await send('GET')).body).toEqual({ kind: 'HeaderPolicy', enabled: true, revision: 0, effective: nothingPasses, warnings: [] });
    const [deleted] = await events();
    expect(deleted).toMatchObject({ action: 'header-policy.deleted', fields: [] });
    const { revision } = (await fixture.query<{ revision: string }>('select revision from revision_counter'))[0] ?? { revision: '0' };
    expect(await published(Number(revision))).toEqual(nothingPasses);
  });

  test('Authorization in it is pointed out: it has no effect', async () => {
    const listed = await send('PUT', { mode: 'list', list: ['X-Tenant', 'authorization'] }, '*');
    expect(listed.body.warnings).toMatchObject([{ code: 'authorization_in_list', pointer: '/list/1' }]);
    const mapped = await send('PUT', { mode: 'mappings', mappings: [{ source: 'Authorization', target: 'X-Token' }] }, '*');
    expect(mapped.body.warnings).toMatchObject([{ code: 'authorization_in_list', pointer: '/mappings/0/source' }]);
    await send('DELETE', undefined, '*');
  });
});

/** Global and of a server: the rules are the same. */
describe('what is wrong is said with its place, each in its own words', () => {
  const mapping = (source: string, target: string) => ({ mode: 'mappings', mappings: [{ source, target }] });
  const cases: [string, Record<string, unknown>, string, string][] = [
    ['an invalid name', { mode: 'list', list: ['X-Ok', 'X Tenant'] }, '/list/1', 'is not a header name'],
    ['an empty name', { mode: 'list', list: [''] }, '/list/0', 'is not a header name'],
    ['an invalid source', mapping('X:Tenant', 'X-Tenant'), '/mappings/0/source', 'is not a header name'],
    ['an invalid target', mapping('X-Tenant', 'X-Tenant\r\nHost: x'), '/mappings/0/target', 'is not a header name'],
    ['an invalid glob', { mode: 'all', restricted: ['x-internal-*', '^x-(a|b)$'] }, '/restricted/1', 'is not a pattern for header names'],
    ['a blocked source', mapping('Cookie', 'X-Session'), '/mappings/0/source', 'never passes: cookies'],
    ['a blocked target', mapping('X-Session', 'set_cookie'), '/mappings/0/target', 'never passes: cookies'],
    ['a target of the connection', mapping('X-Length', 'Content-Length'), '/mappings/0/target', 'never passes: it is about one connection'],
    ['a target that the gateway writes', mapping('X-Client', 'X-Forwarded-For'), '/mappings/0/target', 'never passes: the gateway'],
    ['a listed name that never passes', { mode: 'list', list: ['Host'] }, '/list/0', 'never passes: it is about one connection'],
    ['two mappings to one target', { mode: 'mappings', mappings: [{ source: 'X-A', target: 'X-User' }, { source: 'X-B', target: 'x_user' }] }, '/mappings/1/target', 'is the target of mapping 0 already'],
    ['a name that is listed twice', { mode: 'list', list: ['X-A', 'x-a'] }, '/list/1', 'is listed twice'],
    ['a list that the mode does not use', { mode: 'all', list: ['X-A'] }, '/list', 'is not used with mode "all"'],
    ['no list', { mode: 'list' }, '/list', 'is required with mode "list"'],
    ['an unknown mode', { mode: 'some' }, '/mode', 'must be "none", "all", "list" or "mappings"'],
    ['an unknown field', { mode: 'all', restrict: [] }, '/restrict', 'is not a known field'],
    ['a limit beyond 32 KiB', { mode: 'all', maxValueBytes: 32_769 }, '/maxValueBytes', 'must be at most 32768'],
  ];

  test.each(cases)('%s', async (_name, document, pointer, detail) => {
    const reply = await send('PUT', document, '*');
    expect([reply.status, reply.body]).toMatchObject([422, { code: 'validation_failed', errors: [{ pointer, detail: expect.stringContaining(detail) as string }] }]);

    const server = { name: 'refused', type: 'mcp', upstream: { url: 'https://x.example' }, agentAuth: { type: 'passthrough' }, headerPolicy: document };
    const ofServer = await fixture.plane.send('POST', '/v1/workspaces/default/servers', { body: server });
    expect([ofServer.status, ofServer.body]).toMatchObject([422, { errors: [{ pointer: `/headerPolicy${pointer}`, detail: expect.stringContaining(detail) as string }] }]);
  });

  test.each<[string, unknown, string]>([
    ['rows without a mode', { list: ['X-A'] }, '/mode'],
    ['an unknown source', { mode: 'all', source: 'file' }, '/source'],
    ['a name', { name: 'global', mode: 'all' }, '/name'],
    ['another kind', { kind: 'Server', mode: 'all' }, '/kind'],
    ['no document', undefined, ''],
  ])('of the global one: %s', async (_name, document, pointer) => {
    const reply = await send('PUT', document, '*');
    expect([reply.status, reply.body]).toMatchObject([422, { errors: [{ pointer }] }]);
  });

  test('and nothing was stored', async () => {
    expect((await send('GET')).headers.get('etag')).toBe('"0"');
  });
});

import type { ReadableCredential } from '@gatehouse/gateway-config';
import { beforeEach, describe, expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();
const path = '/v1/workspaces/default/credentials';

beforeEach(async () => void (await fixture.query('delete from credentials; delete from servers; delete from secrets')));

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[];
}

const sample = (overrides: Readonly<Record<string, unknown>> = {}) => ({ name: 'search-key', scope: 'workspace', value: 'canary-of-search', ...overrides });
const create = <Body = ReadableCredential>(body: unknown = sample()) => fixture.plane.send<Body>('POST', path, { body });
const change = <Body = ReadableCredential>(method: string, body: unknown, ifMatch = '*') => fixture.plane.send<Body>(method, `${path}/search-key`, { body, headers: { 'If-Match': ifMatch } });
const remove = () => fixture.plane.send<Problem>('DELETE', `${path}/search-key`, { headers: { 'If-Match': '*' } });
/** A server that names a credential, as a store has it: what this spec needs of it is the reference. */
async function putServer(name: string, credential: string, scope = 'workspace'): Promise<void> {
  await fixture.plane.send('POST', '/v1/workspaces/default/servers', { body: sampleServer(name) });
  await fixture.query(`update servers set document = document || $2::jsonb where name = $1`, [name, JSON.stringify({ outboundHeaders: [{ name: 'X-Key', source: { type: 'credential', name: credential, scope } }] })]);
}
const lastChanged = async (): Promise<unknown> => (await fixture.query<{ changed: unknown }>('select changed from revisions order by revision desc limit 1'))[0]?.changed;

test('a credential is kept, read, replaced, changed and deleted', async () => {
  const created = await create(sample({ title: 'Search', description: 'Ask the search team.' }));
  expect([created.status, created.headers.get('location')]).toEqual([201, `${path}/${created.body.id}`]);
  expect(created.body).toMatchObject({ kind: 'Credential', workspace: 'default', name: 'search-key', scope: 'workspace', value: { set: true }, revision: 1, warnings: [] });
  const read = await fixture.plane.send<ReadableCredential>('GET', `${path}/search-key`);
  expect(read.headers.get('etag')).toBe(created.headers.get('etag'));
  expect([read.body, (await fixture.plane.send('GET', created.headers.get('location') ?? '')).body]).toEqual([created.body, created.body]);

  const replaced = await change('PUT', sample({ title: 'Search key', value: undefined }));
  expect(replaced.body).toMatchObject({ title: 'Search key', revision: 2, value: { set: true } });
  expect(replaced.body.description).toBeUndefined();
  const patched = await change('PATCH', { value: 'canary-of-another' });
  expect(patched.body).toMatchObject({ title: 'Search key', revision: 3, value: { set: true } });
  expect((await fixture.plane.send<{ items: unknown[] }>('GET', path)).body.items).toEqual([patched.body]);
  expect((await remove()).status).toBe(204);
  expect((await fixture.plane.send('GET', `${path}/search-key`)).status).toBe(404);
  expect(await fixture.query('select from secrets')).toEqual([]);
  const { body } = await fixture.plane.send<{ items: { action: string; workspace: string; targetKind: string; fields: string[] }[] }>('GET', '/v1/audit-events');
  expect(body.items.slice(0, 4).map(({ action, workspace, targetKind, fields }) => [action, workspace, targetKind, fields])).toEqual([
    ['credential.deleted', 'default', 'Credential', []],
    ['credential.changed', 'default', 'Credential', ['/value']],
    ['credential.changed', 'default', 'Credential', ['/description', '/title']],
    ['credential.created', 'default', 'Credential', ['/description', '/name', '/scope', '/title', '/value']],
  ]);
});

test('what changes nothing is no change', async () => {
  const { body } = await create();
  expect((await change('PUT', body)).body).toEqual(body);
});

test('changes need the ETag of what they change', async () => {
  const { headers } = await create();
  const etag = headers.get('etag') ?? '';
  expect((await fixture.plane.send('PATCH', `${path}/search-key`, { body: { title: 'x' } })).status).toBe(428);
  expect((await change('PATCH', { title: 'first' }, etag)).status).toBe(200);
  expect((await change('PATCH', { title: 'second' }, etag)).status).toBe(412);
  expect((await fixture.plane.send('DELETE', `${path}/search-key`, { headers: { 'If-Match': etag } })).status).toBe(412);
});

test('the same request twice is done once', async () => {
  const send = () => fixture.plane.send<ReadableCredential>('POST', path, { body: sample(), headers: { 'Idempotency-Key': 'one-credential' } });
  const [first, second] = [await send(), await send()];
  expect([first.status, second.status, second.body]).toEqual([201, 201, first.body]);
});

test('P15 of the value only that it is set is ever read', async () => {
  const texts = [(await create()).text, (await fixture.plane.send('GET', `${path}/search-key`)).text, (await change('PATCH', { value: 'canary-of-another' })).text, (await fixture.plane.send('GET', path)).text];
  for (const text of texts) expect(text).not.toContain('canary');
  expect(JSON.stringify(await fixture.query(`select document::text, encode(sealed, 'escape') from credentials, secrets`))).not.toContain('canary');
});

describe('what is refused', () => {
  test.each([
    ['a scope that is none', { scope: 'team' }, '/scope'],
    ['no scope', { scope: undefined }, '/scope'],
    ['a value that is each person’s own', { scope: 'user' }, '/value'],
    ['a value that no header can hold', { value: 'two\nlines' }, '/value'],
    ['an unknown field', { secret: 'x' }, '/secret'],
    ['another workspace', { workspace: 'other' }, '/workspace'],
  ])('%s', async (_name, overrides, pointer) => {
    const { status, body } = await create<Problem>(sample(overrides));
    expect([status, body.errors.map((problem) => problem.pointer)]).toEqual([422, [pointer]]);
    expect(JSON.stringify(body)).not.toMatch(/canary|two/);
  });

  test('a name that is taken', async () => {
    await create();
    expect(await create<Problem>()).toMatchObject({ status: 409, body: { code: 'name_taken' } });
  });
});

describe('of a credential that servers name', () => {
  beforeEach(async () => {
    await create();
    await putServer('orders', 'search-key');
    await putServer('others', 'another-key');
  });

  test('neither name nor scope is changed, nor is it deleted: the answer says who names it', async () => {
    for (const [reply, pointer] of [[await remove(), ''], [await change<Problem>('PATCH', { name: 'new-key' }), '/name'], [await change<Problem>('PATCH', { scope: 'user' }), '/scope']] as const) {
      expect(reply).toMatchObject({ status: 409, body: { code: 'conflict', errors: [{ pointer, code: 'credential_in_use', detail: 'is used by orders' }] } });
    }
    expect((await fixture.plane.send<ReadableCredential>('GET', `${path}/search-key`)).body).toMatchObject({ revision: 1, value: { set: true } });
    await fixture.query(`delete from servers where name = 'orders'`);
    expect((await remove()).status).toBe(204);
  });

  test('a change is one of those servers, and of no other', async () => {
    const [server] = await fixture.query<{ id: string }>(`select id from servers where name = 'orders'`);
    await change('PATCH', { value: 'canary-of-another' });
    expect(await lastChanged()).toEqual([server?.id]);
  });

  test('so is making one that was named before it was there', async () => {
    const [server] = await fixture.query<{ id: string }>(`select id from servers where name = 'others'`);
    await create(sample({ name: 'another-key' }));
    expect(await lastChanged()).toEqual([server?.id]);
  });
});

test('a workspace’s value does not become a person’s', async () => {
  await create();
  const { body } = await change('PATCH', { scope: 'user' });
  expect(body).toMatchObject({ scope: 'user', warnings: [] });
  expect(body.value).toBeUndefined();
  expect(await fixture.query('select from secrets')).toEqual([]);
  expect((await change('PATCH', { scope: 'workspace' })).body).toMatchObject({ warnings: [{ code: 'value_missing', pointer: '/value' }] });
});

test('null clears the value', async () => {
  await create();
  const { body } = await change('PATCH', { value: null });
  expect(body).toMatchObject({ warnings: [{ code: 'value_missing' }] });
  expect(await fixture.query('select from secrets')).toEqual([]);
});

test('a workspace that has one is not deleted', async () => {
  await fixture.plane.send('POST', '/v1/workspaces', { body: { name: 'sales' } });
  await fixture.plane.send('POST', '/v1/workspaces/sales/credentials', { body: sample() });
  expect(await fixture.plane.send<Problem>('DELETE', '/v1/workspaces/sales', { headers: { 'If-Match': '*' } })).toMatchObject({ status: 409, body: { errors: [{ code: 'workspace_not_empty' }] } });
});

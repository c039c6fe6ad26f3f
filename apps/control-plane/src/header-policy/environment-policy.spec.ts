import { headerPolicyId, openDocument, type ReadableHeaderPolicy, type ReadableServer, snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { createMemoryChannel, type SnapshotChannel } from '@gatehouse/snapshot-channel';
import { expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { startTestControlPlane, type TestControlPlane, until } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();
const path = '/v1/header-policy';
type Published = { readonly kind: string; readonly policy?: ReadableHeaderPolicy['effective'] };

/** Another control plane on the same database. */
async function withSettings<T>(settings: Readonly<Record<string, string>>, run: (plane: TestControlPlane) => Promise<T>, channel: SnapshotChannel = createMemoryChannel()): Promise<T> {
  const plane = await startTestControlPlane({ environment: { ...fixture.plane.environment, ...settings }, channel });
  try {
    return await run(plane);
  } finally {
    await plane.close();
  }
}

async function published({ channel, environment }: TestControlPlane, id = headerPolicyId): Promise<Published | undefined> {
  const [document] = await channel.readDocuments([id]);
  return document && (openDocument(snapshotKeysOf([parseKey(environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]), document) as Published);
}
const read = async (plane: TestControlPlane) => (await plane.send<ReadableHeaderPolicy>('GET', path)).body;
const names = (policy: ReadableHeaderPolicy['effective'] | undefined) => policy?.rows.map(({ source, from }) => `${source} ${from}`);
const put = (document: unknown) => fixture.plane.send('PUT', path, { body: document, headers: { 'If-Match': '*' } });
const list = { GATEHOUSE_PASSTHROUGH_HEADERS: 'X-Env, x-tenant ,X-ENV,' };

test('the environment’s list alone: duplicates without case go, the first spelling stays, and data planes get it without a document', async () => {
  await withSettings({ ...list, GATEHOUSE_PASSTHROUGH_HEADERS_SOURCE: 'env' }, async (plane) => {
    const body = await read(plane);
    expect(body).toMatchObject({ revision: 0, effective: { mode: 'rows', modeFrom: 'environment' }, warnings: [{ code: 'environment_wins', pointer: '' }] });
    expect(names(body.effective)).toEqual(['X-Env environment', 'x-tenant environment']);
    await until(async () => (await published(plane)) !== undefined);
    expect((await published(plane))?.policy).toEqual(body.effective);
  });
});

test('the sources: server documents apart, database over environment, or one of them, or both', async () => {
  await put({ mode: 'list', list: ['X-Tenant', 'X-Doc'] });
  const effectiveWith = (source: string) => withSettings({ ...list, GATEHOUSE_PASSTHROUGH_HEADERS_SOURCE: source }, async (plane) => names((await read(plane)).effective));
  expect(await effectiveWith('')).toEqual(['X-Tenant global', 'X-Doc global']);
  expect(await effectiveWith('db')).toEqual(['X-Tenant global', 'X-Doc global']);
  expect(await effectiveWith('env')).toEqual(['X-Env environment', 'x-tenant environment']);
  expect(await effectiveWith('merge')).toEqual(['X-Tenant global', 'X-Doc global', 'X-Env environment']);
});

test('a changed environment is published at the next start, with the same revision', async () => {
  const channel = createMemoryChannel();
  const policyWith = (settings: Readonly<Record<string, string>>, expected: string[]) =>
    withSettings(settings, async (plane) => {
      await until(async () => JSON.stringify(names((await published(plane))?.policy)) === JSON.stringify(expected));
      return (await channel.readState())?.revision;
    }, channel);
  const first = await policyWith({}, ['X-Tenant global', 'X-Doc global']);
  const second = await policyWith({ ...list, GATEHOUSE_PASSTHROUGH_HEADERS_SOURCE: 'merge' }, ['X-Tenant global', 'X-Doc global', 'X-Env environment']);
  expect(second).toBe(first);
});

test('a document that names env as its own source is told that its rows are not used', async () => {
  await put({ mode: 'list', list: ['X-Doc'], source: 'env' });
  expect(await withSettings(list, read)).toMatchObject({ effective: { modeFrom: 'environment' }, warnings: [{ code: 'environment_wins', pointer: '/source' }] });
});

test('Authorization in the environment’s list is pointed out', async () => {
  await put({ mode: 'list', list: ['X-Doc'], source: 'merge' });
  const { warnings } = await withSettings({ GATEHOUSE_PASSTHROUGH_HEADERS: 'X-Env,Authorization' }, read);
  expect(warnings).toMatchObject([{ code: 'authorization_in_list', pointer: '/effective/rows/2' }]);
});

test('the master switch of the environment switches off, whatever the document says', async () => {
  await put({ mode: 'all', enabled: true });
  await withSettings({ GATEHOUSE_HEADER_PASSTHROUGH: 'false' }, async (plane) => {
    expect(await read(plane)).toMatchObject({ enabled: true, effective: { enabled: false, enabledFrom: 'environment' }, warnings: [{ code: 'switched_off_by_environment', pointer: '/enabled' }] });
    await until(async () => (await published(plane)) !== undefined);
    expect((await published(plane))?.policy?.enabled).toBe(false);
  });
});

test('with source env the database is not read: not even a document that makes no sense matters', async () => {
  await fixture.query(`update header_policy set document = '{"mode": "list", "list": 5}'`);
  await withSettings({ ...list, GATEHOUSE_PASSTHROUGH_HEADERS_SOURCE: 'env' }, async (plane) => {
    await until(async () => (await published(plane)) !== undefined);
    expect(names((await published(plane))?.policy)).toEqual(['X-Env environment', 'x-tenant environment']);
    const { effective, warnings } = await read(plane);
    expect([effective, warnings.map(({ code }) => code)]).toEqual([(await published(plane))?.policy, ['header_policy_unreadable', 'environment_wins']]);
  });
});

test('a stored document that makes no sense keeps itself from the data planes, and nothing else; it is replaced as any other', async () => {
  await withSettings({}, async (plane) => {
    const { body } = await plane.send<ReadableServer>('POST', '/v1/workspaces/default/servers', { body: sampleServer('beside') });
    await until(async () => (await published(plane, body.id)) !== undefined);
    expect([(await published(plane, body.id))?.kind, (await published(plane))?.kind]).toEqual(['server', 'unreadable']);
    const replaced = await plane.send('PUT', path, { body: { mode: 'none' }, headers: { 'If-Match': '*' } });
    expect([replaced.status, replaced.body]).toMatchObject([200, { mode: 'none' }]);
    await until(async () => (await published(plane))?.kind === 'header-policy');
  });
});

test.each(['{"mode": "list", "list": 5}', '{"mode": "of-tomorrow"}', '{"mode": "all", "unknown": true}', '[]', 'null', '"all"'])('what is stored as %s can be read, as one under which nothing passes, and be replaced or deleted, not patched', async (document) => {
  await put({ mode: 'all' });
  await fixture.query('update header_policy set document = $1', [document]);
  const { status, body, headers } = await fixture.plane.send<ReadableHeaderPolicy>('GET', path);
  expect([status, body]).toMatchObject([200, { enabled: false, effective: { enabled: false, enabledFrom: 'built-in', mode: 'none', rows: [] }, warnings: [{ code: 'header_policy_unreadable', pointer: '' }] }]);
  expect(Object.keys(body).toSorted()).toEqual(['effective', 'enabled', 'kind', 'revision', 'updatedAt', 'warnings']);
  const ifMatch = { headers: { 'If-Match': headers.get('etag') ?? '' } };
  expect((await fixture.plane.send('PATCH', path, { body: { enabled: true }, ...ifMatch })).body).toMatchObject({ code: 'header_policy_unreadable' });
  expect((await fixture.plane.send('PUT', path, { body: { mode: 'none' }, ...ifMatch })).status).toBe(200);
  await fixture.query('update header_policy set document = $1', [document]);
  expect((await fixture.plane.send('DELETE', path, { headers: { 'If-Match': '*' } })).status).toBe(204);
  expect((await read(fixture.plane)).warnings).toEqual([]);
});

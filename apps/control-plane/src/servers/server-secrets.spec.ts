import type { ReadableUpstreamServer } from '@gatehouse/gateway-config';
import { openDocument, snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { until } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();
const servers = '/v1/workspaces/default/servers';
const ifMatch = { 'If-Match': '*' };
const patch = (name: string, body: unknown) => fixture.plane.send<ReadableUpstreamServer>('PATCH', `${servers}/${name}`, { body, headers: ifMatch });
const put = (name: string, body: unknown) => fixture.plane.send<ReadableUpstreamServer>('PUT', `${servers}/${name}`, { body, headers: ifMatch });

/** What data planes use, once they have what was just written. */
async function published({ id, revision }: ReadableUpstreamServer): Promise<unknown> {
  const { channel, environment } = fixture.plane;
  await until(async () => ((await channel.readState())?.revision ?? 0) >= revision);
  const [document] = await channel.readDocuments([id]);
  if (!document) return undefined;
  const opened = openDocument(snapshotKeysOf([parseKey(environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]), document);
  return (opened as { server: { appAuth: unknown } }).server.appAuth;
}

const rows = [{ name: 'X-Tenant', value: 'tenant-1' }, { name: 'X-Key', value: 'key-1' }];

test.each([
  ['left out, it stays', { type: 'bearer' }, { type: 'bearer', token: 'token-of-keep' }],
  ['sent back as it was read, it stays', { type: 'bearer', token: { set: true } }, { type: 'bearer', token: 'token-of-keep' }],
  ['sent as text, it is replaced', { type: 'bearer', token: 'second' }, { type: 'bearer', token: 'second' }],
])('a secret: %s', async (_name, appAuth, expected) => {
  const name = `keep-${Math.random().toString(36).slice(2)}`;
  await fixture.plane.send('POST', servers, { body: sampleServer(name, { appAuth: { type: 'bearer', token: 'token-of-keep' } }) });
  const written = await put(name, sampleServer(name, { appAuth, title: 'Changed' }));
  expect(written.status, written.text).toBe(200);
  expect(written.body.appAuth).toMatchObject({ token: { set: true } });
  expect(await published(written.body)).toEqual(expected);
});

test('reading says since when a secret is set, and not what it is', async () => {
  const { body, text } = await fixture.plane.send<ReadableUpstreamServer>('POST', servers, { body: sampleServer('dated') });
  const token = (body.appAuth as unknown as { token: { updatedAt: string } }).token;
  expect(Math.abs(Date.now() - Date.parse(token.updatedAt))).toBeLessThan(60_000);
  expect(text).not.toContain('token-of-dated');
});

test('null clears a secret; where it is required, the change is refused and the secret stays', async () => {
  await fixture.plane.send('POST', servers, { body: sampleServer('cleared') });
  for (const reply of [await patch('cleared', { appAuth: { token: null } }), await put('cleared', sampleServer('cleared', { appAuth: { type: 'bearer', token: null } }))]) {
    expect(reply.status).toBe(422);
    expect(reply.body).toMatchObject({ errors: [{ pointer: '/appAuth/token', detail: 'is required' }] });
  }
  const [count] = await fixture.query<{ count: string }>(`select count(*) from secrets s join servers v on v.id = s.owner_id where v.name = 'cleared'`);
  expect(Number(count?.count)).toBe(1);
});

test('a new server needs its secrets', async () => {
  const reply = await fixture.plane.send('POST', servers, { body: sampleServer('bare', { appAuth: { type: 'basic', username: 'me' } }) });
  expect(reply.body).toMatchObject({ status: 422, errors: [{ pointer: '/appAuth/password', detail: 'is required' }] });
});

test('another type drops the former one’s secrets, even where a field has the same name', async () => {
  await fixture.plane.send('POST', servers, { body: sampleServer('typed', { appAuth: { type: 'api-key', in: 'header', name: 'X-Key', value: 'first' } }) });
  const refused = await put('typed', sampleServer('typed', { appAuth: { type: 'custom-headers', headers: [{ name: 'X-Key' }] } }));
  expect(refused.body).toMatchObject({ status: 422, errors: [{ pointer: '/appAuth/headers/0/value' }] });
  const changed = await patch('typed', { appAuth: { type: 'bearer', token: 'second' } });
  expect(changed.status, changed.text).toBe(200);
  expect(await published(changed.body)).toEqual({ type: 'bearer', token: 'second' });
  expect(await fixture.query(`select field from secrets where owner_id = $1`, [changed.body.id])).toEqual([{ field: '/appAuth[bearer]/token' }]);

  const none = await patch('typed', { appAuth: null });
  expect(none.body.appAuth).toEqual({ type: 'none' });
  expect(await fixture.query(`select field from secrets where owner_id = $1`, [changed.body.id])).toEqual([]);
});

test('of several headers each keeps its own value, in whatever order they come', async () => {
  await fixture.plane.send('POST', servers, { body: sampleServer('many', { appAuth: { type: 'custom-headers', headers: rows } }) });
  const reordered = { type: 'custom-headers', headers: [{ name: 'X-New', value: 'new' }, { name: 'x-key' }, { name: 'X-Tenant' }] };
  const changed = await put('many', sampleServer('many', { appAuth: reordered }));
  expect(changed.status, changed.text).toBe(200);
  expect(await published(changed.body)).toEqual({
    type: 'custom-headers', headers: [{ name: 'X-New', value: 'new' }, { name: 'x-key', value: 'key-1' }, { name: 'X-Tenant', value: 'tenant-1' }],
  });
});

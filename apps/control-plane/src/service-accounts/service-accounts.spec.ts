import { matchesKeyHash } from '@gatehouse/agent-auth';
import { openDocument, snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { expect, test } from 'vitest';
import { until } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();
const accounts = '/v1/workspaces/default/service-accounts';

interface Account {
  readonly id: string;
  readonly revision: number;
  readonly key: string;
}

async function publishedHash({ id, revision }: Account): Promise<string> {
  const { channel, environment } = fixture.plane;
  await until(async () => ((await channel.readState())?.revision ?? 0) >= revision);
  const [document] = await channel.readDocuments([id]);
  const keys = snapshotKeysOf([parseKey(environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]);
  return document ? (openDocument(keys, document) as { keyHash: string }).keyHash : '';
}

test('a key is shown when it is made, and never again', async () => {
  const { plane } = fixture;
  const created = await plane.send<Account>('POST', accounts, { body: { name: 'nightly', groups: ['ci'] } });
  expect([created.status, created.body]).toMatchObject([201, { kind: 'ServiceAccount', name: 'nightly', groups: ['ci'] }]);
  expect(matchesKeyHash(created.body.key, await publishedHash(created.body))).toBe(true);
  const read = await plane.send<Account>('GET', `${accounts}/nightly`);
  const list = await plane.send('GET', accounts);
  for (const { text } of [read, list]) expect(text).not.toMatch(/gatehouse_|keyHash|keyId/);
  const dump = await fixture.query('select row_to_json(a)::text from service_accounts a');
  expect(JSON.stringify(dump)).not.toContain(created.body.key);
});

test('a new key makes the old one invalid', async () => {
  const rotated = await fixture.plane.send<Account>('POST', `${accounts}/nightly/rotate-key`);
  expect(rotated.status, rotated.text).toBe(200);
  const hash = await publishedHash(rotated.body);
  expect(matchesKeyHash(rotated.body.key, hash)).toBe(true);
});

test('its groups change, its name does not', async () => {
  const put = (body: unknown, headers = { 'If-Match': '*' }) => fixture.plane.send<Account>('PUT', `${accounts}/nightly`, { body, headers });
  expect((await put({ name: 'nightly', groups: ['ops'] })).body).toMatchObject({ groups: ['ops'] });
  expect((await put({ name: 'renamed' })).body).toMatchObject({ status: 422, errors: [{ pointer: '/name', code: 'immutable' }] });
  expect((await put({ name: 'nightly' }, { 'If-Match': '"0"' })).status).toBe(412);
});

test('a deleted account is gone from the data planes', async () => {
  const { plane } = fixture;
  const { body } = await plane.send<Account>('GET', `${accounts}/nightly`);
  expect((await plane.send('DELETE', `${accounts}/nightly`)).status).toBe(204);
  expect((await plane.send('DELETE', `${accounts}/nightly`)).status).toBe(404);
  await until(async () => !(await plane.channel.readIndex())?.index.has(body.id));
});

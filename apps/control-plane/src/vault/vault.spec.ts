import { randomBytes } from 'node:crypto';
import { openDocument, type ReadableServer, snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { beforeAll, describe, expect, test } from 'vitest';
import { startControlPlane } from '../start-control-plane.ts';
import { sampleServer } from '../spec-support/sample-server.ts';
import { startTestControlPlane, type TestControlPlane, until } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane();
const create = async (workspace: string, name: string): Promise<ReadableServer> =>
  (await fixture.plane.send<ReadableServer>('POST', `/v1/workspaces/${workspace}/servers`, { body: sampleServer(name) })).body;

let first: ReadableServer;
let second: ReadableServer;
let elsewhere: ReadableServer;

beforeAll(async () => {
  await fixture.plane.send('POST', '/v1/workspaces', { body: { name: 'other' } });
  // Both need the workspace's first data key at the same time.
  [first, second] = await Promise.all([create('default', 'first'), create('default', 'second')]);
  elsewhere = await create('other', 'elsewhere');
});

/** The kind of what a new channel holds of a server. */
async function published({ channel }: TestControlPlane, { id }: ReadableServer): Promise<string | undefined> {
  await until(async () => (await channel.readState()) !== undefined);
  const [document] = await channel.readDocuments([id]);
  const keys = snapshotKeysOf([parseKey(fixture.plane.environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]);
  return document && (openDocument(keys, document) as { kind: string }).kind;
}

test('a workspace has one data key, made at its first use, and counts what it sealed', async () => {
  const keys = await fixture.query(
    `select w.name, term, state, sealed_count from data_keys join workspaces w on w.id = workspace_id order by w.name`,
  );
  expect(keys).toEqual([
    { name: 'default', term: 1, state: 'active', sealed_count: 2 }, { name: 'other', term: 1, state: 'active', sealed_count: 1 },
  ]);
});

describe('a sealed value in another place does not open', () => {
  test.each([['row', () => second], ['workspace', () => elsewhere]])('another %s', async (_name, target) => {
    const before = await fixture.query<{ sealed: Buffer }>('select sealed from secrets where owner_id = $1', [target().id]);
    await fixture.query('update secrets set sealed = (select sealed from secrets where owner_id = $1) where owner_id = $2', [first.id, target().id]);
    const { environment } = fixture.plane;
    const reader = await startTestControlPlane({ environment });
    expect(await published(reader, target())).toBe('unreadable');
    expect(await published(reader, first)).toBe('server');
    const probed = await reader.send('POST', `/v1/workspaces/${target().workspace}/servers/${target().id}/test`);
    expect(probed.body).toMatchObject({ code: 'vault_sealed_value_unreadable' });
    await reader.close();
    await fixture.query('update secrets set sealed = $1 where owner_id = $2', [before[0]?.sealed, target().id]);
  });

  test('another field', async () => {
    await fixture.query(`update secrets set field = '/appAuth[bearer]/other' where owner_id = $1`, [first.id]);
    const reader = await startTestControlPlane({ environment: fixture.plane.environment });
    expect(await published(reader, first)).toBe('unreadable');
    await reader.close();
    await fixture.query(`update secrets set field = '/appAuth[bearer]/token' where owner_id = $1`, [first.id]);
  });
});

test('a vault key of another database stops the start, says what to do, and changes nothing', async () => {
  const environment = { ...fixture.plane.environment, GATEHOUSE_VAULT_KEY: randomBytes(32).toString('base64') };
  const starting = startControlPlane({ environment, channel: fixture.plane.channel, migrate: true });
  await expect(starting).rejects.toMatchObject({ code: 'vault_key_wrong', detail: expect.stringContaining('GATEHOUSE_VAULT_KEY') as string });
  expect((await fixture.plane.send('GET', '/v1/workspaces/default/servers/first')).status).toBe(200);
});

test.each([
  ['too short', Buffer.alloc(16, 1).toString('base64')],
  ['of one byte', Buffer.alloc(32, 7).toString('base64')],
  ['missing', undefined],
])('a vault key that is %s stops the start by name and is not quoted', async (_name, key) => {
  const environment = { ...fixture.plane.environment, GATEHOUSE_VAULT_KEY: key };
  const error: unknown = await startControlPlane({ environment, channel: fixture.plane.channel }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'invalid_setting', message: expect.stringContaining('GATEHOUSE_VAULT_KEY') as string });
  if (key) expect((error as Error).message).not.toContain(key);
});

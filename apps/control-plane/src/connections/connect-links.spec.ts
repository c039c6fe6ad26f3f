import { randomBytes } from 'node:crypto';
import { parseKey, Secret } from '@gatehouse/sealing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Database } from '../database/database.ts';
import { openDataSource } from '../database/open-data-source.ts';
import { connectOrigin } from '../spec-support/use-connections.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';
import { localRootKey } from '../vault/root-keys/local-root-key.ts';
import { RootKeys } from '../vault/root-keys/root-keys.ts';
import { Vault } from '../vault/vault.ts';
import { type ConnectOrder, ConnectLinks } from './connect-links.service.ts';

const fixture = useControlPlane({ GATEHOUSE_CONTROL_PLANE_URL: connectOrigin });
const now = Date.now();
const order: ConnectOrder = { workspaceId: 'w', ownerKind: 'app', ownerId: 'o', serverId: 's', personId: 'p', scopes: ['read', 'write'] };
let database: Database;
let links: ConnectLinks;
let elsewhere: ConnectLinks;
let close: () => Promise<void>;

beforeAll(async () => {
  const dataSource = openDataSource({ url: new Secret(fixture.databaseUrl), poolSize: 2 });
  await dataSource.initialize();
  close = () => dataSource.destroy();
  database = new Database(dataSource);
  const key = parseKey(fixture.plane.environment['GATEHOUSE_VAULT_KEY'] ?? '');
  const replica = () => new ConnectLinks(database, new Vault(new RootKeys(localRootKey(key, 'GATEHOUSE_VAULT_KEY'))), { CONTROL_PLANE_URL: connectOrigin } as never);
  [links, elsewhere] = [replica(), replica()];
});
afterAll(() => close?.());

const textOf = (url: string): string => new URL(url).searchParams.get('link') ?? '';

test('what one replica has made another one reads', async () => {
  const { connectUrl, linkId, expiresAt } = await links.connectLinkFor(order, now);
  expect(await elsewhere.read(textOf(connectUrl), now)).toEqual({ ...order, id: linkId, expiresAt });
  expect(connectUrl).not.toContain('write');
});

test('short, whatever an upstream wants: the first scopes, as many as have room', async () => {
  const scopes = Array.from({ length: 50 }, (_, index) => `${index}.`.padEnd(256, 'x'));
  const { connectUrl } = await links.connectLinkFor({ ...order, scopes });
  expect(connectUrl.length).toBeLessThan(4_000);
  expect((await links.read(textOf(connectUrl))).scopes).toEqual(scopes.slice(0, 7));
});

test('ten minutes', async () => {
  const { connectUrl } = await links.connectLinkFor(order, now);
  await expect(links.read(textOf(connectUrl), now + 10 * 60_000 - 1)).resolves.toMatchObject({ personId: 'p' });
  await expect(links.read(textOf(connectUrl), now + 10 * 60_000)).rejects.toMatchObject({ code: 'connect_link_invalid' });
});

test('once, whichever replica it is used at', async () => {
  const { connectUrl } = await links.connectLinkFor(order);
  const link = await links.read(textOf(connectUrl));
  const uses = await Promise.allSettled([links, elsewhere, links, elsewhere].map((at) => database.transaction((sql) => at.use(sql, link))));
  expect(uses.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
});

describe('what was not made here', () => {
  test.each([['nothing', ''], ['a text', 'hello'], ['random bytes', randomBytes(200).toString('base64url')], ['far too much', 'A'.repeat(9_000)]])('%s', async (_name, text) => {
    await expect(links.read(text)).rejects.toMatchObject({ code: 'connect_link_invalid' });
  });

  test('a link with one bit changed', async () => {
    const bytes = Buffer.from(textOf((await links.connectLinkFor(order)).connectUrl), 'base64url');
    bytes[40] = (bytes[40] as number) ^ 1;
    await expect(links.read(bytes.toString('base64url'))).rejects.toMatchObject({ code: 'connect_link_invalid' });
  });
});

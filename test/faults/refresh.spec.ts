import { setTimeout as delay } from 'node:timers/promises';
import { parseKey, Secret } from '@gatehouse/sealing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TokenSeals } from '../../apps/control-plane/src/connections/token-seals.ts';
import { Database } from '../../apps/control-plane/src/database/database.ts';
import { openDataSource } from '../../apps/control-plane/src/database/open-data-source.ts';
import { uuidV7 } from '../../apps/control-plane/src/database/uuid-v7.ts';
import { putConnection } from '../../apps/control-plane/src/spec-support/put-connection.ts';
import { localRootKey } from '../../apps/control-plane/src/vault/root-keys/local-root-key.ts';
import { RootKeys } from '../../apps/control-plane/src/vault/root-keys/root-keys.ts';
import { Vault } from '../../apps/control-plane/src/vault/vault.ts';
import type { GatehouseProcess } from '../support/gatehouse-process.ts';
import { runSql } from '../support/postgres.ts';
import { type ProductionShape, startProductionShape } from '../support/production-shape.ts';
import { never, type StrictProvider, startStrictProvider } from '../support/strict-oauth-provider.ts';

// Fault 19: two control planes as processes, twenty callers each, a provider that takes each refresh token once and revokes everything else.
const token = 'data-plane-token-0123456789abcdefghij';
const callersEach = 20;
let shape: ProductionShape;
let provider: StrictProvider;
let database: Database;
let seals: TokenSeals;
let server: string;
let owner: { kind: 'app'; id: string; workspaceId: string };
let planes: [GatehouseProcess, GatehouseProcess];
let close: () => Promise<void>;

const start = async (): Promise<GatehouseProcess> => (await shape.startControlPlane()).process;
const internalUrlOf = (plane: GatehouseProcess): string => /"internalUrl":"([^"]+)"/.exec(plane.output())?.[1] ?? '';
const query = <Row>(text: string, parameters: unknown[] = []) => runSql<Row>(shape.databaseUrl, text, parameters);

beforeAll(async () => {
  provider = await startStrictProvider();
  shape = await startProductionShape({ GATEHOUSE_DATA_PLANE_TOKEN: token });
  const dataSource = await openDataSource({ url: new Secret(shape.databaseUrl), poolSize: 2 }).initialize();
  close = () => dataSource.destroy();
  database = new Database(dataSource);
  seals = new TokenSeals(database, new Vault(new RootKeys(localRootKey(parseKey(shape.environment['GATEHOUSE_VAULT_KEY'] ?? ''), 'GATEHOUSE_VAULT_KEY'))));
  planes = [await start(), await start()];
  const admin = shape.adminAt(planes[0].controlPlaneUrl);
  const { authorizationUrl, tokenUrl, revocationUrl, clientId, clientSecret } = provider;
  const app = await admin.post('/v1/workspaces/default/apps', { name: 'acme', authorizationUrl, tokenUrl, revocationUrl, clientId, clientSecret, clientAuth: 'basic' });
  const made = await admin.post('/v1/workspaces/default/servers', {
    name: 'tickets', type: 'mcp', upstream: { url: 'https://tickets.example/mcp' }, agentAuth: { type: 'interactive' }, appAuth: { type: 'oauth-authorization-code', app: 'acme' },
  });
  const [workspace] = await query<{ id: string }>(`select id from workspaces where name = 'default'`);
  server = (made.body as { id: string }).id;
  owner = { kind: 'app', id: (app.body as { id: string }).id, workspaceId: workspace?.id ?? '' };
});
afterAll(async () => {
  await close?.();
  await shape?.close();
  await provider?.close();
});
beforeEach(() => provider.interfere({}));

async function connect(expiresInSeconds: number): Promise<{ person: string; id: string; accessToken: string }> {
  const person = uuidV7();
  await query(`insert into people (id, provider, issuer, subject, name) select $1, 'corp', $2, $3, 'Ana'`, [person, provider.issuer, person]);
  await query(`insert into identity_providers (id, name, document) values ($1, 'corp', $2) on conflict do nothing`, [uuidV7(), JSON.stringify({ issuer: provider.issuer })]);
  return { person, ...(await putConnection({ database, seals, provider }, { person, owner, expiresInSeconds })) };
}

async function ask(plane: GatehouseProcess, person: string): Promise<{ status: string; accessToken?: string; reason?: string }> {
  const reply = await fetch(new URL('/internal/tokens', internalUrlOf(plane)), { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: JSON.stringify({ server, subject: { person } }) });
  return (await reply.json()) as { status: string };
}
const askMany = (plane: GatehouseProcess, person: string) => Promise.all(Array.from({ length: callersEach }, () => ask(plane, person)));
const versionOf = async (id: string) => (await query<{ version: number }>('select token_version as version from connections where id = $1', [id]))[0]?.version;
const lostAt = async (plane: GatehouseProcess) => Number(/^gatehouse_lost_rotations_total (\d+)/m.exec(await (await fetch(new URL('/metrics', internalUrlOf(plane)))).text())?.[1]);

/** Resolves when the token endpoint gets its next request; what happens to that is up to `then`. */
function caught(when: 'before' | 'after', then: () => Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    let isFirst = true;
    const hold = async (): Promise<void> => {
      if (!isFirst) return;
      isFirst = false;
      resolve();
      await then();
    };
    provider.interfere({ [when]: hold });
  });
}

test('ten expiries: one refresh each, no error', async () => {
  const { person, id } = await connect(-1);
  const { refreshes, revokedFamilies } = provider;
  for (let expiry = 1; expiry <= 10; expiry += 1) {
    await query(`update connections set expires_at = now() - interval '1 second' where id = $1`, [id]);
    const answers = (await Promise.all(planes.map((plane) => askMany(plane, person)))).flat();
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['token']));
    expect(new Set(answers.map(({ accessToken }) => accessToken)).size).toBe(1);
    expect([provider.refreshes - refreshes, provider.revokedFamilies - revokedFamilies]).toEqual([expiry, 0]);
  }
});

test('kill -9 before the provider has seen the request: the other one refreshes, and its callers have waited', async () => {
  const { person } = await connect(-1);
  const { refreshes, revokedFamilies } = provider;
  const sent = caught('before', never);
  void ask(planes[0], person).catch(() => undefined);
  await sent;
  const waiting = askMany(planes[1], person);
  await planes[0].kill9();
  expect(new Set((await waiting).map(({ status }) => status))).toEqual(new Set(['token']));
  expect([provider.refreshes - refreshes, provider.revokedFamilies - revokedFamilies]).toEqual([1, 0]);
  planes[0] = await start();
});

test('kill -9 after the provider has answered, while the token is good: nobody notices, nothing is revoked', async () => {
  const { person, accessToken } = await connect(25);
  const { revokedFamilies } = provider;
  const answered = caught('after', never);
  expect(await ask(planes[0], person)).toMatchObject({ status: 'token', accessToken });
  await answered;
  await planes[0].kill9();
  const answers = await askMany(planes[1], person);
  expect(new Set(answers.map((answer) => answer.accessToken))).toEqual(new Set([accessToken]));
  expect(provider.revokedFamilies).toBe(revokedFamilies);
  planes[0] = await start();
});

test('kill -9 after the provider has answered, once the token has expired: a lost rotation, counted once, and said by the provider itself', async () => {
  const { person } = await connect(-1);
  const lost = await lostAt(planes[1]);
  const answered = caught('after', never);
  void ask(planes[0], person).catch(() => undefined);
  await answered;
  await planes[0].kill9();
  const answers = await askMany(planes[1], person);
  expect(new Set(answers.map(({ status, reason }) => `${status} ${reason}`))).toEqual(new Set(['reconnect_required expired']));
  expect((await lostAt(planes[1])) - lost).toBe(1);
  planes[0] = await start();
});

test('a holder that is stopped past its lease, with the answer on its way: it stores it when it wakes', async () => {
  const { person, id, accessToken } = await connect(29);
  const { refreshes, revokedFamilies } = provider;
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const answered = caught('after', () => held);
  expect(await ask(planes[0], person)).toMatchObject({ accessToken });
  await answered;
  planes[0].child.kill('SIGSTOP');
  release();
  // Past the lease, by the clock that counts it.
  await expect.poll(async () => (await query('select from connections where id = $1 and lease_until < now()', [id])).length, { timeout: 20_000, interval: 200 }).toBe(1);
  await delay(500);
  expect(new Set((await askMany(planes[1], person)).map((answer) => answer.accessToken))).toEqual(new Set([accessToken]));
  planes[0].child.kill('SIGCONT');
  await expect.poll(() => versionOf(id), { timeout: 10_000 }).toBe(2);
  const [now] = await askMany(planes[1], person);
  expect(await provider.accepts(now?.accessToken ?? '')).toBe(true);
  expect([provider.refreshes - refreshes, provider.revokedFamilies - revokedFamilies]).toEqual([1, 0]);
});

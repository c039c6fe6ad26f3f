import { randomUUID } from 'node:crypto';
import { Secret } from '@gatehouse/sealing';
import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { Registry } from 'prom-client';
import { expect, test, vi } from 'vitest';
import { comparable, documentedMetrics, servedMetrics } from '../../../../test/support/documented-metrics.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { Database } from '../database/database.ts';
import { databaseErrorOf } from '../database/database-errors.ts';
import { openDataSource } from '../database/open-data-source.ts';
import { sampleServer } from '../spec-support/sample-server.ts';
import { startTestControlPlane, until } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';
import { registerStoredStateGauges } from './stored-state-gauges.ts';
import { countConnections } from './stored-state.store.ts';

const fixture = useControlPlane();
const prefix = 'gatehouse_control_plane_';

/** A machine that is busy is no failure. */
const patienceMs = 60_000;

const scrape = async (url = fixture.plane.internalUrl): Promise<string> => (await fetch(new URL('/metrics', url))).text();
/** @param name with its labels, as it is served */
const valueIn = (text: string, name: string): number | undefined => {
  const line = text.split('\n').find((each) => each.startsWith(`${prefix}${name} `));
  return line === undefined ? undefined : Number(line.split(' ')[1]);
};
const value = async (name: string): Promise<number | undefined> => valueIn(await scrape(), name);

test('the process says what it is, and no series is there twice', async () => {
  const text = await scrape();
  expect(text).toContain(`role="control-plane",node="${process.version}"} 1`);
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.replace(/ \S+$/, ''));
  expect(new Set(series).size).toBe(series.length);
});

test('a change is published, and how long that took is counted', async () => {
  await until(async () => ((await value('snapshot_publication_duration_seconds_count{outcome="replaced"}')) ?? 0) > 0, patienceMs);
  const [lag, documents, seals] = [await value('snapshot_publication_lag_seconds_count'), await value('snapshot_documents_published_total'), await value('vault_operations_total{operation="seal"}')];
  expect((await fixture.plane.send('POST', '/v1/workspaces/default/servers', { body: sampleServer('published') })).status).toBe(201);
  await until(async () => ((await value('snapshot_publication_lag_seconds_count')) ?? 0) > (lag ?? 0), patienceMs);
  expect(await value('snapshot_documents_published_total')).toBeGreaterThan(documents ?? 0);
  expect(await value('vault_operations_total{operation="seal"}')).toBe((seals ?? 0) + 1);
  expect(await value('vault_operations_total{operation="open"}')).toBeGreaterThan(0);
  expect(await value('vault_unwrapped_keys_total{outcome="ok"}')).toBeGreaterThan(0);
  expect(await value('vault_unwrapped_keys_total{outcome="failed"}')).toBe(0);
});

test('who waits for a connection to the database is counted', async () => {
  const { plane, close, hold } = await withHeldDatabase();
  try {
    await hold(async () => {
      const requests = Array.from({ length: 6 }, () => plane.send('GET', '/v1/workspaces/default/servers'));
      await vi.waitFor(async () => {
        const text = await scrape(plane.internalUrl);
        expect([valueIn(text, 'database_connections{state="used"}'), valueIn(text, 'database_connections_max')]).toEqual([2, 2]);
        expect(valueIn(text, 'database_waiting')).toBeGreaterThanOrEqual(3);
      }, patienceMs);
      return requests;
    });
    await until(async () => valueIn(await scrape(plane.internalUrl), 'database_waiting') === 0, patienceMs);
  } finally {
    await close();
  }
});

/** Behind a line that can be stopped for a while. */
async function withHeldDatabase() {
  const url = new URL(fixture.databaseUrl);
  const line = await startTcpProxy({ targetPort: Number(url.port) });
  url.port = String(line.port);
  const plane = await startTestControlPlane({ environment: { ...fixture.plane.environment, GATEHOUSE_DATABASE_URL: url.href, GATEHOUSE_DATABASE_POOL_SIZE: '2' } });
  return {
    plane,
    hold: async (run: () => Promise<Promise<unknown>[]>): Promise<void> => {
      await line.set({ mode: 'timeout' });
      const requests = await run().finally(() => line.set({ mode: 'up' }));
      line.dropConnections();
      await Promise.allSettled(requests);
    },
    close: async () => {
      await line.set({ mode: 'up' });
      line.dropConnections();
      await plane.close();
      await line.close();
    },
  };
}

test('a verification of the audit chain is remembered, with what it found', async () => {
  expect(await value('audit_verified_timestamp_seconds{intact="true"}')).toBeUndefined();
  await fixture.plane.send('GET', '/v1/audit-events/verification');
  expect(await value('audit_verified_timestamp_seconds{intact="true"}')).toBeCloseTo(Date.now() / 1000, -2);
  await fixture.query('alter table audit_events disable trigger all');
  await fixture.query(`update audit_events set target_name = 'another' where sequence = 1`);
  await fixture.plane.send('GET', '/v1/audit-events/verification');
  const text = await scrape();
  expect([valueIn(text, 'audit_verified_timestamp_seconds{intact="true"}'), valueIn(text, 'audit_verified_timestamp_seconds{intact="false"}')]).toEqual([undefined, expect.any(Number)]);
});

test('connections are counted by their state, every five minutes, data keys and data planes too, twice in a minute at most; what is not known is absent', async () => {
  const workspace = (await fixture.query<{ id: string }>(`select id from workspaces where name = 'default'`))[0]?.id;
  const connection = (state: string, failure: string | null): Promise<unknown> =>
    fixture.query(`insert into connections (id, workspace_id, owner_kind, owner_id, sealed, key_term, refreshable, state, failure) values ($1, $2, 'app', $3, '', 1, true, $4, $5)`, [randomUUID(), workspace, randomUUID(), state, failure]);
  await connection('active', null);
  await connection('active', 'provider_unavailable');
  await connection('reconnect_required', 'refused');
  const channel = createMemoryChannel();
  const [revision] = await fixture.query<{ revision: number }>('select revision::int as revision from revision_counter');
  const beat = (id: string, more: { revision?: number | undefined; draining?: boolean }) => channel.reportHeartbeat({ id, version: '1', hash: undefined, revision: undefined, source: 'channel', ageSeconds: 1, rejects: [], draining: false, reportedAt: new Date().toISOString(), ...more });
  await beat('current', { revision: revision?.revision });
  await beat('behind', { revision: 0 });
  await beat('new', {});
  await beat('going', { revision: revision?.revision, draining: true });

  let now = 0;
  let isAway = false;
  const registry = new Registry();
  const sql = async <Row extends object>(text: string, parameters?: readonly unknown[]): Promise<Row[]> => {
    if (isAway) throw new Error('away');
    return fixture.query<Row>(text.replaceAll('count(*)', 'count(*)::int'), parameters as unknown[]);
  };
  registerStoredStateGauges(registry, { sql, transaction: (run) => run(sql) }, channel, () => now);
  const states = async (name: string): Promise<unknown> => Object.fromEntries([...(await registry.metrics()).matchAll(new RegExp(`^${prefix}${name}\\{state="(\\w+)"\\} (\\d+)$`, 'gm'))].map(([, state, count]) => [state, Number(count)]));
  expect(await states('connections')).toEqual({ active: 1, failing: 1, reconnect_required: 1 });
  expect(await states('vault_data_keys')).toMatchObject({ active: 2, destroyed: 0 });
  expect(await states('data_planes')).toEqual({ current: 1, drifting: 2, draining: 1 });
  expect(valueIn(await registry.metrics(), 'audit_events')).toBeGreaterThan(0);
  expect(valueIn(await registry.metrics(), 'revocations_waiting')).toBe(0);

  await connection('active', null);
  now = 299_000;
  expect(await states('connections')).toMatchObject({ active: 1 });
  now = 300_000;
  expect(await states('connections')).toMatchObject({ active: 2 });
  isAway = true;
  now = 600_000;
  expect([await states('connections'), await states('data_planes'), valueIn(await registry.metrics(), 'audit_events')]).toEqual([{}, {}, undefined]);
});

test('the database ends a count that takes too long, whoever still waits for it', async () => {
  const dataSource = openDataSource({ url: new Secret(fixture.databaseUrl), poolSize: 2 });
  await dataSource.initialize();
  const database = new Database(dataSource);
  try {
    await database.transaction(async (sql) => {
      await sql('lock table connections in access exclusive mode');
      const error: unknown = await countConnections(database, 50).catch((thrown: unknown) => thrown);
      expect(databaseErrorOf((error as Error).cause)?.code).toBe('57014');
    });
    // It was that statement's, and not the connection's.
    const timeouts = await Promise.all([1, 2].map(() => database.sql<{ timeout: string }>(`select current_setting('statement_timeout') as timeout`)));
    expect(timeouts.flat()).toEqual([{ timeout: '10s' }, { timeout: '10s' }]);
    expect(await countConnections(database, 10_000)).toMatchObject({ active: expect.any(Number) as number });
  } finally {
    await dataSource.destroy();
  }
});

test('every metric has its row in docs/metrics.md, and every row its metric', async () => {
  const served = servedMetrics(await scrape());
  const documented = comparable(await documentedMetrics('Control plane'), served);
  expect(served.size).toBeGreaterThan(40);
  expect([...documented].sort()).toEqual([...served].sort());
});

import { headerPolicyId, type ReadableHeaderPolicy } from '@gatehouse/gateway-config';
import { Secret } from '@gatehouse/sealing';
import { createLogger } from '@gatehouse/service-runtime';
import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DataSource } from 'typeorm';
import { runSql, startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { Database } from '../database/database.ts';
import { migrate } from '../database/migrate.ts';
import { openDataSource } from '../database/open-data-source.ts';
import { startBreakingLine } from '../spec-support/breaking-line.ts';
import { send, testEnvironment } from '../spec-support/start-test-control-plane.ts';
import { startControlPlane } from '../start-control-plane.ts';
import { seedHeaderPolicy } from './seed-header-policy.ts';

let postgres: TestPostgres;
let url: string;
const logger = createLogger({ level: 'fatal', role: 'control-plane' });
const list = ['X-Tenant', 'X-Request-Id'];

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.close());
beforeEach(async () => {
  url = await postgres.createDatabase();
  await migrate({ environment: { GATEHOUSE_DATABASE_URL: url } });
});

const stored = () => runSql<{ document: unknown }>(url, 'select document from header_policy');
const events = () => runSql<{ actor: string; action: string; target_id: string; fields: string[] }>(url, 'select actor, action, target_id, fields from audit_events order by sequence');
const seeded = { enabled: true, mode: 'list', list };
const event = { actor: 'environment', action: 'header-policy.created', target_id: headerPolicyId, fields: ['/enabled', '/list', '/mode'] };

async function withDatabase<T>(run: (database: Database) => Promise<T>, databaseUrl = url): Promise<T> {
  const dataSource: DataSource = openDataSource({ url: new Secret(databaseUrl), poolSize: 2 });
  await dataSource.initialize();
  try {
    return await run(new Database(dataSource));
  } finally {
    await dataSource.destroy();
  }
}
const seed = (source: 'db' | 'env' | 'merge' | undefined, databaseUrl = url, onWaiting: (reason: string) => void = () => undefined, names = list) =>
  withDatabase((database) => seedHeaderPolicy(database, { enabled: true, list: names, source }, { logger, onWaiting }), databaseUrl);

describe('P16 the first start seeds the policy with the environment’s list', () => {
  test.each(['db', 'merge', undefined] as const)('with source %s, once, with an event', async (source) => {
    await seed(source);
    await seed(source, url, undefined, ['X-Other']);
    expect([await stored(), await events()]).toEqual([[{ document: seeded }], [event]]);
  });

  test('never with source env', async () => {
    await seed('env');
    expect([await stored(), await events()]).toEqual([[], []]);
  });

  test('never with an empty list', async () => {
    await seed('db', url, undefined, []);
    expect(await stored()).toEqual([]);
  });

  test('by one of several replicas that start at once', async () => {
    const environment = { ...testEnvironment(url), GATEHOUSE_PASSTHROUGH_HEADERS: list.join(',') };
    const planes = await Promise.all(Array.from({ length: 3 }, () => startControlPlane({ environment, channel: createMemoryChannel(), logger })));
    const read = await Promise.all(planes.map((plane) => send<ReadableHeaderPolicy>(plane.url, 'GET', '/v1/header-policy')));
    expect(new Set(read.map(({ headers }) => headers.get('etag'))).size).toBe(1);
    expect(read[0]?.body).toMatchObject({ ...seeded, effective: { modeFrom: 'global' } });
    expect((await events()).filter(({ action }) => action.startsWith('header-policy.'))).toEqual([event]);
    for (const plane of planes) await plane.close();
  });
});

describe('a list that cannot be stored', () => {
  test.each([
    ['refused', `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no' using errcode = '42501'; end $$;
      create trigger refuse before insert on header_policy for each row execute function refuse()`, '42501'],
    ['refused at the last step, so that what was written before must go', `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
      create trigger refuse before insert on audit_events for each row when (new.actor = 'environment') execute function refuse()`, 'P0001'],
  ])('%s: the control plane does not start, says why, and leaves nothing half-written', async (_name, statements, sqlState) => {
    await runSql(url, statements);
    const environment = { ...testEnvironment(url), GATEHOUSE_PASSTHROUGH_HEADERS: list.join(',') };
    const starting = startControlPlane({ environment, channel: createMemoryChannel(), logger });
    await expect(starting).rejects.toMatchObject({
      code: 'header_policy_not_seeded', publicMessage: expect.stringContaining('GATEHOUSE_PASSTHROUGH_HEADERS') as string, detail: expect.stringContaining(`SQLSTATE ${sqlState}`) as string,
    });
    const { count } = (await runSql<{ count: string }>(url, 'select count(*) from revisions where changed @> $1', [JSON.stringify([headerPolicyId])]))[0] ?? {};
    expect([await stored(), await events(), Number(count)]).toEqual([[], [], 0]);
  });

  test('a database that only reads is not waited for', async () => {
    const readOnly = new URL(url);
    readOnly.searchParams.set('options', '-c default_transaction_read_only=on');
    await expect(seed('db', readOnly.href)).rejects.toMatchObject({ code: 'header_policy_not_seeded', detail: expect.stringContaining('25006') as string });
  });
});

describe('a database that is away', () => {
  test('is waited for', async () => {
    const line = await startTcpProxy({ targetPort: Number(new URL(url).port) });
    const through = new URL(url);
    through.port = String(line.port);
    const reasons: string[] = [];
    await withDatabase(async (database) => {
      await line.set({ mode: 'down' });
      line.dropConnections();
      await seedHeaderPolicy(database, { enabled: true, list, source: 'db' }, {
        logger,
        onWaiting: (reason) => {
          reasons.push(reason);
          void line.set({ mode: 'up' });
        },
      });
    }, through.href);
    await line.close();
    expect([reasons.length > 0, new Set(reasons), await stored()]).toEqual([true, new Set(['database']), [{ document: seeded }]]);
  });

  test.each(['before', 'after'] as const)('in the middle of the commit, %s it was made: it is stored once', async (when) => {
    const line = await startBreakingLine(url);
    line.breakAtCommit(when);
    await seed('db', line.url);
    await line.close();
    expect([await stored(), await events()]).toEqual([[{ document: seeded }], [event]]);
  });
});

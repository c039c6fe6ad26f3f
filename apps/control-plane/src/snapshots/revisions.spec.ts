import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { Secret } from '@gatehouse/sealing';
import type { DataSource } from 'typeorm';
import { Database } from '../database/database.ts';
import { migrate } from '../database/migrate.ts';
import { openDataSource } from '../database/open-data-source.ts';
import { forgetOldRevisions, readChangesSince, readRevision, readSeenRevision, takeRevision } from './revisions.store.ts';

let postgres: TestPostgres;
let dataSource: DataSource;
let database: Database;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const url = await postgres.createDatabase();
  await migrate({ environment: { GATEHOUSE_DATABASE_URL: url } });
  dataSource = openDataSource({ url: new Secret(url), poolSize: 12 });
  await dataSource.initialize();
  database = new Database(dataSource);
});
afterAll(async () => {
  await dataSource?.destroy();
  await postgres?.close();
});

test('whoever sees a revision sees every one before it, however changes overlap', async () => {
  let done = false;
  const writers = Array.from({ length: 40 }, async (_, index) => {
    // Each begins its transaction early and takes its revision late, in any order.
    await database.transaction(async (sql) => {
      await sql('select pg_sleep($1)', [Math.random() / 50]);
      await takeRevision(sql, [`id-${index}`]);
      await sql('select pg_sleep($1)', [Math.random() / 100]);
    });
  });
  const readers = Array.from({ length: 2 }, async () => {
    while (!done) {
      const revision = await readRevision(database.sql);
      const [row] = await database.sql<{ count: number; newest: number }>('select count(*) as count, coalesce(max(revision), 0) as newest from revisions where revision <= $1', [revision]);
      expect(row).toEqual({ count: revision, newest: revision });
    }
  });
  await Promise.all(writers);
  done = true;
  await Promise.all(readers);
  expect(await readRevision(database.sql)).toBe(40);
});

test('what changed since a revision is listed once', async () => {
  const since = await readRevision(database.sql);
  for (const ids of [['a'], ['b', 'a'], ['c']]) await database.transaction((sql) => takeRevision(sql, ids));
  const { revision, changed, at } = await readChangesSince(database.sql, since, undefined);
  expect([revision, [...changed].toSorted()]).toEqual([since + 3, ['a', 'b', 'c']]);
  expect(await readChangesSince(database.sql, revision, { revision, at })).toEqual({ revision, at, changed: [], continues: true });
  expect(await readChangesSince(database.sql, revision, { revision, at: '2026-01-01 00:00:00+00' })).toMatchObject({ continues: false });
});

test('a transaction that fails leaves no revision behind', async () => {
  const before = await readRevision(database.sql);
  const failing = database.transaction(async (sql) => {
    await takeRevision(sql, ['x']);
    throw new Error('on purpose');
  });
  await expect(failing).rejects.toThrow('on purpose');
  expect(await readRevision(database.sql)).toBe(before);
});

test('old revisions are forgotten, by several at once, and who is behind them is told that something is missing', async () => {
  const { sql } = database;
  for (const id of ['1', '2', '3', '4', '5']) await database.transaction((transaction) => takeRevision(transaction, [id]));
  const newest = await readRevision(sql);
  await Promise.all([1, 2, 3].map(() => forgetOldRevisions(sql, 2)));
  expect(await sql('select revision from revisions order by revision')).toEqual([{ revision: newest - 1 }, { revision: newest }]);
  expect(await readSeenRevision(sql)).toMatchObject({ revision: newest, at: expect.any(String) as string });
  for (const [behind, continues] of [[0, true], [1, true], [2, true], [3, false], [newest, false]] as const) {
    expect(await readChangesSince(sql, newest - behind, undefined), `${behind} behind`).toMatchObject({ continues });
  }
  await database.transaction((transaction) => takeRevision(transaction, ['6']));
  expect(await readChangesSince(sql, newest, undefined)).toMatchObject({ continues: true, changed: ['6'] });
});

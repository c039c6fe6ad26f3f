import { Secret } from '@gatehouse/sealing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { Database } from './database.ts';
import { openDataSource } from './open-data-source.ts';

let postgres: TestPostgres;
let dataSource: Awaited<ReturnType<ReturnType<typeof openDataSource>['initialize']>>;
beforeAll(async () => {
  postgres = await startTestPostgres();
  dataSource = await openDataSource({ url: new Secret(await postgres.createDatabase()), poolSize: 2 }).initialize();
  await new Database(dataSource).sql('create table things (name text)');
});
afterAll(async () => {
  await dataSource?.destroy();
  await postgres?.close();
});

test('a transaction whose statements together take too long is undone, and lets go of what it held (fault 8)', async () => {
  const impatient = new Database(dataSource, 50);
  const late = impatient.transaction(async (sql) => {
    await sql(`insert into things values ('late')`);
    await sql('select pg_sleep(0.2)');
    await sql(`insert into things values ('later')`);
  });
  await expect(late).rejects.toMatchObject({ code: 'database_unavailable' });
  // It waits for nobody: the lock is gone.
  await impatient.transaction((sql) => sql('lock table things in access exclusive mode nowait'));
  expect(await impatient.sql('select name from things')).toEqual([]);
});

test('one whose last statement comes late is as good as any: it is committed', async () => {
  const impatient = new Database(dataSource, 50);
  await impatient.transaction(async (sql) => {
    await sql(`insert into things values ('done')`);
    await sql('select pg_sleep(0.2)');
  });
  expect(await impatient.sql('select name from things')).toEqual([{ name: 'done' }]);
});

import { expect, test } from 'vitest';
import { useControlPlane } from '../spec-support/use-control-plane.ts';
import { sealedColumns } from './sealed-columns.ts';

const fixture = useControlPlane();

/** What the root key wraps, and data keys do not seal. */
const ofTheRootKey = ['vault_sentinel.sealed'];

test('every column that holds sealed values, or the term of one, has its entry', async () => {
  const columns = await fixture.query<{ name: string; type: string }>(
    `select table_name || '.' || column_name as name, data_type as type from information_schema.columns
     where table_schema = 'public' and (column_name like '%key_term' or (data_type = 'bytea' and column_name like 'sealed%')) order by 1`,
  );
  const entries = sealedColumns.flatMap(({ table, sealed, term }) => [`${table}.${sealed}`, `${table}.${term}`]);
  expect(columns.map(({ name }) => name).filter((name) => !ofTheRootKey.includes(name)).toSorted()).toEqual(entries.toSorted());
});

test('every table that has one is guarded: nothing is stored under a key that is destroyed', async () => {
  const triggers = await fixture.query<{ table: string }>(`select tgrelid::regclass::text as table from pg_trigger where tgname like '%require_usable_key'`);
  expect(triggers.map(({ table }) => table).toSorted()).toEqual([...new Set(sealedColumns.map(({ table }) => table))].toSorted());
});

test.each(sealedColumns.map((column) => [`${column.table}.${column.sealed}`, column] as const))('%s can be read by its entry', async (_name, column) => {
  await expect(fixture.query(`select ${[column.sealed, column.term, ...column.reads, column.workspace ?? '1'].join(', ')} from ${column.table}`)).resolves.toBeDefined();
});

test('a value under a key that is destroyed, or that never was, is refused', async () => {
  await fixture.plane.send('POST', '/v1/workspaces/default/servers', { body: { name: 'first', type: 'mcp', upstream: { url: 'https://orders.example/mcp' }, agentAuth: { type: 'api-key' }, appAuth: { type: 'bearer', token: 'secret' } } });
  await fixture.query(`insert into data_keys (workspace_id, term, state, wrapped) select id, 7, 'destroyed', '' from workspaces`);
  for (const term of [7, 8]) await expect(fixture.query('update secrets set key_term = $1, sealed = sealed', [term])).rejects.toMatchObject({ code: '40001' });
});

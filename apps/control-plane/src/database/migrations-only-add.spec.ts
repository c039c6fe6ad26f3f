import { Secret } from '@gatehouse/sealing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { openDataSource } from './open-data-source.ts';

/* A release works on the schema of the next one (docs/operations.md, Upgrade): while they run beside each other, and on the way back. */

interface Column {
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
  readonly hasDefault: boolean;
}

let postgres: TestPostgres;
let dataSource: DataSource;
let runner: QueryRunner;

beforeAll(async () => {
  postgres = await startTestPostgres();
  dataSource = await openDataSource({ url: new Secret(await postgres.createDatabase()), poolSize: 1 }).initialize();
  runner = dataSource.createQueryRunner();
});
afterAll(async () => {
  await runner?.release();
  await dataSource?.destroy();
  await postgres?.close();
});

/** Columns by their tables: of what a release can read and write. */
async function columns(): Promise<Map<string, Column>> {
  const rows = (await runner.query(`
    select c.relname || '.' || a.attname as name, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as "isNullable", a.atthasdef as "hasDefault"
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped`)) as Column[];
  return new Map(rows.map((row) => [row.name, row]));
}

/** What may refuse a row, by its table. */
async function constraints(): Promise<Map<string, string>> {
  const rows = (await runner.query(`
    select conrelid::regclass || ' ' || conname as name, conrelid::regclass::text as "table" from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
    union all select indrelid::regclass || ' ' || indexrelid::regclass, indrelid::regclass::text from pg_index join pg_class on pg_class.oid = indrelid
      where relnamespace = 'public'::regnamespace and indisunique`)) as { name: string; table: string }[];
  return new Map(rows.map(({ name, table }) => [name, table]));
}

const tableOf = (column: string): string => column.slice(0, column.indexOf('.'));

/** What of a change an earlier release could not live with. */
async function harmOf(change: () => Promise<unknown>): Promise<string[]> {
  const [before, constrained] = [await columns(), await constraints()];
  const tables = new Set([...before.keys()].map(tableOf));
  await change();
  const after = await columns();
  const harm: string[] = [];
  for (const [name, column] of before) {
    const now = after.get(name);
    if (now === undefined) harm.push(`${name} is gone`);
    else if (now.type !== column.type) harm.push(`${name} is of another type`);
    else if (column.isNullable && !now.isNullable) harm.push(`${name} must not be null any more`);
    else if (column.hasDefault && !now.hasDefault) harm.push(`${name} has no default any more`);
  }
  for (const [name, { isNullable, hasDefault }] of after) {
    if (!before.has(name) && tables.has(tableOf(name)) && !isNullable && !hasDefault) harm.push(`${name} is wanted of whoever does not know it`);
  }
  for (const [name, table] of await constraints()) if (!constrained.has(name) && tables.has(table)) harm.push(`${name} may refuse what was allowed`);
  return harm;
}

/** Looked at by somebody: what is new in a table that was there, and which rows an earlier release writes that it would refuse. */
const harmless: Readonly<Record<string, readonly string[]>> = {
  // A second document of one issuer, by a control plane from before the first release.
  OneProviderPerIssuer1763902800000: ['identity_providers identity_providers_issuer may refuse what was allowed'],
};

describe('migrations only add', () => {
  const migrations = (openDataSource({ url: new Secret('postgres://nowhere'), poolSize: 1 }).options.migrations as (new () => MigrationInterface & { name: string })[]).map((Migration) => new Migration());

  // In this order: each goes on from the schema that the one before has left.
  it.each(migrations)('$name', async (migration) => {
    expect(await harmOf(() => migration.up(runner))).toEqual(harmless[migration.name] ?? []);
  });

  it.each([
    ['a table that goes', 'drop table server_tools', 'server_tools.title is gone'],
    ['a column that goes', 'alter table people drop column name', 'people.name is gone'],
    ['a column with another name', 'alter table people rename column name to called', 'people.name is gone'],
    ['a column of another type', 'alter table servers alter column name type varchar(10)', 'servers.name is of another type'],
    ['a column that must be filled', 'alter table servers add column extra text not null', 'servers.extra is wanted of whoever does not know it'],
    ['a column that may not be empty any more', 'alter table connections alter column client_id set not null', 'connections.client_id must not be null any more'],
    ['a value that is not allowed any more', `alter table servers add constraint short check (length(name) < 10)`, 'servers short may refuse what was allowed'],
    ['two that may not be the same any more', 'create unique index one_title on server_tools (title)', 'server_tools one_title may refuse what was allowed'],
  ])('%s is seen', async (_what, statement, expected) => {
    await runner.startTransaction();
    try {
      expect(await harmOf(() => runner.query(statement))).toContain(expected);
    } finally {
      await runner.rollbackTransaction();
    }
  });
});

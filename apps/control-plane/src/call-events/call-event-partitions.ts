import type { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';

/** Any number that nobody else locks. */
const lockId = 7_401_164;
const dayMs = 86_400_000;
/** Of tomorrow and the day after: nobody waits for them, and a night without control planes costs nothing. */
const daysAhead = 2;

/** The day of a moment, in UTC, as its number since the epoch. */
export const dayOf = (ms: number): number => Math.floor(ms / dayMs);

const dateOf = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10);
const partitionOf = (day: number): string => `call_events_${dateOf(day).replaceAll('-', '_')}`;
const dayOfPartition = (name: string): number => dayOf(Date.parse(`${name.slice('call_events_'.length).replaceAll('_', '-')}T00:00:00Z`));

/** Makes the partitions of days that have none. One process at a time; the others find them. */
export async function makePartitions(database: Database, days: readonly number[]): Promise<void> {
  await database.transaction(async (sql) => {
    await sql('select pg_advisory_xact_lock($1)', [lockId]);
    for (const day of days) await makePartition(sql, day);
  });
}

async function makePartition(sql: Sql, day: number): Promise<void> {
  const name = partitionOf(day);
  const [found] = await sql<{ exists: boolean }>('select to_regclass($1) is not null as exists', [name]);
  if (found?.exists === true) return;
  // Attached, as that does not wait for whoever reads or writes other days.
  await sql(`create table ${name} (like call_events including all)`);
  await sql(`alter table call_events attach partition ${name} for values from ('${dateOf(day)} 00:00:00+00') to ('${dateOf(day + 1)} 00:00:00+00')`);
}

/**
 * Makes partitions ahead, and drops those of which everything is older than that. By the database's clock: one that is wrong on some
 * replica must not cost anything.
 * @returns the names of those that were dropped
 */
export async function tidyPartitions(database: Database, retentionDays: number): Promise<string[]> {
  const [clock] = await database.sql<{ now: Date }>('select now() as now');
  const today = dayOf(clock?.now.getTime() ?? 0);
  await makePartitions(database, Array.from({ length: daysAhead + 1 }, (_, ahead) => today + ahead));
  const partitions = await database.sql<{ name: string }>(`select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'call_events'::regclass order by 1`);
  const old = partitions.map(({ name }) => name).filter((name) => dayOfPartition(name) < today - retentionDays);
  for (const name of old) {
    await database.transaction(async (sql) => {
      await sql('select pg_advisory_xact_lock($1)', [lockId]);
      // Everybody waits behind a drop that waits: better not today than for long.
      await sql(`set local lock_timeout = '1s'`);
      await sql(`drop table if exists ${name}`);
    });
  }
  return old;
}

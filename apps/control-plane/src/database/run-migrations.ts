import type { DataSource } from 'typeorm';

/** Any number that nobody else locks. */
const lockId = 7_401_163;

/** Applies what is missing, one process at a time. @returns the names of the migrations applied. */
export async function runMigrations(dataSource: DataSource): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    // Of the session, not of a transaction: it goes with the connection should this process die.
    await runner.query('select pg_advisory_lock($1)', [lockId]);
    const applied = await dataSource.runMigrations();
    await runner.query('select pg_advisory_unlock($1)', [lockId]);
    return applied.map(({ name }) => name);
  } finally {
    await runner.release();
  }
}

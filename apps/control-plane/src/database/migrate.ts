import { readSettings } from '@gatehouse/service-runtime';
import { migrationSettings } from '../environment.ts';
import { openDataSource } from './open-data-source.ts';
import { runMigrations } from './run-migrations.ts';

export interface MigrateOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Brings the database to this release's schema. @returns the names of the migrations applied. */
export async function migrate({ environment }: MigrateOptions): Promise<string[]> {
  const settings = readSettings(migrationSettings, environment);
  const dataSource = openDataSource({ url: settings.DATABASE_URL, poolSize: 2, unbounded: true });
  await dataSource.initialize();
  try {
    return await runMigrations(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

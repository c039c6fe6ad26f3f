import { Command } from 'commander';
import type { Finish } from './finish.ts';

export const migrateCommand = (finish: Finish): Command =>
  new Command('migrate')
    .description('Bring the database of GATEHOUSE_DATABASE_URL to the schema of this version.')
    .action(() => finish(import('../roles/migrate.ts').then(({ migrateDatabase }) => migrateDatabase())));

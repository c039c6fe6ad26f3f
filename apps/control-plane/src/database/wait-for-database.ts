import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@gatehouse/service-runtime';
import type { DataSource } from 'typeorm';
import { databaseErrorOf } from './database-errors.ts';

export interface WaitOptions {
  /** Brings the schema up to date, where this process is the one to do it. */
  readonly migrate: (() => Promise<string[]>) | undefined;
  readonly logger: Logger;
  /** Told what it waits for. */
  readonly onWaiting: (reason: string) => void;
}

const retryMs = 1_000;
/** Cannot connect now, starting up, shutting down, too many connections: the only refusals that pass by themselves. */
const passing = new Set(['57P01', '57P02', '57P03', '53300']);

/** Resolves when the database answers and has this release's schema. What does not pass by waiting rejects. */
export async function waitForDatabase(dataSource: DataSource, { migrate, logger, onWaiting }: WaitOptions): Promise<void> {
  while (!(await connected(dataSource, logger, onWaiting))) await delay(retryMs);
  if (migrate) {
    const applied = await migrate();
    if (applied.length > 0) logger.info({ migrations: applied }, 'database migrated');
  }
  while (await dataSource.showMigrations()) {
    onWaiting('migrations');
    logger.warn('the database is older than this release: run "gatehouse migrate"; waiting for it');
    await delay(retryMs);
  }
}

async function connected(dataSource: DataSource, logger: Logger, onWaiting: (reason: string) => void): Promise<boolean> {
  try {
    await dataSource.initialize();
    return true;
  } catch (error) {
    const refusal = databaseErrorOf(error);
    if (refusal && !passing.has(refusal.code ?? '')) throw error;
    onWaiting('database');
    logger.warn({ err: error }, 'the database cannot be reached yet; trying again');
    return false;
  }
}

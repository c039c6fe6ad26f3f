import { setTimeout as delay } from 'node:timers/promises';
import { GatewayError } from '@gatehouse/errors';
import type { EnvironmentPolicy } from '@gatehouse/gateway-config';
import type { Logger } from '@gatehouse/service-runtime';
import type { Database } from '../database/database.ts';
import { databaseErrorOf } from '../database/database-errors.ts';
import type { Sql } from '../database/sql.ts';
import { findHeaderPolicy, lockHeaderPolicy } from './header-policy.store.ts';
import { saveHeaderPolicy } from './save-header-policy.ts';

export interface SeedOptions {
  readonly logger: Logger;
  /** Told what it waits for. */
  readonly onWaiting: (reason: string) => void;
}

const retryMs = 1_000;
const actor = { name: 'environment', attempt: undefined };

/**
 * Stores the environment's list as the document where there is none (P16). With source `env` the database is not even read. A
 * database that is away is waited for.
 * @throws GatewayError header_policy_not_seeded, where the list cannot be stored: it would look as if it were
 */
export async function seedHeaderPolicy(database: Database, { list, source }: EnvironmentPolicy, { logger, onWaiting }: SeedOptions): Promise<void> {
  if (source === 'env' || list.length === 0) return;
  for (;;) {
    try {
      const isSeeded = await seedOnce(database, list);
      if (isSeeded) logger.info({ headers: list.length }, 'the global header policy was seeded with GATEHOUSE_PASSTHROUGH_HEADERS');
      return;
    } catch (error) {
      if (!passesByItself(error)) throw new GatewayError('header_policy_not_seeded', { detail: `The cause: ${causeOf(error)}.`, cause: error });
      onWaiting('database');
      logger.warn({ err: error }, 'the global header policy could not be seeded yet; trying again');
      await delay(retryMs);
    }
  }
}

async function seedOnce(database: Database, list: readonly string[]): Promise<boolean> {
  // Without a lock at first: it is there already at every start but one.
  if (await findHeaderPolicy(database.sql)) return false;
  return database.transaction(async (sql: Sql) => {
    await lockHeaderPolicy(sql);
    // Another replica may have been faster.
    if (await findHeaderPolicy(sql)) return false;
    await saveHeaderPolicy(sql, undefined, { enabled: true, mode: 'list', list: [...list] }, actor);
    return true;
  });
}

/** Read-only, and out of disk space: the database is there and does not take it. Nobody knows when it will. */
const refusals = new Set(['25006', '53100']);

function passesByItself(error: unknown): boolean {
  if (!(error instanceof GatewayError)) return false;
  // After `commit_unknown` the next look shows whether it was stored.
  return error.code === 'commit_unknown' || error.code === 'conflict' || (error.code === 'database_unavailable' && !refusals.has(sqlStateOf(error) ?? ''));
}

const sqlStateOf = (error: unknown): string | undefined => databaseErrorOf(error instanceof GatewayError ? error.cause : error)?.code;

/** By its class only: what a database says may quote what it was sent. */
function causeOf(error: unknown): string {
  const sqlState = sqlStateOf(error);
  if (sqlState !== undefined) return `the database refused it with SQLSTATE ${sqlState}`;
  return error instanceof Error ? error.name : 'unknown';
}

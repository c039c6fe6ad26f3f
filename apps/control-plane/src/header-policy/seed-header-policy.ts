import { GatewayError } from '@gatehouse/errors';
import type { EnvironmentPolicy } from '@gatehouse/gateway-config';
import { atStart, type AtStartOptions } from '../database/at-start.ts';
import type { Database } from '../database/database.ts';
import { databaseErrorOf } from '../database/database-errors.ts';
import type { Sql } from '../database/sql.ts';
import { findHeaderPolicy, lockHeaderPolicy } from './header-policy.store.ts';
import { saveHeaderPolicy } from './save-header-policy.ts';

const actor = { name: 'environment', attempt: undefined };

/**
 * Stores the environment's list as the document where there is none (P16). With source `env` the database is not even read. A
 * database that is away is waited for.
 * @throws GatewayError header_policy_not_seeded, where the list cannot be stored: it would look as if it were
 */
export async function seedHeaderPolicy(database: Database, { list, source }: EnvironmentPolicy, options: AtStartOptions): Promise<void> {
  if (source === 'env' || list.length === 0) return;
  const isSeeded = await atStart(() => seedOnce(database, list), options).catch((error: unknown) => {
    throw new GatewayError('header_policy_not_seeded', { detail: `The cause: ${causeOf(error)}.`, cause: error });
  });
  if (isSeeded) options.logger.info({ headers: list.length }, 'the global header policy was seeded with GATEHOUSE_PASSTHROUGH_HEADERS');
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

/** By its class only: what a database says may quote what it was sent. */
function causeOf(error: unknown): string {
  const sqlState = databaseErrorOf(error instanceof GatewayError ? error.cause : error)?.code;
  if (sqlState !== undefined) return `the database refused it with SQLSTATE ${sqlState}`;
  return error instanceof Error ? error.name : 'unknown';
}

import { type EnvironmentPolicy, type GlobalHeaderPolicy, resolveGlobalPolicy } from '@gatehouse/gateway-config';
import type { Sql } from '../database/sql.ts';
import { findHeaderPolicy } from './header-policy.store.ts';

/** The global policy that data planes go by. With source `env` the database is not asked (P16). */
export async function readGlobalPolicy(sql: Sql, environment: EnvironmentPolicy): Promise<GlobalHeaderPolicy> {
  const row = environment.source === 'env' ? undefined : await findHeaderPolicy(sql);
  return resolveGlobalPolicy(row?.document, environment);
}

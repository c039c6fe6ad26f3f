import { GatewayError } from '@gatehouse/errors';
import { type EnvironmentPolicy, type GlobalHeaderPolicy, resolveGlobalPolicy, storedHeaderPolicy, unknownGlobalPolicy, type Warning } from '@gatehouse/gateway-config';
import type { Sql } from '../database/sql.ts';
import { findHeaderPolicy, type HeaderPolicyRow } from './header-policy.store.ts';

/**
 * The global policy that data planes go by. With source `env` the database is not asked (P16).
 * @throws GatewayError header_policy_unreadable
 */
export async function readGlobalPolicy(sql: Sql, environment: EnvironmentPolicy): Promise<GlobalHeaderPolicy> {
  return resolvePolicyRow(environment.source === 'env' ? undefined : await findHeaderPolicy(sql), environment);
}

/** @throws GatewayError header_policy_unreadable, where this release does not take what is stored: to pass over it could let more pass than was meant */
export function resolvePolicyRow(row: HeaderPolicyRow | undefined, environment: EnvironmentPolicy): GlobalHeaderPolicy {
  const { error } = row === undefined ? {} : storedHeaderPolicy.safeParse(row.document);
  if (error) throw new GatewayError('header_policy_unreadable', { cause: error });
  return resolveGlobalPolicy(row?.document, environment);
}

/** For what only shows it: in the place of a stored one that this release does not take, one under which nothing passes. */
export async function readKnownPolicy(sql: Sql, environment: EnvironmentPolicy): Promise<{ readonly policy: GlobalHeaderPolicy; readonly warnings: Warning[] }> {
  try {
    return { policy: await readGlobalPolicy(sql, environment), warnings: [] };
  } catch (error) {
    if (!isUnreadablePolicy(error)) throw error;
    return { policy: unknownGlobalPolicy, warnings: [unreadablePolicy] };
  }
}

export const unreadablePolicy: Warning = {
  code: 'header_policy_unreadable', pointer: '',
  detail: 'What is stored as the global header policy is not one that this release takes. Where it counts, a data plane keeps the one it had, and passes nothing where it had none. Replace it or delete it.',
};

export const isUnreadablePolicy = (error: unknown): error is GatewayError => error instanceof GatewayError && error.code === 'header_policy_unreadable';

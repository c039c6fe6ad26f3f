import { type EnvironmentPolicy, type ReadableHeaderPolicy, readableHeaderPolicy, unknownGlobalPolicy } from '@gatehouse/gateway-config';
import type { Versioned } from '../http/entity-tag.ts';
import type { HeaderPolicyRow } from './header-policy.store.ts';
import { policyWarnings } from './policy-warnings.ts';
import { isUnreadablePolicy, resolvePolicyRow, unreadablePolicy } from './read-global-policy.ts';

/**
 * The policy as it is read; without a document, what holds then.
 * @throws GatewayError header_policy_unreadable
 */
export function presentHeaderPolicy(row: HeaderPolicyRow | undefined, environment: EnvironmentPolicy): ReadableHeaderPolicy {
  const { revision, updatedAt } = versionOf(row);
  const effective = resolvePolicyRow(row, environment);
  return readableHeaderPolicy.parse({
    kind: 'HeaderPolicy',
    enabled: true,
    ...row?.document,
    revision,
    ...(updatedAt !== undefined && { updatedAt: new Date(updatedAt).toISOString() }),
    effective,
    warnings: policyWarnings(row?.document, environment, effective),
  });
}

/** Whatever is stored: of what this release does not take nothing is shown, but that nothing passes unless the environment alone counts. */
export function presentStoredPolicy(row: HeaderPolicyRow | undefined, environment: EnvironmentPolicy): ReadableHeaderPolicy {
  try {
    return presentHeaderPolicy(row, environment);
  } catch (error) {
    if (!isUnreadablePolicy(error)) throw error;
    const shown = presentHeaderPolicy(row && { ...row, document: { enabled: false } }, environment);
    const effective = environment.source === 'env' ? shown.effective : unknownGlobalPolicy;
    return { ...shown, effective, warnings: [unreadablePolicy, ...shown.warnings] };
  }
}

/** No document is a version too: its ETag is "0". */
export const versionOf = (row: HeaderPolicyRow | undefined): Versioned => row ?? { revision: 0, updatedAt: undefined };

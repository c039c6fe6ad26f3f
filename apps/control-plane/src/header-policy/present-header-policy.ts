import { type EnvironmentPolicy, type ReadableHeaderPolicy, readableHeaderPolicy } from '@gatehouse/gateway-config';
import type { Versioned } from '../http/entity-tag.ts';
import type { HeaderPolicyRow } from './header-policy.store.ts';
import { policyWarnings } from './policy-warnings.ts';
import { resolvePolicyRow } from './read-global-policy.ts';

/** The policy as it is read; without a document, what holds then. */
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

/** No document is a version too: its ETag is "0". */
export const versionOf = (row: HeaderPolicyRow | undefined): Versioned => row ?? { revision: 0, updatedAt: undefined };

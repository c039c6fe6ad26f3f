import type { IdentityProviderDocument } from '@gatehouse/gateway-config';
import { type Role, roles } from './person.ts';

/** Which groups (and values of the roles claim) have which role. */
export type RoleMapping = NonNullable<IdentityProviderDocument['roles']>;

/** Someone's roles: everyone is a member; the rest by the provider's groups, or given by an administrator. */
export function rolesOf(values: readonly string[], mapping: RoleMapping, assigned: readonly Role[]): Role[] {
  return roles.filter((role) => role === 'member' || assigned.includes(role) || (mapping[role] ?? []).some((value) => values.includes(value)));
}

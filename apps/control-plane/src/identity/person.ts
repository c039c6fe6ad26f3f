/** What a person may do, the least first: each may do what those before it may. */
export const roles = ['member', 'auditor', 'editor', 'admin'] as const;

export type Role = (typeof roles)[number];

/** Someone who logged in at least once, or was invited to. */
export interface Person {
  /** uuid v7 */
  readonly id: string;
  /** Name of an IdentityProvider, or `local`. */
  readonly provider: string;
  readonly subject: string;
  /** An attribute and never a key: providers let it change and be given to others. */
  readonly email: string | undefined;
  readonly name: string;
  readonly groups: readonly string[];
  /** Everyone is a member. */
  readonly roles: readonly Role[];
  /** By an administrator, or because the provider is gone, switched off or another issuer by now. */
  readonly disabled: boolean;
}

/** The provider of accounts that the gateway keeps itself. */
export const localProvider = 'local';

/** The highest of someone's roles. */
export function highestRole(held: readonly Role[]): Role {
  return roles.findLast((role) => held.includes(role)) ?? 'member';
}

export const isAtLeast = (role: Role, least: Role): boolean => roles.indexOf(role) >= roles.indexOf(least);

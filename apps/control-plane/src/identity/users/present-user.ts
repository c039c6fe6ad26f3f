import type { GrantRow } from '../../agents-oauth/grants.store.ts';
import type { SessionRow } from '../browser-sessions.store.ts';
import type { PersonRow } from '../people.store.ts';
import type { Person } from '../person.ts';
import type { ReadableGrant, ReadableSession, ReadableUser } from './user.dto.ts';

/** A person as administrators see them. */
export function presentUser(row: PersonRow, { roles }: Person): ReadableUser {
  const { id, provider, subject, email, name, groups, assignedRoles, disabled, suspended, hasPassword, revision, createdAt, updatedAt, lastLoginAt } = row;
  return {
    kind: 'User', id, provider, subject, name, groups, roles, assignedRoles, disabled, suspended, hasPassword, revision,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
    ...(email !== null && { email }),
    ...(lastLoginAt !== null && { lastLoginAt: lastLoginAt.toISOString() }),
  };
}

export const presentSession = ({ id, createdAt, lastUsedAt, expiresAt }: SessionRow, current?: string): ReadableSession => ({
  id,
  createdAt: createdAt.toISOString(),
  lastUsedAt: lastUsedAt.toISOString(),
  expiresAt: expiresAt.toISOString(),
  ...(current !== undefined && { current: id === current }),
});

export const presentGrant = ({ id, clientId, clientName, redirectHost, resource, createdAt, lastUsedAt }: GrantRow): ReadableGrant => ({
  id, clientId, clientName, redirectHost, resource, createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt.toISOString(),
});

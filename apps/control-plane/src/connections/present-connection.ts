import type { ReadableConnection, ReadableConnectLink } from './connection.dto.ts';
import type { IssuedConnectLink } from './connect-links.service.ts';
import type { ListedConnection } from './connections.store.ts';

type Failure = ReadableConnection['failure'];

/** A connection as it is read: everything but what it is for. */
export function presentConnection(row: ListedConnection): ReadableConnection {
  const { id, ownerKind, ownerId, personId, personName, personEmail, account, scopes, state, failure, refreshable, expiresAt, refreshedAt, lastUsedAt, createdAt } = row;
  const name = row.ownerName ?? ownerId;
  return {
    kind: 'Connection', id,
    owner: { kind: ownerKind === 'app' ? 'app' : 'server', id: ownerId, name, title: row.ownerTitle ?? name },
    ...(personId !== null && { user: { id: personId, name: personName ?? '', ...(personEmail !== null && { email: personEmail }) } }),
    ...(account !== null && { account }),
    scopes, state,
    ...(failure !== null && { failure: failure as NonNullable<Failure> }),
    refreshable,
    ...(expiresAt !== null && { expiresAt: expiresAt.toISOString() }),
    refreshedAt: refreshedAt.toISOString(),
    ...(lastUsedAt !== null && { lastUsedAt: lastUsedAt.toISOString() }),
    createdAt: createdAt.toISOString(),
  };
}

export const presentLink = ({ connectUrl, linkId, expiresAt }: IssuedConnectLink): ReadableConnectLink => ({ connectUrl, linkId, expiresAt: new Date(expiresAt).toISOString() });

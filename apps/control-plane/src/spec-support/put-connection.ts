import { Secret } from '@gatehouse/sealing';
import type { StrictProvider } from '../../../../test/support/strict-oauth-provider.ts';
import type { ConnectionOwner } from '../connections/connection.ts';
import { insertConnection } from '../connections/connections.store.ts';
import type { TokenSeals } from '../connections/token-seals.ts';
import type { Database } from '../database/database.ts';
import { uuidV7 } from '../database/uuid-v7.ts';

export interface ConnectionParts {
  readonly database: Database;
  readonly seals: TokenSeals;
  readonly provider: StrictProvider;
}

export interface PlacedConnection {
  readonly person: string | null;
  readonly owner: ConnectionOwner;
  readonly expiresInSeconds: number | null;
  readonly scopes?: readonly string[];
  readonly withRefreshToken?: boolean;
  /** How long ago. */
  readonly lastRefresh?: string;
}

/** A connection as though someone had just agreed at the provider. */
export async function putConnection(
  { database, seals, provider }: ConnectionParts, { person, owner, expiresInSeconds, scopes = ['read'], withRefreshToken = true, lastRefresh = '1 hour' }: PlacedConnection,
): Promise<{ id: string; accessToken: string; refreshToken: string }> {
  const id = uuidV7();
  const { accessToken, refreshToken } = await provider.issue(id);
  const tokens = { accessToken: new Secret(accessToken), refreshToken: withRefreshToken ? new Secret(refreshToken) : undefined, idToken: undefined };
  await database.transaction(async (sql) => {
    const sealed = await seals.seal(sql, { id, workspaceId: owner.workspaceId, ownerId: owner.id, personId: person }, tokens);
    await insertConnection(sql, { id, owner, personId: person, sessionId: null, ...sealed, refreshable: withRefreshToken, scopes, account: null, expiresInSeconds, nextRefreshSeconds: null });
    await sql(`update connections set refreshed_at = now() - $2::interval where id = $1`, [id, lastRefresh]);
  });
  return { id, accessToken, refreshToken };
}

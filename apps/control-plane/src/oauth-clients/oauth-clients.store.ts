import type { Sql } from '../database/sql.ts';

export type Registration = 'administrator' | 'self';

/** A client as oidc-provider finds it. One that an administrator registered has no end. */
export interface OAuthClientRow {
  readonly model: string;
  readonly idHash: Buffer;
  readonly sealed: Buffer;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
}

/** In an order that means nothing, and stays. */
export function listOAuthClients(sql: Sql, registration: Registration | undefined, after: Buffer | undefined, limit: number): Promise<OAuthClientRow[]> {
  return sql<OAuthClientRow>(
    `select model, id_hash as "idHash", sealed, created_at as "createdAt", expires_at as "expiresAt" from oauth_state
     where model = 'Client' and (expires_at is null or expires_at > now()) and ($1::text is null or (expires_at is null) = ($1 = 'administrator')) and ($2::bytea is null or id_hash > $2)
     order by id_hash limit $3`,
    [registration ?? null, after ?? null, limit],
  );
}

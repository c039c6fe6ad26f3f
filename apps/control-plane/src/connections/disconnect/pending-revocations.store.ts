import type { Sql } from '../../database/sql.ts';

export interface SealedClient {
  readonly id: string;
  readonly workspaceId: string;
  readonly sealed: Buffer;
  readonly keyTerm: number;
}

/** Where a client is sealed to. */
export const revocationClientContext = ({ id, workspaceId }: Pick<SealedClient, 'id' | 'workspaceId'>) => [workspaceId, 'revocation_clients', id, 'client'] as const;

export async function insertRevocationClient(sql: Sql, { id, workspaceId, sealed, keyTerm }: SealedClient): Promise<void> {
  await sql('insert into revocation_clients (id, workspace_id, sealed, key_term) values ($1, $2, $3, $4)', [id, workspaceId, sealed, keyTerm]);
}

export interface NewRevocation {
  readonly clientId: string;
  readonly connectionId: string;
  readonly workspaceId: string;
  readonly ownerId: string;
  readonly personId: string | null;
  /** As in the connection. */
  readonly sealed: Buffer;
  readonly keyTerm: number;
}

export async function insertPendingRevocation(sql: Sql, { clientId, connectionId, workspaceId, ownerId, personId, sealed, keyTerm }: NewRevocation): Promise<void> {
  await sql(
    `insert into pending_revocations (id, client_id, connection_id, workspace_id, owner_id, person_id, sealed, key_term)
     values (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7)`,
    [clientId, connectionId, workspaceId, ownerId, personId, sealed, keyTerm],
  );
}

/** Deletes connections and leaves their tokens to be revoked; sealed as they are, however many. */
export async function moveToPending(sql: Sql, clientId: string, connectionIds: readonly string[]): Promise<void> {
  await sql(
    `insert into pending_revocations (id, client_id, connection_id, workspace_id, owner_id, person_id, sealed, key_term)
     select gen_random_uuid(), $1, id, workspace_id, owner_id, person_id, sealed, key_term from connections where id = any($2)`,
    [clientId, connectionIds],
  );
}

export interface DueRevocation {
  readonly id: string;
  readonly connectionId: string;
  readonly clientId: string;
  readonly workspaceId: string;
  readonly ownerId: string;
  readonly personId: string | null;
  readonly sealed: Buffer;
  readonly sealedClient: Buffer;
  readonly attempts: number;
  readonly isOld: boolean;
  /** There is a connection in its place by now. */
  readonly isReconnected: boolean;
}

/** Those that are due, for this replica alone for so long; another tries again should it die. */
export function claimRevocations(sql: Sql, limit: number, claimSeconds: number): Promise<DueRevocation[]> {
  return sql<DueRevocation>(
    `update pending_revocations p set attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $2)
     from revocation_clients k where k.id = p.client_id and p.id in
       (select d.id from pending_revocations d where d.next_attempt_at <= now() order by d.next_attempt_at limit $1 for update skip locked)
     returning p.id, p.connection_id as "connectionId", p.client_id as "clientId", p.workspace_id as "workspaceId", p.owner_id as "ownerId", p.person_id as "personId", p.sealed, k.sealed as "sealedClient",
       p.attempts, p.created_at < now() - interval '1 day' as "isOld",
       exists (select from connections c where c.owner_id = p.owner_id and c.person_id is not distinct from p.person_id and c.session_id is null) as "isReconnected"`,
    [limit, claimSeconds],
  );
}

export async function postponeRevocation(sql: Sql, id: string, seconds: number): Promise<void> {
  await sql('update pending_revocations set next_attempt_at = now() + make_interval(secs => $2) where id = $1', [id, seconds]);
}

export async function deleteRevocation(sql: Sql, id: string): Promise<void> {
  await sql('delete from pending_revocations where id = $1', [id]);
}

/** Those that nothing is left to be revoked for. */
export async function forgetRevocationClients(sql: Sql): Promise<void> {
  await sql(`delete from revocation_clients k where created_at < now() - interval '1 hour' and not exists (select from pending_revocations p where p.client_id = k.id)`);
}

import type { Sql } from '../database/sql.ts';
import type { Connection, ConnectionOwner } from './connection.ts';

/** A row with its tokens, and what time it is for them by the database's clock, which all replicas share. */
export interface SealedConnection extends Connection {
  readonly sealed: Buffer;
  readonly rotates: boolean | null;
  readonly failures: number;
  /** Until the access token expires; null where that is not known. */
  readonly remainingMs: number | null;
  /** It has expired, or is about to: time to have another. */
  readonly isDue: boolean;
  /** A replica is refreshing it, or was when it died. */
  readonly isLeased: boolean;
  /** The last refresh failed, and it is not time for the next one yet. */
  readonly isPausing: boolean;
  /** It was refreshed a moment ago: another refresh would make it no better. */
  readonly isFresh: boolean;
  /** Its use is to be noted. */
  readonly isUseStale: boolean;
}

/** About to expire: half a minute, or a fifth of a short life. */
const isDue = `(c.expires_at is not null and c.expires_at <= now() + least(interval '30 seconds', (c.expires_at - c.refreshed_at) * 0.2))`;

/** What is said of a connection: one that has expired and cannot be refreshed is not active, whatever its row still says. */
export const effectiveState = `case when c.state = 'active' and not c.refreshable and c.expires_at <= now() then 'reconnect_required' else c.state end`;

/** Of the table `connections c`. */
export const connectionColumns = `c.id, c.workspace_id as "workspaceId", c.owner_kind as "ownerKind", c.owner_id as "ownerId", c.person_id as "personId",
  c.session_id as "sessionId", c.client_id as "clientId", c.token_version as "tokenVersion", c.refreshable, c.scopes, c.expires_at as "expiresAt", ${effectiveState} as state, c.account,
  c.failure, c.refreshed_at as "refreshedAt", c.last_used_at as "lastUsedAt", c.created_at as "createdAt"`;

export const sealedColumns = `${connectionColumns}, c.sealed, c.rotates, c.failures,
  (extract(epoch from c.expires_at - now()) * 1000)::float8 as "remainingMs", coalesce(${isDue}, false) as "isDue",
  c.lease_owner is not null and c.lease_until > now() as "isLeased", coalesce(c.retry_at > now(), false) as "isPausing",
  c.refreshed_at > now() - interval '60 seconds' as "isFresh",
  c.last_used_at is null or c.last_used_at < greatest(c.refreshed_at, now() - interval '5 minutes') as "isUseStale"`;

export async function readConnection(sql: Sql, id: string): Promise<SealedConnection | undefined> {
  const [row] = await sql<SealedConnection>(`select ${sealedColumns} from connections c where c.id = $1`, [id]);
  return row;
}

/** Whose a connection is, besides its owner: a person's, the organisation's (neither), or that of a person's login session. */
export interface ConnectionHolder {
  readonly personId: string | null;
  readonly sessionId: string | null;
}

export interface NewConnection extends ConnectionHolder {
  readonly id: string;
  readonly owner: ConnectionOwner;
  /** Of a server that was discovered. */
  readonly clientId?: string | undefined;
  readonly sealed: Buffer;
  readonly keyTerm: number;
  readonly refreshable: boolean;
  readonly scopes: readonly string[];
  readonly account: string | null;
  readonly expiresInSeconds: number | null;
  readonly nextRefreshSeconds: number | null;
}

export async function insertConnection(sql: Sql, connection: NewConnection): Promise<void> {
  const { id, owner, clientId = null, personId, sessionId, sealed, keyTerm, refreshable, scopes, account, expiresInSeconds, nextRefreshSeconds } = connection;
  await sql(
    `insert into connections (id, workspace_id, owner_kind, owner_id, person_id, session_id, sealed, key_term, refreshable, scopes, account, expires_at, next_refresh_at, client_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now() + make_interval(secs => $12), now() + make_interval(secs => $13), $14)`,
    [id, owner.workspaceId, owner.kind, owner.id, personId, sessionId, sealed, keyTerm, refreshable, JSON.stringify(scopes), account, expiresInSeconds, nextRefreshSeconds, clientId],
  );
}

/** The tokens were given to somebody. Not with each use, and nothing waits for it. */
export async function noteUse(sql: Sql, id: string): Promise<void> {
  await sql('update connections set last_used_at = now() where id = $1', [id]);
}

/** Those of an owner, of a person (with the tokens of all logins or without them), or one. */
export type WhichConnections =
  | { readonly owner: string }
  | { readonly person: string; readonly kinds: 'sessions' | 'all'; readonly session?: string | undefined }
  | { readonly connection: string; readonly workspaceId?: string; readonly personId?: string };

function conditionOf(which: WhichConnections): readonly [condition: string, parameters: readonly unknown[]] {
  if ('owner' in which) return ['c.owner_id = $1', [which.owner]];
  if ('connection' in which) {
    const { connection, workspaceId = null, personId = null } = which;
    return ['c.id = $1 and ($2::uuid is null or c.workspace_id = $2) and ($3::uuid is null or c.person_id = $3) and c.session_id is null', [connection, workspaceId, personId]];
  }
  const { person, kinds, session = null } = which;
  return [`c.person_id = $1 and ($2 or c.session_id is not null) and ($3::uuid is null or c.session_id = $3)`, [person, kinds === 'all', session]];
}

/** In order, so that two that end many do not wait for each other. */
export function lockConnections(sql: Sql, which: WhichConnections): Promise<Connection[]> {
  const [condition, parameters] = conditionOf(which);
  return sql<Connection>(`select ${connectionColumns} from connections c where ${condition} order by c.id for update`, parameters);
}

export async function deleteConnections(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql('delete from connections where id = any($1)', [ids]);
}

/** Whose tokens they are, and whom they were given to. */
export interface OwnerAndClient extends Pick<ConnectionOwner, 'kind' | 'id'> {
  readonly clientId: string | null;
}

export function ownersOf(sql: Sql, which: WhichConnections): Promise<OwnerAndClient[]> {
  const [condition, parameters] = conditionOf(which);
  return sql(`select distinct c.owner_kind as kind, c.owner_id as id, c.client_id as "clientId" from connections c where ${condition}`, parameters);
}

/** What the workspaces and owners of connections are called, by id. */
export async function namesOf(sql: Sql, connections: readonly Connection[]): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(connections.flatMap(({ workspaceId, ownerId }) => [workspaceId, ownerId]))];
  const rows = await sql<{ id: string; name: string }>(
    'select id, name from workspaces where id = any($1) union all select id, name from apps where id = any($1) union all select id, name from servers where id = any($1)',
    [ids],
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** A connection as lists show it. */
export interface ListedConnection extends Connection {
  /** What people call the app, the server or the identity provider. */
  readonly ownerName: string | null;
  readonly ownerTitle: string | null;
  readonly personName: string | null;
  readonly personEmail: string | null;
}

export interface ConnectionFilter {
  readonly workspaceId?: string | undefined;
  readonly personId?: string | undefined;
  readonly app?: string | undefined;
  readonly state?: string | undefined;
  /** An id, or an e-mail address. */
  readonly user?: string | undefined;
  readonly id?: string | undefined;
}

/** Those of logins are sessions and not listed. By id, which is by age. */
export function listConnections(sql: Sql, { workspaceId, personId, app, state, user, id }: ConnectionFilter, after: string | undefined, limit: number): Promise<ListedConnection[]> {
  return sql<ListedConnection>(
    `select * from (
       select ${connectionColumns}, coalesce(a.name, s.name) as "ownerName", coalesce(a.document->>'title', s.document->>'title') as "ownerTitle",
         p.name as "personName", p.email as "personEmail"
       from connections c left join apps a on a.id = c.owner_id left join servers s on s.id = c.owner_id left join people p on p.id = c.person_id
       where c.session_id is null and ($1::uuid is null or c.workspace_id = $1) and ($2::uuid is null or c.person_id = $2) and ($3::uuid is null or c.id = $3)
         and ($4::text is null or coalesce(a.name, s.name) = $4 or c.owner_id::text = $4) and ($5::text is null or p.id::text = $5 or p.email = $5)
         and ($6::uuid is null or c.id > $6)
     ) c where $7::text is null or c.state = $7 order by c.id limit $8`,
    [workspaceId ?? null, personId ?? null, id ?? null, app ?? null, user ?? null, after ?? null, state ?? null, limit],
  );
}

/** The connection that takes a new one's place, locked. */
export async function findHeld(sql: Sql, ownerId: string, personId: string | null): Promise<SealedConnection | undefined> {
  const [row] = await sql<SealedConnection>(
    `select ${sealedColumns} from connections c where c.owner_id = $1 and c.person_id is not distinct from $2 and c.session_id is null for update`,
    [ownerId, personId],
  );
  return row;
}

/** What the connection that would be replaced was given. */
export async function findHeldScopes(sql: Sql, ownerId: string, personId: string | null): Promise<readonly string[]> {
  const [row] = await sql<{ scopes: readonly string[] }>('select scopes from connections where owner_id = $1 and person_id is not distinct from $2 and session_id is null', [ownerId, personId]);
  return row?.scopes ?? [];
}

/** Whether an owner is there, and stays until the end of the transaction. */
export async function ownerExists(sql: Sql, { kind, id }: ConnectionOwner): Promise<boolean> {
  const table = { app: 'apps', server: 'servers', 'identity-provider': 'identity_providers' }[kind];
  return (await sql(`select from ${table} where id = $1 for key share`, [id])).length > 0;
}

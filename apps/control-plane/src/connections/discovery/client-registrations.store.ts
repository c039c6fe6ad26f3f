import type { Sql } from '../../database/sql.ts';
import type { FoundAuthorizationServer } from './find-authorization-server.ts';
import type { ClientAuth } from './register-client.ts';

/** Us as a client of an authorization server that was discovered; one for each workspace and issuer. */
export interface RegistrationRow {
  readonly id: string;
  readonly workspaceId: string;
  readonly issuer: string;
  /** As its metadata was last. */
  readonly server: FoundAuthorizationServer;
  /** It is where only the deployment's own setting allows connections. */
  readonly isNear: boolean;
  /** How it came to the client id; null as long as there is none. */
  readonly kind: 'metadata-document' | 'registration' | null;
  readonly clientId: string | null;
  readonly clientAuth: ClientAuth | null;
  /** What it was registered with: the control plane may have another URL now. */
  readonly redirectUri: string | null;
  /** The client secret; null where there is none. */
  readonly sealed: Buffer | null;
  /** Its secret is good for a while, or for ever. */
  readonly isCurrent: boolean;
  /** The server knew the client a moment ago. */
  readonly isChecked: boolean;
}

const columns = `id, workspace_id as "workspaceId", issuer, server, is_near as "isNear", kind, client_id as "clientId", client_auth as "clientAuth", redirect_uri as "redirectUri", sealed,
  coalesce(secret_expires_at > now() + interval '15 minutes', true) as "isCurrent", coalesce(checked_at > now() - interval '1 minute', false) as "isChecked"`;

/** Where a client secret is sealed to. */
export const registrationContext = ({ workspaceId, id }: Pick<RegistrationRow, 'workspaceId' | 'id'>) => [workspaceId, 'client_registrations', id, 'client_secret'] as const;

/** The one of a workspace and issuer, made where there is none, with what the issuer says now. */
export async function putRegistration(sql: Sql, newId: string, workspaceId: string, server: FoundAuthorizationServer, isNear: boolean): Promise<RegistrationRow> {
  const [row] = await sql<RegistrationRow>(
    `insert into client_registrations (id, workspace_id, issuer, server, is_near) values ($1, $2, $3, $4, $5)
     on conflict (workspace_id, issuer) do update set server = excluded.server, is_near = excluded.is_near, updated_at = now() returning ${columns}`,
    [newId, workspaceId, server.issuer, JSON.stringify(server), isNear],
  );
  if (!row) throw new TypeError('an upsert returns its row');
  return row;
}

export async function readRegistration(sql: Sql, id: string): Promise<RegistrationRow | undefined> {
  const [row] = await sql<RegistrationRow>(`select ${columns} from client_registrations where id = $1`, [id]);
  return row;
}

export interface NewClient {
  readonly kind: 'metadata-document' | 'registration';
  readonly clientId: string;
  readonly clientAuth: ClientAuth;
  readonly redirectUri: string;
  readonly sealed: Buffer | null;
  readonly keyTerm: number | null;
  readonly secretExpiresAt: number | null;
}

/** Of two that register at the same moment the first counts: `former` is the client id that the new one takes the place of. */
export async function storeClient(sql: Sql, id: string, former: string | null, { kind, clientId, clientAuth, redirectUri, sealed, keyTerm, secretExpiresAt }: NewClient): Promise<RegistrationRow | undefined> {
  const [row] = await sql<RegistrationRow>(
    `update client_registrations set kind = $3, client_id = $4, client_auth = $5, sealed = $6, key_term = $7, secret_expires_at = to_timestamp($8 / 1000.0), redirect_uri = $9, checked_at = now(), updated_at = now()
     where id = $1 and client_id is not distinct from $2 returning ${columns}`,
    [id, former, kind, clientId, clientAuth, sealed, keyTerm, secretExpiresAt, redirectUri],
  );
  return row;
}

export async function noteChecked(sql: Sql, id: string): Promise<void> {
  await sql('update client_registrations set checked_at = now() where id = $1', [id]);
}

/** Before another client takes its place: the tokens that there are were given to this one. */
export async function keepFormerClient(sql: Sql, id: string, clientId: string): Promise<void> {
  const kept = await sql(
    `insert into former_clients (id, workspace_id, registration_id, client_id, client_auth, sealed, key_term)
     select gen_random_uuid(), workspace_id, id, client_id, coalesce(client_auth, 'none'), sealed, key_term from client_registrations where id = $1 and client_id = $2 for update
     on conflict (registration_id, client_id) do nothing returning id`,
    [id, clientId],
  );
  if (kept.length === 0) return;
  // An earlier release does not say whom they were given to.
  await sql(
    `update connections set client_id = $2 where client_id is null and owner_kind = 'server' and owner_id in (select server_id from discovered_servers where registration_id = $1)`,
    [id, clientId],
  );
}

export async function readFormerClient(sql: Sql, id: string, clientId: string): Promise<Pick<RegistrationRow, 'clientId' | 'clientAuth' | 'sealed'> | undefined> {
  const [row] = await sql<Pick<RegistrationRow, 'clientId' | 'clientAuth' | 'sealed'>>(
    'select client_id as "clientId", client_auth as "clientAuth", sealed from former_clients where registration_id = $1 and client_id = $2',
    [id, clientId],
  );
  return row;
}

const connectionsOf = 'select from connections c join discovered_servers d on d.server_id = c.owner_id where d.registration_id';

/** Those that no connection needs, nor one that is being made. Whoever connects there again registers again. */
export async function forgetUnusedClients(sql: Sql): Promise<void> {
  await sql(`delete from former_clients f where created_at < now() - interval '1 day' and not exists (${connectionsOf} = f.registration_id and c.client_id = f.client_id)`);
  await sql(`delete from client_registrations r where greatest(updated_at, checked_at) < now() - interval '1 day' and not exists (${connectionsOf} = r.id)`);
}

/** The server does not know the client any more: whoever connects next registers again. */
export async function forgetClient(sql: Sql, id: string, clientId: string): Promise<void> {
  await sql('delete from former_clients where registration_id = $1 and client_id = $2', [id, clientId]);
  await sql(
    `update client_registrations set kind = null, client_id = null, redirect_uri = null, client_auth = null, sealed = null, key_term = null, secret_expires_at = null, checked_at = null, updated_at = now()
     where id = $1 and client_id = $2 and kind = 'registration'`,
    [id, clientId],
  );
}

/** Whether there is one that is known by its metadata document. */
export const isMetadataDocument = async (sql: Sql, id: string): Promise<boolean> =>
  (await sql(`select from client_registrations where id = $1 and kind = 'metadata-document'`, [id])).length > 0;

import type { Sql } from '../../database/sql.ts';

/** A server of the registry whose upstream says itself where people authorize. */
export interface DiscoverableServer {
  readonly id: string;
  readonly workspaceId: string;
  readonly workspace: string;
  readonly name: string;
  readonly title: string;
  readonly upstreamUrl: string;
  readonly transport: 'streamable-http' | 'sse';
}

export async function findDiscoverable(sql: Sql, id: string): Promise<DiscoverableServer | undefined> {
  const [row] = await sql<DiscoverableServer>(
    `select s.id, s.workspace_id as "workspaceId", w.name as workspace, s.name, coalesce(s.document->>'title', s.name) as title,
       s.document->'upstream'->>'url' as "upstreamUrl", coalesce(s.document->'upstream'->>'transport', 'streamable-http') as transport
     from servers s join workspaces w on w.id = s.workspace_id
     where s.id = $1 and s.document->'appAuth'->>'type' = 'oauth-authorization-code' and s.document->'appAuth'->'discover' = 'true'`,
    [id],
  );
  return row;
}

/** What the connections of a server are of. */
export interface SettledServer {
  readonly registrationId: string;
  readonly resource: string | undefined;
}

export async function findSettled(sql: Sql, serverId: string): Promise<SettledServer | undefined> {
  const [row] = await sql<{ registrationId: string; resource: string | null }>(
    'select registration_id as "registrationId", resource from discovered_servers where server_id = $1',
    [serverId],
  );
  return row && { registrationId: row.registrationId, resource: row.resource ?? undefined };
}

/** @returns what it was before, locked until the end of the transaction */
export async function putSettled(sql: Sql, serverId: string, { registrationId, resource = null }: { readonly registrationId: string; readonly resource?: string | null | undefined }): Promise<string | undefined> {
  const [former] = await sql<{ registrationId: string }>('select registration_id as "registrationId" from discovered_servers where server_id = $1 for update', [serverId]);
  await sql(
    `insert into discovered_servers (server_id, registration_id, resource) values ($1, $2, $3)
     on conflict (server_id) do update set registration_id = excluded.registration_id, resource = excluded.resource, updated_at = now()`,
    [serverId, registrationId, resource],
  );
  return former?.registrationId;
}

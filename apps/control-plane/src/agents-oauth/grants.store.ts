import type { Sql } from '../database/sql.ts';

/** What a person allowed a client: to reach one server in their name. */
export interface GrantRow {
  readonly id: string;
  readonly personId: string;
  /** The browser's session it was given in; null where the identity provider gave it by itself. */
  readonly sessionId: string | null;
  readonly clientId: string;
  readonly clientName: string;
  readonly redirectHost: string;
  readonly resource: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
}

const columns = `g.id, g.person_id as "personId", g.session_id as "sessionId", g.client_id as "clientId", g.client_name as "clientName",
  g.redirect_host as "redirectHost", g.resource, g.created_at as "createdAt", g.last_used_at as "lastUsedAt"`;

export async function insertGrant(sql: Sql, grant: Omit<GrantRow, 'createdAt' | 'lastUsedAt'>): Promise<void> {
  await sql(
    `insert into oauth_grants (id, person_id, session_id, client_id, client_name, redirect_host, resource) values ($1, $2, $3, $4, $5, $6, $7)`,
    [grant.id, grant.personId, grant.sessionId, grant.clientId, grant.clientName, grant.redirectHost, grant.resource],
  );
}

/** The grant that an identity provider gives a client at a server: the same one each time, so that it can be seen and revoked. @returns its id */
export async function useProvidedGrant(sql: Sql, grant: Omit<GrantRow, 'createdAt' | 'lastUsedAt' | 'sessionId'>): Promise<string> {
  const [known] = await sql<{ id: string }>(
    `update oauth_grants set last_used_at = now() where session_id is null and person_id = $1 and client_id = $2 and resource = $3 returning id`,
    [grant.personId, grant.clientId, grant.resource],
  );
  if (known) return known.id;
  await insertGrant(sql, { ...grant, sessionId: null });
  return grant.id;
}

/** The newest first. */
export function listGrants(sql: Sql, personId: string): Promise<GrantRow[]> {
  return sql<GrantRow>(`select ${columns} from oauth_grants g where g.person_id = $1 order by g.id desc limit 1000`, [personId]);
}

export async function noteUse(sql: Sql, grantId: string): Promise<void> {
  await sql('update oauth_grants set last_used_at = now() where id = $1', [grantId]);
}

/** One of a person's, or all of them. Locked until the end of the transaction. */
export function lockGrants(sql: Sql, personId: string, grantId?: string): Promise<GrantRow[]> {
  return sql<GrantRow>(`select ${columns} from oauth_grants g where g.person_id = $1 and ($2::uuid is null or g.id = $2) order by g.id for update`, [personId, grantId ?? null]);
}

export async function lockGrant(sql: Sql, grantId: string): Promise<GrantRow | undefined> {
  const [row] = await sql<GrantRow>(`select ${columns} from oauth_grants g where g.id = $1 for update`, [grantId]);
  return row;
}

/** That were given in a browser's session, which may be over. Locked until the end of the transaction. */
export function lockGrantsOfSession(sql: Sql, personId: string, sessionId: string): Promise<GrantRow[]> {
  return sql<GrantRow>(`select ${columns} from oauth_grants g where g.person_id = $1 and g.session_id = $2 order by g.id for update`, [personId, sessionId]);
}

/** Of a client. Locked until the end of the transaction. */
export function lockGrantsOfClient(sql: Sql, clientId: string): Promise<GrantRow[]> {
  return sql<GrantRow>(`select ${columns} from oauth_grants g where g.client_id = $1 order by g.id for update`, [clientId]);
}

/** Of people whose identity provider is gone, or is another issuer by now. Locked until the end of the transaction. */
export function lockGrantsOfGoneProviders(sql: Sql): Promise<GrantRow[]> {
  return sql<GrantRow>(
    `select ${columns} from oauth_grants g join people p on p.id = g.person_id
     where p.provider <> 'local' and not exists (select from identity_providers i where i.name = p.provider and i.document->>'issuer' = p.issuer) order by g.id for update of g`,
  );
}

export async function deleteGrants(sql: Sql, grantIds: readonly string[]): Promise<void> {
  await sql('delete from oauth_grants where id = any($1)', [grantIds]);
}

/** Those that nothing is left of: their code was not used, or their refresh token has expired. */
export async function forgetSpentGrants(sql: Sql): Promise<void> {
  await sql(
    `with spent as (
       select id from oauth_grants g where last_used_at < now() - interval '1 hour'
         and not exists (select from oauth_state s where s.grant_id = g.id and s.model <> 'Grant' and s.consumed_at is null and s.expires_at > now())
       limit 1000 for update skip locked),
     states as (delete from oauth_state where grant_id in (select id from spent))
     delete from oauth_grants where id in (select id from spent)`,
  );
}

export async function existsGrant(sql: Sql, grantId: string): Promise<boolean> {
  return (await sql('select from oauth_grants where id = $1', [grantId])).length > 0;
}

import type { Sql } from '../database/sql.ts';

/** What a person allowed a client: to reach one server in their name. */
export interface GrantRow {
  readonly id: string;
  readonly personId: string;
  /** The browser's session it was given in. */
  readonly sessionId: string;
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

export async function deleteGrants(sql: Sql, grantIds: readonly string[]): Promise<void> {
  await sql('delete from oauth_grants where id = any($1)', [grantIds]);
}

/** Those that nothing is left of: their code was not used, or their refresh token has expired. */
export async function forgetSpentGrants(sql: Sql): Promise<void> {
  await sql(
    `with spent as (
       select id from oauth_grants g where created_at < now() - interval '1 hour'
         and not exists (select from oauth_state s where s.grant_id = g.id and s.model <> 'Grant' and s.consumed_at is null and s.expires_at > now())
       limit 1000 for update skip locked),
     states as (delete from oauth_state where grant_id in (select id from spent))
     delete from oauth_grants where id in (select id from spent)`,
  );
}

export async function existsGrant(sql: Sql, grantId: string): Promise<boolean> {
  return (await sql('select from oauth_grants where id = $1', [grantId])).length > 0;
}

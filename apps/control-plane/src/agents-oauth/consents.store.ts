import type { Sql } from '../database/sql.ts';

/** What somebody agreed to: this client, which sends its users back to this host, may reach this server in their name. */
export interface Consent {
  readonly personId: string;
  readonly clientId: string;
  readonly redirectHost: string;
  readonly resource: string;
}

/** Asked again after a year. */
const lifeDays = 365;

export async function hasConsented(sql: Sql, { personId, clientId, redirectHost, resource }: Consent, scopes: readonly string[]): Promise<boolean> {
  const rows = await sql(
    `select from oauth_consents where person_id = $1 and client_id = $2 and redirect_host = $3 and resource = $4 and scopes @> $5::jsonb
       and given_at > now() - interval '${lifeDays} days'`,
    [personId, clientId, redirectHost, resource, JSON.stringify(scopes)],
  );
  return rows.length > 0;
}

export async function putConsent(sql: Sql, { personId, clientId, redirectHost, resource }: Consent, scopes: readonly string[]): Promise<void> {
  await sql(
    `insert into oauth_consents (person_id, client_id, redirect_host, resource, scopes) values ($1, $2, $3, $4, $5)
     on conflict on constraint oauth_consents_pkey do update set scopes = excluded.scopes, given_at = now()`,
    [personId, clientId, redirectHost, resource, JSON.stringify(scopes)],
  );
}

export async function deleteConsent(sql: Sql, { personId, clientId, redirectHost, resource }: Consent): Promise<void> {
  await sql('delete from oauth_consents where person_id = $1 and client_id = $2 and redirect_host = $3 and resource = $4', [personId, clientId, redirectHost, resource]);
}

/** What was agreed to ends with the last grant that came of it: where nothing is seen, nothing is remembered. */
export async function forgetConsentsWithoutGrants(sql: Sql, personIds?: readonly string[]): Promise<void> {
  await sql(
    `delete from oauth_consents c where ($1::uuid[] is null or c.person_id = any($1))
       and not exists (select from oauth_grants g where g.person_id = c.person_id and g.client_id = c.client_id and g.redirect_host = c.redirect_host and g.resource = c.resource)`,
    [personIds ?? null],
  );
}

export async function deleteConsents(sql: Sql, personId: string): Promise<void> {
  await sql('delete from oauth_consents where person_id = $1', [personId]);
}

export async function forgetOldConsents(sql: Sql): Promise<void> {
  await sql(`delete from oauth_consents where given_at < now() - interval '${lifeDays} days'`);
}

import type { CredentialScope, WorkspaceAccess } from '@gatehouse/gateway-config';
import type { Sql } from '../database/sql.ts';

/** What else there is that a server's warnings depend on. */
export interface Surroundings {
  /** Names of the identity providers that people can log in at. */
  readonly identityProviders: readonly string[];
  /** Their issuers. */
  readonly issuers: readonly string[];
  /** Who belongs to the server's workspace; null for everyone who can log in. */
  readonly workspaceAccess: WorkspaceAccess | null;
  readonly hasOtherWorkspaces: boolean;
  /** Names of the apps of the server's workspace. */
  readonly apps: readonly string[];
  /** Its credentials. */
  readonly credentials: readonly { readonly name: string; readonly scope: CredentialScope }[];
}

export async function readProviderNames(sql: Sql): Promise<string[]> {
  const rows = await sql<{ name: string }>(`select name from identity_providers where coalesce((document->>'enabled')::boolean, true) order by name`);
  return rows.map(({ name }) => name);
}

export async function readSurroundings(sql: Sql, workspaceId: string): Promise<Surroundings> {
  const [row] = await sql<Omit<Surroundings, 'identityProviders'>>(
    `select access as "workspaceAccess", exists (select from workspaces o where o.id <> w.id) as "hasOtherWorkspaces",
       array(select name from apps a where a.workspace_id = w.id) as apps,
       (select coalesce(jsonb_agg(jsonb_build_object('name', name, 'scope', document->>'scope')), '[]') from credentials c where c.workspace_id = w.id) as credentials,
       array(select document->>'issuer' from identity_providers where coalesce((document->>'enabled')::boolean, true)) as issuers from workspaces w where w.id = $1`,
    [workspaceId],
  );
  return { identityProviders: await readProviderNames(sql), issuers: row?.issuers ?? [], workspaceAccess: row?.workspaceAccess ?? null, hasOtherWorkspaces: row?.hasOtherWorkspaces ?? false, apps: row?.apps ?? [], credentials: row?.credentials ?? [] };
}

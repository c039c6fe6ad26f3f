import type { CredentialScope } from '@gatehouse/gateway-config';
import { GatewayError } from '@gatehouse/errors';
import { violates } from '../database/database-errors.ts';
import { referenceColumn } from '../database/reference.ts';
import type { Sql } from '../database/sql.ts';
import type { StoredDocument } from '../servers/servers.store.ts';

export interface CredentialRow {
  readonly id: string;
  readonly workspaceId: string;
  /** The workspace's name. */
  readonly workspace: string;
  readonly name: string;
  readonly document: StoredDocument & { readonly scope: CredentialScope };
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Of the tables `credentials c` and `workspaces w`. */
export const credentialColumns = `c.id, c.workspace_id as "workspaceId", w.name as workspace, c.name, c.document, c.revision, c.created_at as "createdAt", c.updated_at as "updatedAt"`;

const select = `select ${credentialColumns} from credentials c join workspaces w on w.id = c.workspace_id`;

/** @throws GatewayError not_found; `reference` is a name or an id. */
export async function findCredential(sql: Sql, workspaceId: string, reference: string, lock = false): Promise<CredentialRow> {
  const column = referenceColumn(reference);
  const [row] = column ? await sql<CredentialRow>(`${select} where c.workspace_id = $1 and c.${column} = $2 ${lock ? 'for update of c' : ''}`, [workspaceId, reference]) : [];
  if (!row) throw new GatewayError('not_found', { detail: 'credential' });
  return row;
}

export function listCredentials(sql: Sql, workspaceId: string, after: string | undefined, limit: number): Promise<CredentialRow[]> {
  return sql<CredentialRow>(`${select} where c.workspace_id = $1 and c.name > $2 order by c.name limit $3`, [workspaceId, after ?? '', limit]);
}

export interface WrittenRow {
  readonly id: string;
  readonly name: string;
  readonly document: StoredDocument;
}

export async function insertCredential(sql: Sql, workspaceId: string, { id, name, document }: WrittenRow): Promise<void> {
  await refusingTakenNames(sql('insert into credentials (id, workspace_id, name, document) values ($1, $2, $3, $4)', [id, workspaceId, name, JSON.stringify(document)]));
}

export async function updateCredential(sql: Sql, { id, name, document }: WrittenRow): Promise<void> {
  await refusingTakenNames(sql('update credentials set name = $2, document = $3, revision = revision + 1, updated_at = now() where id = $1', [id, name, JSON.stringify(document)]));
}

export async function deleteCredential(sql: Sql, id: string): Promise<void> {
  await sql('delete from credentials where id = $1', [id]);
}

/** Servers whose outbound headers name a credential, in whichever scope. */
export function serversOfCredential(sql: Sql, workspaceId: string, name: string): Promise<{ id: string; name: string }[]> {
  const named = { outboundHeaders: [{ source: { type: 'credential', name } }] };
  return sql(`select id, name from servers where workspace_id = $1 and document @> $2::jsonb order by name`, [workspaceId, JSON.stringify(named)]);
}

async function refusingTakenNames(statement: Promise<unknown>): Promise<void> {
  try {
    await statement;
  } catch (error) {
    if (!violates(error, 'credentials_name')) throw error;
    throw new GatewayError('name_taken', { problems: [{ pointer: '/name', detail: 'is already in use in this workspace', code: 'name_taken' }] });
  }
}

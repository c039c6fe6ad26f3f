import { GatewayError } from '@gatehouse/errors';
import { violates } from '../../database/database-errors.ts';
import { referenceColumn } from '../../database/reference.ts';
import type { Sql } from '../../database/sql.ts';
import type { StoredDocument } from '../../servers/servers.store.ts';

export interface IdentityProviderRow {
  readonly id: string;
  readonly name: string;
  readonly document: StoredDocument;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const columns = `id, name, document, revision, created_at as "createdAt", updated_at as "updatedAt"`;

/** @throws GatewayError not_found; `reference` is a name or an id. */
export async function findIdentityProvider(sql: Sql, reference: string, lock = false): Promise<IdentityProviderRow> {
  const column = referenceColumn(reference);
  const [row] = column ? await sql<IdentityProviderRow>(`select ${columns} from identity_providers where ${column} = $1 ${lock ? 'for update' : ''}`, [reference]) : [];
  if (!row) throw new GatewayError('not_found', { detail: 'identity provider' });
  return row;
}

export function listIdentityProviders(sql: Sql, after: string | undefined, limit: number): Promise<IdentityProviderRow[]> {
  return sql<IdentityProviderRow>(`select ${columns} from identity_providers where name > $1 order by name limit $2`, [after ?? '', limit]);
}

const isEnabled = `coalesce((document->>'enabled')::boolean, true)`;

/** Those that one can log in at. */
export function listEnabledProviders(sql: Sql): Promise<IdentityProviderRow[]> {
  return sql<IdentityProviderRow>(`select ${columns} from identity_providers where ${isEnabled} order by name limit 100`);
}

/** An issuer has one document: of two, nobody could say whose word a token is. */
export async function findProviderOfIssuer(sql: Sql, issuer: string): Promise<IdentityProviderRow | undefined> {
  const [row] = await sql<IdentityProviderRow>(`select ${columns} from identity_providers where document->>'issuer' = $1 and ${isEnabled}`, [issuer]);
  return row;
}

/** What goes by the name of a provider: servers as `workspace/server`, and workspaces; the first twenty. */
export async function listWhatNames(sql: Sql, provider: string): Promise<string[]> {
  const rows = await sql<{ name: string }>(
    `select w.name || '/' || s.name as name from servers s join workspaces w on w.id = s.workspace_id
       where s.document #>> '{agentAuth,identityProvider}' = $1 or s.document #> '{access,allow}' @> jsonb_build_array(jsonb_build_object('identityProvider', $1::text))
     union all select name from workspaces where access->'allow' @> jsonb_build_array(jsonb_build_object('identityProvider', $1::text))
     order by name limit 20`,
    [provider],
  );
  return rows.map(({ name }) => name);
}

export interface WrittenRow {
  readonly id: string;
  readonly name: string;
  readonly document: StoredDocument;
}

export async function insertIdentityProvider(sql: Sql, { id, name, document }: WrittenRow): Promise<void> {
  await refusingTaken(sql('insert into identity_providers (id, name, document) values ($1, $2, $3)', [id, name, JSON.stringify(document)]));
}

export async function updateIdentityProvider(sql: Sql, { id, name, document }: WrittenRow): Promise<void> {
  await refusingTaken(
    sql('update identity_providers set name = $2, document = $3, revision = revision + 1, updated_at = now() where id = $1', [id, name, JSON.stringify(document)]),
  );
}

/** People keep their provider, whatever it is called. */
export async function renameProviderOfPeople(sql: Sql, from: string, to: string): Promise<void> {
  await refusingTaken(sql('update people set provider = $2 where provider = $1', [from, to]));
  await sql('update provider_tokens set provider = $2 where provider = $1', [from, to]);
}

export async function deleteIdentityProvider(sql: Sql, id: string): Promise<void> {
  await sql('delete from identity_providers where id = $1', [id]);
}

async function refusingTaken(statement: Promise<unknown>): Promise<void> {
  try {
    await statement;
  } catch (error) {
    if (violates(error, 'identity_providers_issuer')) {
      throw new GatewayError('validation_failed', { problems: [{ pointer: '/issuer', detail: 'is the issuer of another identity provider', code: 'issuer_taken' }] });
    }
    const detail = violates(error, 'identity_providers_name') ? 'is already in use' : 'is the name of a former provider, whose people are still known';
    if (!violates(error, 'identity_providers_name') && !violates(error, 'people_subject')) throw error;
    throw new GatewayError('name_taken', { problems: [{ pointer: '/name', detail, code: 'name_taken' }] });
  }
}

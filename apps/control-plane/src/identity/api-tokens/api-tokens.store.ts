import { GatewayError } from '@gatehouse/errors';
import { violates } from '../../database/database-errors.ts';
import { referenceColumn } from '../../database/reference.ts';
import type { Sql } from '../../database/sql.ts';
import type { Role } from '../person.ts';

export interface ApiTokenRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdBy: string;
  readonly createdAt: Date;
  /** Null: never. */
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
}

const columns = `id, name, role, created_by as "createdBy", created_at as "createdAt", expires_at as "expiresAt", last_used_at as "lastUsedAt"`;

export function listApiTokens(sql: Sql, after: string | undefined, limit: number): Promise<ApiTokenRow[]> {
  return sql<ApiTokenRow>(`select ${columns} from api_tokens where name > $1 order by name limit $2`, [after ?? '', limit]);
}

/** The token of a hash, as long as it is valid. Its use is noted, at most once a minute. */
export async function useApiToken(sql: Sql, tokenHash: Buffer): Promise<ApiTokenRow | undefined> {
  const [row] = await sql<ApiTokenRow>(`select ${columns} from api_tokens where token_hash = $1 and (expires_at is null or expires_at > now())`, [tokenHash]);
  if (row) await sql(`update api_tokens set last_used_at = now() where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`, [row.id]);
  return row;
}

export interface NewApiToken {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly tokenHash: Buffer;
  readonly createdBy: string;
  readonly expiresAt: Date | null;
}

/** @throws GatewayError name_taken */
export async function insertApiToken(sql: Sql, token: NewApiToken): Promise<ApiTokenRow> {
  try {
    const [row] = await sql<ApiTokenRow>(
      `insert into api_tokens (id, name, role, token_hash, created_by, expires_at) values ($1, $2, $3, $4, $5, $6) returning ${columns}`,
      [token.id, token.name, token.role, token.tokenHash, token.createdBy, token.expiresAt],
    );
    return row as ApiTokenRow;
  } catch (error) {
    if (!violates(error, 'api_tokens_name')) throw error;
    throw new GatewayError('name_taken', { problems: [{ pointer: '/name', detail: 'is already in use', code: 'name_taken' }] });
  }
}

/** @throws GatewayError not_found; `reference` is a name or an id. */
export async function deleteApiToken(sql: Sql, reference: string): Promise<ApiTokenRow> {
  const column = referenceColumn(reference);
  const [row] = column ? await sql<ApiTokenRow>(`delete from api_tokens where ${column} = $1 returning ${columns}`, [reference]) : [];
  if (!row) throw new GatewayError('not_found', { detail: 'API token' });
  return row;
}

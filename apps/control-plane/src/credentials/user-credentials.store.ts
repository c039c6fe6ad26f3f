import type { Sql } from '../database/sql.ts';
import type { SealingContext } from '@gatehouse/sealing';
import { credentialColumns, type CredentialRow } from './credentials.store.ts';

/** A person's value, and of what it is. */
export interface UserCredentialPlace {
  readonly id: string;
  readonly workspaceId: string;
  readonly credentialId: string;
  readonly personId: string;
}

/** Where a value is sealed to: a row that is made another person's, or another credential's, opens for nobody. */
export const userCredentialContext = ({ workspaceId, id, credentialId, personId }: UserCredentialPlace): SealingContext => [workspaceId, 'user_credentials', id, credentialId, personId, 'value'];

export async function insertUserCredential(sql: Sql, { id, workspaceId, credentialId, personId }: UserCredentialPlace, { sealed, keyTerm }: { sealed: Buffer; keyTerm: number }): Promise<void> {
  await sql('insert into user_credentials (id, workspace_id, credential_id, person_id, sealed, key_term) values ($1, $2, $3, $4, $5, $6)', [id, workspaceId, credentialId, personId, sealed, keyTerm]);
}

/** @returns ids of what there was */
export async function deleteUserCredentials(sql: Sql, credentialId: string, personId: string | null): Promise<string[]> {
  const rows = await sql<{ id: string }>('delete from user_credentials where credential_id = $1 and ($2::uuid is null or person_id = $2) returning id', [credentialId, personId]);
  return rows.map(({ id }) => id);
}

export interface CredentialUserRow {
  readonly personId: string;
  readonly name: string;
  readonly email: string | null;
  readonly updatedAt: Date;
}

export function listCredentialUsers(sql: Sql, credentialId: string, after: string | undefined, limit: number): Promise<CredentialUserRow[]> {
  return sql<CredentialUserRow>(
    `select u.person_id as "personId", p.name, p.email, u.updated_at as "updatedAt" from user_credentials u join people p on p.id = u.person_id
     where u.credential_id = $1 and ($2::uuid is null or u.person_id > $2) order by u.person_id limit $3`,
    [credentialId, after ?? null, limit],
  );
}

/** A credential of the scope user, and since when a person has a value of it. */
export interface HeldCredentialRow extends CredentialRow {
  readonly valueUpdatedAt: Date | null;
}

const held = `select ${credentialColumns}, u.updated_at as "valueUpdatedAt" from credentials c join workspaces w on w.id = c.workspace_id
  left join user_credentials u on u.credential_id = c.id and u.person_id = $1 where c.document->>'scope' = 'user'`;

/** Those of some workspaces, and those that the person has a value of, wherever they are. By id, which is by age. */
export function listHeldCredentials(sql: Sql, personId: string, workspaceIds: readonly string[], after: string | undefined, limit: number): Promise<HeldCredentialRow[]> {
  return sql<HeldCredentialRow>(`${held} and (c.workspace_id = any($2) or u.id is not null) and ($3::uuid is null or c.id > $3) order by c.id limit $4`, [personId, workspaceIds, after ?? null, limit]);
}

/** Locked so that it stays, in its scope, until the end of the transaction. */
export async function findHeldCredential(sql: Sql, personId: string, credentialId: string): Promise<HeldCredentialRow | undefined> {
  const [row] = await sql<HeldCredentialRow>(`${held} and c.id = $2 for share of c`, [personId, credentialId]);
  return row;
}

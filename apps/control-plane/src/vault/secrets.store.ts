import { type KeyRing, seal, sealedTerm, type Secret, unseal } from '@gatehouse/sealing';
import type { Sql } from '../database/sql.ts';

/** Whose secrets: a row of a table, in a workspace. */
export interface SecretOwner {
  readonly workspaceId: string;
  readonly table: string;
  readonly id: string;
}

export interface StoredSecret {
  readonly ownerId: string;
  /** Its location in the document. */
  readonly field: string;
  readonly updatedAt: Date;
}

export interface SealedSecret extends StoredSecret {
  readonly sealed: Buffer;
}

/** Design: workspace, table, row, field; a value moved to any other place does not open. */
export const secretContext = (owner: SecretOwner, field: string) => [owner.workspaceId, owner.table, owner.id, field] as const;

export async function writeSecrets(sql: Sql, ring: KeyRing, owner: SecretOwner, secrets: ReadonlyMap<string, Secret>): Promise<void> {
  for (const [field, secret] of secrets) {
    const sealed = seal(ring, secretContext(owner, field), secret.reveal());
    await sql(
      `insert into secrets (workspace_id, owner_table, owner_id, field, sealed, key_term) values ($1, $2, $3, $4, $5, $6)
       on conflict on constraint secrets_pkey do update set sealed = excluded.sealed, key_term = excluded.key_term, updated_at = now()`,
      [owner.workspaceId, owner.table, owner.id, field, sealed, sealedTerm(sealed)],
    );
  }
}

export async function deleteSecrets(sql: Sql, owner: SecretOwner, fields: readonly string[]): Promise<void> {
  if (fields.length === 0) return;
  await sql('delete from secrets where owner_table = $1 and owner_id = $2 and field = any($3)', [owner.table, owner.id, fields]);
}

export async function deleteAllSecrets(sql: Sql, owner: SecretOwner): Promise<void> {
  await sql('delete from secrets where owner_table = $1 and owner_id = $2', [owner.table, owner.id]);
}

/** Which secrets are stored, not what they are. */
export function listSecrets(sql: Sql, table: string, ownerIds: readonly string[]): Promise<StoredSecret[]> {
  return sql<StoredSecret>(
    `select owner_id as "ownerId", field, updated_at as "updatedAt" from secrets where owner_table = $1 and owner_id = any($2) order by field`,
    [table, ownerIds],
  );
}

export function readSealedSecrets(sql: Sql, table: string, ownerIds: readonly string[]): Promise<SealedSecret[]> {
  return sql<SealedSecret>(
    `select owner_id as "ownerId", field, updated_at as "updatedAt", sealed from secrets
     where owner_table = $1 and owner_id = any($2) order by field`,
    [table, ownerIds],
  );
}

/** @throws UnsealError */
export function openSecret(ring: KeyRing, owner: SecretOwner, { field, sealed }: SealedSecret): string {
  return unseal(ring, secretContext(owner, field), sealed).toString('utf8');
}

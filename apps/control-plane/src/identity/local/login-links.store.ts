import type { Sql } from '../../database/sql.ts';

const life = `interval '1 hour'`;

/** A link instead of those before it, for a person or (null) for the first administrator. */
export async function insertLoginLink(sql: Sql, tokenHash: Buffer, personId: string | null): Promise<{ expiresAt: Date }> {
  await sql('delete from login_links where person_id is not distinct from $1 or expires_at < now()', [personId]);
  const [row] = await sql<{ expiresAt: Date }>(
    `insert into login_links (token_hash, person_id, expires_at) values ($1, $2, now() + ${life}) returning expires_at as "expiresAt"`,
    [tokenHash, personId],
  );
  return row as { expiresAt: Date };
}

/** Of the first administrator: those who make, look at or use one do so one after the other, until their transactions end. */
export async function lockFirstAdmin(sql: Sql): Promise<void> {
  await sql('select pg_advisory_xact_lock($1)', [firstAdminLockId]);
}

/** Any number; those of migrations and of key rotation are others. */
const firstAdminLockId = 7_202_611;

/** Whoever had one would be an administrator besides the one there is. */
export async function deleteFirstAdminLinks(sql: Sql): Promise<void> {
  await sql('delete from login_links where person_id is null');
}

export interface LoginLink {
  /** Null: whoever has it becomes the first administrator. */
  readonly personId: string | null;
}

export async function findLoginLink(sql: Sql, tokenHash: Buffer): Promise<LoginLink | undefined> {
  const [row] = await sql<LoginLink>('select person_id as "personId" from login_links where token_hash = $1 and expires_at > now()', [tokenHash]);
  return row;
}

/** Uses it up: of two that try at the same time, one gets it. */
export async function takeLoginLink(sql: Sql, tokenHash: Buffer): Promise<LoginLink | undefined> {
  const [row] = await sql<LoginLink>('delete from login_links where token_hash = $1 and expires_at > now() returning person_id as "personId"', [tokenHash]);
  return row;
}

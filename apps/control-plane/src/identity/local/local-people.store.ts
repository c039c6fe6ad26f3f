import { GatewayError } from '@gatehouse/errors';
import { violates } from '../../database/database-errors.ts';
import type { Sql } from '../../database/sql.ts';
import { type PersonRow, personColumns } from '../people.store.ts';
import type { Role } from '../person.ts';

export interface LocalAccount {
  readonly passwordHash: string | null;
  readonly person: PersonRow;
}

/** `email` is normalised. */
export async function findLocalAccount(sql: Sql, email: string): Promise<LocalAccount | undefined> {
  const [row] = await sql<PersonRow & { passwordHash: string | null }>(
    `select p.password_hash as "passwordHash", ${personColumns} from people p where p.provider = 'local' and p.email = $1`,
    [email],
  );
  if (row === undefined) return undefined;
  const { passwordHash, ...person } = row;
  return { passwordHash, person };
}

export interface NewLocalPerson {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly Role[];
}

/** Their subject is their id: an address may change. @throws GatewayError name_taken */
export async function insertLocalPerson(sql: Sql, { id, email, name, roles }: NewLocalPerson): Promise<void> {
  try {
    await sql(`insert into people (id, provider, issuer, subject, email, name, assigned_roles) values ($1, 'local', '', $2, $3, $4, $5)`, [
      id, id, email, name, JSON.stringify(roles),
    ]);
  } catch (error) {
    if (!violates(error, 'people_local_email')) throw error;
    throw new GatewayError('name_taken', { problems: [{ pointer: '/email', detail: 'is the address of another account', code: 'name_taken' }] });
  }
}

export async function setPassword(sql: Sql, id: string, passwordHash: string): Promise<void> {
  await sql('update people set password_hash = $2, updated_at = now() where id = $1', [id, passwordHash]);
}

/** Whether someone can administer this gateway with a password of their own. */
export async function hasLocalAdmin(sql: Sql): Promise<boolean> {
  const rows = await sql(`select 1 as one from people where provider = 'local' and password_hash is not null and not disabled and assigned_roles ? 'admin' limit 1`);
  return rows.length > 0;
}

import type { Sql } from '../database/sql.ts';
import type { Role } from './person.ts';
import type { RoleMapping } from './roles-of.ts';

export interface PersonRow {
  readonly id: string;
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  readonly name: string;
  readonly groups: readonly string[];
  /** Of the roles claim, at the last login. */
  readonly roleValues: readonly string[];
  /** Which groups and role values have which roles, as the provider's document says now. */
  readonly roleMapping: RoleMapping | null;
  /** What an administrator gave. */
  readonly assignedRoles: readonly Role[];
  readonly disabled: boolean;
  /** The provider is gone, switched off, or another issuer by now. */
  readonly suspended: boolean;
  readonly hasPassword: boolean;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastLoginAt: Date | null;
}

const itsProvider = `from identity_providers i where i.name = p.provider and i.document->>'issuer' = p.issuer and coalesce((i.document->>'enabled')::boolean, true)`;

/** Of the table `people p`. */
export const personColumns = `p.id, p.provider, p.issuer, p.subject, p.email, p.name, p.groups, p.role_values as "roleValues",
  (select i.document->'roles' ${itsProvider}) as "roleMapping", p.assigned_roles as "assignedRoles", p.disabled,
  p.provider <> 'local' and not exists (select ${itsProvider}) as suspended, p.password_hash is not null as "hasPassword", p.revision,
  p.created_at as "createdAt", p.updated_at as "updatedAt", p.last_login_at as "lastLoginAt"`;

export async function findPersonRow(sql: Sql, id: string, lock = false): Promise<PersonRow | undefined> {
  const [row] = await sql<PersonRow>(`select ${personColumns} from people p where p.id = $1 ${lock ? 'for update of p' : ''}`, [id]);
  return row;
}

export function listPeople(sql: Sql, after: string | undefined, limit: number): Promise<PersonRow[]> {
  return sql<PersonRow>(`select ${personColumns} from people p where $1::uuid is null or p.id > $1 order by p.id limit $2`, [after ?? null, limit]);
}

/** Who someone is by what their provider says: issuer and subject (OpenID Connect Core section 5.7), within one provider document. */
export interface ProvidedIdentity {
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
}

export async function findProvidedPerson(sql: Sql, { provider, issuer, subject }: ProvidedIdentity): Promise<PersonRow | undefined> {
  const [row] = await sql<PersonRow>(`select ${personColumns} from people p where p.provider = $1 and p.issuer = $2 and p.subject = $3`, [provider, issuer, subject]);
  return row;
}

export interface ProvidedAttributes {
  readonly email: string | undefined;
  readonly name: string;
  readonly groups: readonly string[];
  readonly roleValues: readonly string[];
}

/** Someone as their provider says they are now; what an administrator decided stays. */
export async function putProvidedPerson(sql: Sql, id: string, identity: ProvidedIdentity, { email, name, groups, roleValues }: ProvidedAttributes): Promise<PersonRow> {
  const [row] = await sql<PersonRow>(
    `insert into people as p (id, provider, issuer, subject, email, name, groups, role_values) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict on constraint people_subject do update
       set email = excluded.email, name = excluded.name, groups = excluded.groups, role_values = excluded.role_values, updated_at = now()
     returning ${personColumns}`,
    [id, identity.provider, identity.issuer, identity.subject, email ?? null, name, JSON.stringify(groups), JSON.stringify(roleValues)],
  );
  return row as PersonRow;
}

export async function noteLogin(sql: Sql, id: string): Promise<void> {
  await sql('update people set last_login_at = now() where id = $1', [id]);
}

export async function deletePerson(sql: Sql, id: string): Promise<void> {
  await sql('delete from people where id = $1', [id]);
}

/** What an administrator decides of someone. */
export async function changePerson(sql: Sql, id: string, { disabled, assignedRoles }: Pick<PersonRow, 'disabled' | 'assignedRoles'>): Promise<void> {
  await sql('update people set disabled = $2, assigned_roles = $3, revision = revision + 1, updated_at = now() where id = $1', [id, disabled, JSON.stringify(assignedRoles)]);
}

import type { Sql } from '../database/sql.ts';

/** A row of what oidc-provider keeps. */
export interface StateRow {
  readonly sealed: Buffer;
  readonly consumedAt: Date | null;
}

export interface StateKey {
  readonly model: string;
  readonly idHash: Buffer;
}

export interface NewState extends StateKey {
  readonly grantId: string | null;
  readonly clientId: string | null;
  readonly sealed: Buffer;
  readonly keyTerm: number;
  /** Nothing: for ever. */
  readonly lifeSeconds: number | null;
}

export async function putState(sql: Sql, { model, idHash, grantId, clientId, sealed, keyTerm, lifeSeconds }: NewState): Promise<void> {
  await sql(
    `insert into oauth_state (model, id_hash, grant_id, client_id, sealed, key_term, expires_at) values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
     on conflict on constraint oauth_state_pkey do update set sealed = excluded.sealed, key_term = excluded.key_term, expires_at = excluded.expires_at`,
    [model, idHash, grantId, clientId, sealed, keyTerm, lifeSeconds],
  );
}

/** @returns false where it is there already. */
export async function insertState(sql: Sql, { model, idHash, grantId, clientId, sealed, keyTerm, lifeSeconds }: NewState): Promise<boolean> {
  const rows = await sql(
    `insert into oauth_state (model, id_hash, grant_id, client_id, sealed, key_term, expires_at) values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
     on conflict do nothing returning model`,
    [model, idHash, grantId, clientId, sealed, keyTerm, lifeSeconds],
  );
  return rows.length > 0;
}

export async function findState(sql: Sql, { model, idHash }: StateKey): Promise<StateRow | undefined> {
  const [row] = await sql<StateRow>('select sealed, consumed_at as "consumedAt" from oauth_state where model = $1 and id_hash = $2', [model, idHash]);
  return row;
}

/**
 * The grant of a refresh token, until the end of the transaction: whoever changes several tokens of a grant takes it first, so that
 * no two of them wait for each other. @returns nothing where the grant has ended
 */
export async function lockGrantOf(sql: Sql, { idHash }: StateKey): Promise<{ grantId: string } | undefined> {
  const [row] = await sql<{ grantId: string }>(
    `select g.id as "grantId" from oauth_grants g join oauth_state t on t.grant_id = g.id where t.model = 'RefreshToken' and t.id_hash = $1 for update of g`,
    [idHash],
  );
  return row;
}

/** A refresh token that another one took the place of, without having been used. Unlike one that was used, it never comes back. */
const superseded = 'to_timestamp(0)';

/** Those that came of the same use as this one, or of an earlier one: the client has chosen this one. */
export async function supersedeOthers(sql: Sql, grantId: string, { idHash }: StateKey): Promise<void> {
  await sql(`update oauth_state set consumed_at = ${superseded} where model = 'RefreshToken' and grant_id = $1 and id_hash <> $2 and consumed_at is null`, [grantId, idHash]);
}

/**
 * Whether a refresh token that was used a moment ago may be used once more: nothing that came of it has been. The answer was lost,
 * or the client asked several times at once.
 */
export async function mayUseAgain(sql: Sql, { idHash }: StateKey, clientId: string, graceSeconds: number): Promise<boolean> {
  const rows = await sql(
    `select from oauth_state t where t.model = 'RefreshToken' and t.id_hash = $1 and t.client_id = $2 and t.consumed_at > now() - make_interval(secs => $3)
       and not exists (select from oauth_state s where s.model = 'RefreshToken' and s.grant_id = t.grant_id and s.created_at > t.created_at and s.consumed_at > ${superseded})`,
    [idHash, clientId, graceSeconds],
  );
  return rows.length > 0;
}

/** Of any number that consume one at once, one does. @returns its grant, or nothing for all others */
export async function consumeState(sql: Sql, { model, idHash }: StateKey): Promise<{ grantId: string | null } | undefined> {
  const [row] = await sql<{ grantId: string | null }>(
    'update oauth_state set consumed_at = now() where model = $1 and id_hash = $2 and consumed_at is null returning grant_id as "grantId"',
    [model, idHash],
  );
  return row;
}

export async function deleteState(sql: Sql, { model, idHash }: StateKey): Promise<void> {
  await sql('delete from oauth_state where model = $1 and id_hash = $2', [model, idHash]);
}

/** Of a grant, and all that came of it. */
export async function deleteStateOfGrants(sql: Sql, grantIds: readonly string[]): Promise<void> {
  await sql('delete from oauth_state where grant_id = any($1)', [grantIds]);
}

/** Whether there are so many clients that registered themselves and were not used. Those that were are kept for longer. */
export async function hasManyNewClients(sql: Sql, max: number, lifeSeconds: number): Promise<boolean> {
  const rows = await sql(`select from oauth_state where model = 'Client' and expires_at > now() and expires_at <= now() + make_interval(secs => $2) offset $1 limit 1`, [Math.max(0, max - 1), lifeSeconds]);
  return max === 0 || rows.length > 0;
}

/** A client that is used stays registered; one that an administrator registered stays anyway. */
export async function prolongClient(sql: Sql, idHash: Buffer, lifeSeconds: number): Promise<void> {
  await sql(`update oauth_state set expires_at = now() + make_interval(secs => $2) where model in ('Client', 'ClientDocument') and id_hash = $1 and expires_at is not null`, [idHash, lifeSeconds]);
}

const forgottenAtOnce = 1_000;

/** @returns how many there were; as many as are forgotten at once means that there may be more. */
export async function forgetExpiredState(sql: Sql): Promise<number> {
  const rows = await sql(
    `delete from oauth_state where (model, id_hash) in (
       select model, id_hash from oauth_state where expires_at < now() - interval '1 minute' limit ${forgottenAtOnce} for update skip locked
     ) returning model`,
  );
  return rows.length;
}

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

/** Of any number that consume one at once, one does. @returns its grant, or nothing for all others */
export async function consumeState(sql: Sql, { model, idHash }: StateKey): Promise<{ grantId: string | null } | undefined> {
  const [row] = await sql<{ grantId: string | null }>(
    'update oauth_state set consumed_at = now() where model = $1 and id_hash = $2 and consumed_at is null returning grant_id as "grantId"',
    [model, idHash],
  );
  return row;
}

export async function findGrantOf(sql: Sql, { model, idHash }: StateKey): Promise<string | null> {
  const [row] = await sql<{ grantId: string | null }>('select grant_id as "grantId" from oauth_state where model = $1 and id_hash = $2', [model, idHash]);
  return row?.grantId ?? null;
}

export async function deleteState(sql: Sql, { model, idHash }: StateKey): Promise<void> {
  await sql('delete from oauth_state where model = $1 and id_hash = $2', [model, idHash]);
}

/** Everything that a grant has given rise to, and the grant itself. */
export async function deleteStateOfGrants(sql: Sql, grantIds: readonly string[]): Promise<void> {
  await sql('delete from oauth_state where grant_id = any($1)', [grantIds]);
}

/** A client that is used stays registered. */
export async function prolongClient(sql: Sql, idHash: Buffer, lifeSeconds: number): Promise<void> {
  await sql(`update oauth_state set expires_at = now() + make_interval(secs => $2) where model = 'Client' and id_hash = $1`, [idHash, lifeSeconds]);
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

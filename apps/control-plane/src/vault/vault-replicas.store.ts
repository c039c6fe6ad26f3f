import type { Sql } from '../database/sql.ts';
import type { UsableKeyRow } from './data-keys.store.ts';

/** How long a replica counts after it was last heard of. One that comes back later finds every key in the database. */
const aliveFor = `interval '30 seconds'`;

/** This replica is there, opens what these root keys wrapped, and has unwrapped these staged keys. */
export async function reportReplica(sql: Sql, id: string, roots: readonly string[], loaded: readonly UsableKeyRow[]): Promise<void> {
  await sql(
    `insert into vault_replicas (id, roots) values ($1, $2)
     on conflict on constraint vault_replicas_pkey do update set seen_at = now(), roots = excluded.roots`,
    [id, JSON.stringify(roots)],
  );
  await sql('delete from vault_loaded_keys where replica_id = $1', [id]);
  for (const { workspaceId, term } of loaded) await sql('insert into vault_loaded_keys (replica_id, workspace_id, term) values ($1, $2, $3)', [id, workspaceId, term]);
}

/** It has ended: nobody waits for it. */
export async function removeReplica(sql: Sql, id: string): Promise<void> {
  await sql('delete from vault_replicas where id = $1', [id]);
}

export async function forgetDeadReplicas(sql: Sql): Promise<void> {
  await sql(`delete from vault_replicas where seen_at < now() - interval '1 hour'`);
}

export async function everyReplicaOpens(sql: Sql, root: string): Promise<boolean> {
  const others = await sql(`select from vault_replicas where seen_at > now() - ${aliveFor} and not roots @> to_jsonb($1::text)`, [root]);
  return others.length === 0;
}

/** A condition on `data_keys k`: every replica has unwrapped it. */
export const isLoadedEverywhere = `not exists (
  select from vault_replicas r where r.seen_at > now() - ${aliveFor} and not exists (
    select from vault_loaded_keys l where l.replica_id = r.id and l.workspace_id = k.workspace_id and l.term = k.term))`;

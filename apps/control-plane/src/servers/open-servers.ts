import { GatewayError } from '@gatehouse/errors';
import { type KeyRing, UnsealError } from '@gatehouse/sealing';
import { openWorkspaceValues, readWorkspaceValues, type SealedWorkspaceValue } from '../credentials/workspace-values.ts';
import type { Sql } from '../database/sql.ts';
import { openSecret, readSealedSecrets, type SealedSecret } from '../vault/secrets.store.ts';
import type { Vault } from '../vault/vault.ts';
import type { ServerRow } from './servers.store.ts';

export type OpenedServer =
  | { readonly row: ServerRow; /** Text by location. */ readonly secrets: ReadonlyMap<string, string> }
  | { readonly row: ServerRow; readonly error: GatewayError };

/** Opens the secrets of servers, and the values of their workspaces' credentials that they send. One that does not open is reported and does not keep the others from opening. */
export async function openServers(sql: Sql, vault: Vault, rows: readonly ServerRow[]): Promise<OpenedServer[]> {
  const sealed = Map.groupBy(await readSealedSecrets(sql, 'servers', rows.map(({ id }) => id)), ({ ownerId }) => ownerId);
  const values = Map.groupBy(await readWorkspaceValues(sql, rows), ({ workspaceId }) => workspaceId);
  const rings = new Map<string, KeyRing | UnsealError>();
  for (const workspaceId of new Set(rows.filter((row) => sealed.has(row.id) || values.has(row.workspaceId)).map((row) => row.workspaceId))) {
    rings.set(workspaceId, await vault.openingRing(sql, workspaceId).catch(unsealError));
  }
  return rows.map((row) => openServer(row, sealed.get(row.id) ?? [], values.get(row.workspaceId) ?? [], rings.get(row.workspaceId)));
}

function openServer(row: ServerRow, sealed: readonly SealedSecret[], values: readonly SealedWorkspaceValue[], ring: KeyRing | UnsealError | undefined): OpenedServer {
  if (!ring) return { row, secrets: new Map() };
  const owner = { workspaceId: row.workspaceId, table: 'servers', id: row.id };
  try {
    if (ring instanceof UnsealError) throw ring;
    const own = sealed.map((secret) => [secret.field, openSecret(ring, owner, secret)] as const);
    return { row, secrets: new Map([...own, ...openWorkspaceValues(row, ring, values)]) };
  } catch (cause) {
    return { row, error: new GatewayError('vault_sealed_value_unreadable', { detail: `a secret of server ${row.id}`, cause }) };
  }
}

/** A data key that does not open is one workspace's fault; anything else is not about keys. */
function unsealError(error: unknown): UnsealError {
  if (error instanceof UnsealError) return error;
  throw error;
}

import type { Sql } from '../../database/sql.ts';
import type { ConnectionOwner } from '../connection.ts';
import type { BegunTarget } from './connect-target.ts';

/** What a browser was sent to a provider for. */
export interface ConnectState extends BegunTarget {
  readonly linkId: string;
  readonly owner: ConnectionOwner & { readonly kind: 'app' | 'server' };
  /** The server that asked for it. */
  readonly serverId?: string | undefined;
  /** Who began it, and has to finish it. */
  readonly personId: string;
  /** The connection is the organisation's. */
  readonly isShared: boolean;
  /** What was asked for. */
  readonly scopes: readonly string[];
  /** The client and the provider that it was begun for; missing where an earlier release began it. */
  readonly clientDigest?: string | undefined;
  /** Where the provider was told to send the browser back to. */
  readonly redirectUri: string;
}

/** What only the browser that began it can name. */
export interface StateKeys {
  readonly stateHash: Buffer;
  readonly browserHash: Buffer;
}

const life = `interval '10 minutes'`;

export async function insertConnectState(sql: Sql, { stateHash, browserHash }: StateKeys, state: ConnectState): Promise<void> {
  const { linkId, owner, personId, ...details } = state;
  await sql(`delete from connect_states where created_at < now() - ${life}`);
  await sql(
    `insert into connect_states (state_hash, browser_hash, link_id, workspace_id, owner_kind, owner_id, person_id, details) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [stateHash, browserHash, linkId, owner.workspaceId, owner.kind, owner.id, personId, JSON.stringify(details)],
  );
}

interface StateRow {
  readonly linkId: string;
  readonly workspaceId: string;
  readonly ownerKind: 'app' | 'server';
  readonly ownerId: string;
  readonly personId: string;
  readonly details: Omit<ConnectState, 'linkId' | 'owner' | 'personId'>;
}

/**
 * Takes what this person began in this browser, once: of two answers with one state the first counts. `redirectUri` is where the
 * answer came to; that of another provider's is not taken, nor used up (RFC 9700 section 4.4).
 */
export async function takeConnectState(sql: Sql, { stateHash, browserHash }: StateKeys, personId: string, redirectUri: string): Promise<ConnectState | undefined> {
  const [row] = await sql<StateRow>(
    `delete from connect_states where state_hash = $1 and browser_hash = $2 and person_id = $3 and details->>'redirectUri' = $4 and created_at > now() - ${life}
     returning link_id as "linkId", workspace_id as "workspaceId", owner_kind as "ownerKind", owner_id as "ownerId", person_id as "personId", details`,
    [stateHash, browserHash, personId, redirectUri],
  );
  if (!row) return undefined;
  const { workspaceId, ownerKind: kind, ownerId: id, linkId, details } = row;
  return { ...details, linkId, personId: row.personId, owner: { kind, id, workspaceId } };
}

/** What was begun for an owner comes to nothing. */
export async function deleteConnectStates(sql: Sql, ownerId: string): Promise<void> {
  await sql('delete from connect_states where owner_id = $1', [ownerId]);
}

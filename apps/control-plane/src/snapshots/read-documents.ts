import type { GatewayError } from '@gatehouse/errors';
import type { PlainSnapshotDocument } from '@gatehouse/gateway-config';
import type { Sql } from '../database/sql.ts';
import { type OpenedServer, openServers } from '../servers/open-servers.ts';
import { withValues } from '../servers/plan-secrets.ts';
import { readServers } from '../servers/servers.store.ts';
import { readServiceAccounts, type ServiceAccountRow } from '../service-accounts/service-accounts.store.ts';
import type { Vault } from '../vault/vault.ts';

export interface UnreadableDocument {
  readonly id: string;
  readonly error: GatewayError;
}

export interface ReadDocuments {
  readonly documents: readonly PlainSnapshotDocument[];
  readonly unreadable: readonly UnreadableDocument[];
}

/** The documents of the given ids with their secrets opened; ids that no longer exist are left out. */
export async function readDocuments(sql: Sql, vault: Vault, ids: readonly string[]): Promise<ReadDocuments> {
  const opened = await openServers(sql, vault, await readServers(sql, ids));
  const accounts = await readServiceAccounts(sql, ids);
  return {
    documents: [...opened.flatMap((server) => ('error' in server ? [] : [serverDocument(server)])), ...accounts.map(accountDocument)],
    unreadable: opened.flatMap((server) => ('error' in server ? [{ id: server.row.id, error: server.error }] : [])),
  };
}

/** Every id there is, in order, so that they can be read in batches. */
export async function readAllIds(sql: Sql): Promise<string[]> {
  const rows = await sql<{ id: string }>('select id from servers union all select id from service_accounts order by id');
  return rows.map(({ id }) => id);
}

function serverDocument({ row, secrets }: Extract<OpenedServer, { secrets: unknown }>): PlainSnapshotDocument {
  // Stored documents were validated as complete before they were stored; data planes validate again.
  const server = withValues(row.document, secrets) as Extract<PlainSnapshotDocument, { kind: 'server' }>['server'];
  return { kind: 'server', id: row.id, workspace: row.workspace, server };
}

function accountDocument(row: ServiceAccountRow): PlainSnapshotDocument {
  const { id, workspace, name, groups, keyId, keyHash } = row;
  return { kind: 'service-account', id, workspace, name, groups: [...groups], keyId, keyHash };
}

import type { ApiOperation } from '@gatehouse/api-tools';
import { GatewayError } from '@gatehouse/errors';
import { authorizationServerId, type EnvironmentPolicy, headerPolicyId, identityKeysId, type PlainSnapshotDocument, revocationsId } from '@gatehouse/gateway-config';
import { readAuthorizationServer } from '../agents-oauth/read-authorization-server.ts';
import { readIdentityKeys } from '../caller-identity/read-identity-keys.ts';
import { readTokenRevocations } from '../connections/disconnect/token-revocations.store.ts';
import type { Sql } from '../database/sql.ts';
import { isUnreadablePolicy, readGlobalPolicy } from '../header-policy/read-global-policy.ts';
import { type OpenedServer, openServers } from '../servers/open-servers.ts';
import { withValues } from '../servers/plan-secrets.ts';
import { readServers } from '../servers/servers.store.ts';
import { readImported, withTools } from '../servers/tools/complete-tools.ts';
import { readServiceAccounts, type ServiceAccountRow } from '../service-accounts/service-accounts.store.ts';
import type { Vault } from '../vault/vault.ts';
import { readWorkspaces, type WorkspaceRow } from '../workspaces/workspaces.store.ts';

export interface UnreadableDocument {
  readonly id: string;
  readonly error: GatewayError;
}

export interface ReadDocuments {
  readonly documents: readonly PlainSnapshotDocument[];
  readonly unreadable: readonly UnreadableDocument[];
}

export interface DocumentSources {
  readonly sql: Sql;
  readonly vault: Vault;
  readonly environmentPolicy: EnvironmentPolicy;
  /** Of the agents' authorization server. */
  readonly issuer: string;
  readonly registersClients: boolean;
}

/** The documents of the given ids with their secrets opened; ids that no longer exist are left out. */
export async function readDocuments({ sql, vault, environmentPolicy, issuer, registersClients }: DocumentSources, ids: readonly string[]): Promise<ReadDocuments> {
  const servers = await readServers(sql, ids);
  const opened = await openServers(sql, vault, servers);
  const imported = await readImported(sql, servers);
  const accounts = await readServiceAccounts(sql, ids);
  const workspaces = await readWorkspaces(sql, ids);
  const policy = ids.includes(headerPolicyId) ? await readPolicy(sql, environmentPolicy) : { documents: [], unreadable: [] };
  const authorizationServer = ids.includes(authorizationServerId) ? [await readAuthorizationServer(sql, issuer, registersClients)] : [];
  const revocations = ids.includes(revocationsId) ? [{ kind: 'revocations' as const, id: revocationsId, revoked: await readTokenRevocations(sql) }] : [];
  const identityKeys = ids.includes(identityKeysId) ? await readKeys(sql, vault, issuer) : { documents: [], unreadable: [] };
  return {
    documents: [...opened.flatMap((server) => ('error' in server ? [] : [serverDocument(server, imported.get(server.row.id))])), ...accounts.map(accountDocument), ...workspaces.map(workspaceDocument), ...policy.documents, ...authorizationServer, ...revocations, ...identityKeys.documents],
    unreadable: [...opened.flatMap((server) => ('error' in server ? [{ id: server.row.id, error: server.error }] : [])), ...policy.unreadable, ...identityKeys.unreadable],
  };
}

/** Every id there is, in order, so that they can be read in batches. The header policy is one of them whether or not it is stored, and so are the authorization server, the revocations and the keys that sign identities. */
export async function readAllIds(sql: Sql): Promise<string[]> {
  const rows = await sql<{ id: string }>('select id from servers union all select id from service_accounts union all select id from workspaces order by id');
  return [headerPolicyId, authorizationServerId, revocationsId, identityKeysId, ...rows.map(({ id }) => id)];
}

/** A stored policy that this release does not take keeps itself from being published, and nothing else. */
async function readPolicy(sql: Sql, environmentPolicy: EnvironmentPolicy): Promise<ReadDocuments> {
  try {
    return { documents: [{ kind: 'header-policy', id: headerPolicyId, policy: await readGlobalPolicy(sql, environmentPolicy) }], unreadable: [] };
  } catch (error) {
    if (!isUnreadablePolicy(error)) throw error;
    return { documents: [], unreadable: [{ id: headerPolicyId, error }] };
  }
}

async function readKeys(sql: Sql, vault: Vault, issuer: string): Promise<ReadDocuments> {
  try {
    return { documents: [await readIdentityKeys(sql, vault, issuer)], unreadable: [] };
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'vault_sealed_value_unreadable') throw error;
    return { documents: [], unreadable: [{ id: identityKeysId, error }] };
  }
}

function serverDocument({ row, secrets }: Extract<OpenedServer, { secrets: unknown }>, imported: readonly ApiOperation[] | undefined): PlainSnapshotDocument {
  // Stored documents were validated as complete before they were stored; data planes validate again.
  const server = withTools(withValues(row.document, secrets), imported) as Extract<PlainSnapshotDocument, { kind: 'server' }>['server'];
  return { kind: 'server', id: row.id, workspace: row.workspace, server };
}

const workspaceDocument = ({ id, name, access }: WorkspaceRow): PlainSnapshotDocument => ({ kind: 'workspace', id, name, ...(access !== null && { access }) });

function accountDocument(row: ServiceAccountRow): PlainSnapshotDocument {
  const { id, workspace, name, groups, keyId, keyHash } = row;
  return { kind: 'service-account', id, workspace, name, groups: [...groups], keyId, keyHash };
}

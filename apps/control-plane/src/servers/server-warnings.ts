import { agentAuth, prepareAgentAuth } from '@gatehouse/agent-auth';
import type { GlobalHeaderPolicy, Warning } from '@gatehouse/gateway-config';
import { namedCredentials, sendsWorkspaceCredential } from '../credentials/named-credentials.ts';
import { accessWarnings } from './access-warnings.ts';
import { connectionWarnings, hasSharedConnection } from './connection-warnings.ts';
import { credentialWarnings } from './credential-warnings.ts';
import { headerWarnings } from './header-warnings.ts';
import { identityWarnings, requestHeaderWarnings } from './identity-warnings.ts';
import { isMoved } from './is-moved.ts';
import { jwtWarnings } from './jwt-warnings.ts';
import { lendsConnections } from './lends-connections.ts';
import { prepareStoredServer } from './prepare-stored-server.ts';
import type { ServerRow, StoredDocument } from './servers.store.ts';
import { subjectWarnings } from './subject-warnings.ts';
import type { Surroundings } from './surroundings.ts';
import { toolWarnings } from './tools/tool-warnings.ts';
import { unreadableWarning } from './unreadable-server.ts';

/** D11 (docs/rules.md): whoever reaches the gateway uses a credential that the gateway holds. */
export function isOpenServer(document: StoredDocument, secretLocations: readonly string[]): boolean {
  const holdsSecret = secretLocations.some((location) => location.startsWith('/appAuth[') || location.startsWith('/outboundHeaders['));
  return (holdsSecret || hasSharedConnection(document) || sendsWorkspaceCredential(document)) && prepareAgentAuth(agentAuth.parse(document['agentAuth'])).open;
}

/** What is allowed and yet worth a second look; with every reading. */
export function standingWarnings(
  row: Pick<ServerRow, 'id' | 'workspace' | 'document' | 'tools'>, secretLocations: readonly string[], { policy, surroundings }: { policy: GlobalHeaderPolicy; surroundings: Surroundings },
): Warning[] {
  // It sends nothing itself: what there is to say of that is said of its members.
  if (row.document['type'] === 'virtual') return [...jwtWarnings(row.document), ...accessWarnings(row.document, surroundings)];
  const server = prepareStoredServer(row, secretLocations);
  const ofHeaders = server ? [...headerWarnings(row.document, server, policy), ...requestHeaderWarnings(row.document, server, policy)] : [unreadableWarning];
  return [...openServerWarnings(row.document, secretLocations), ...jwtWarnings(row.document), ...accessWarnings(row.document, surroundings), ...connectionWarnings(row.document, surroundings), ...credentialWarnings(row.document, surroundings), ...subjectWarnings(row.document), ...identityWarnings(row.document), ...toolWarnings(row), ...ofHeaders];
}

function openServerWarnings(document: StoredDocument, secretLocations: readonly string[]): Warning[] {
  if (!isOpenServer(document, secretLocations)) return [];
  return [{ code: 'open_server', pointer: '/agentAuth', detail: 'Whoever reaches the gateway can use a credential that the gateway holds for this server.' }];
}

/** What this one change did that may not have been meant. */
export function changeWarnings(before: StoredDocument, after: StoredDocument, keptSecrets: number): Warning[] {
  if (!isMoved(before, after)) return [];
  const isSame = (does: (document: StoredDocument) => boolean): boolean => does(before) && does(after);
  const followers = [
    ...(keptSecrets > 0 ? ['secrets stored for'] : []),
    ...(isSame(lendsConnections) ? ['tokens of the accounts connected for'] : []),
    ...(isSame((document) => namedCredentials(document).length > 0) ? ['credentials that were sent to'] : []),
    ...(isSame(forwardsTokens) ? ['tokens of callers that were sent to'] : []),
  ];
  if (followers.length === 0) return [];
  return [{ code: 'secret_follows_new_origin', pointer: '/upstream/url', detail: `The ${followers.join(' and the ')} the former upstream are now sent to this one.` }];
}

/** What callers came with, or got when they logged in: they are told of no upstream. */
function forwardsTokens(document: StoredDocument | null): boolean {
  // Before a change it may have been anything.
  const headers: unknown = document?.['outboundHeaders'];
  return Array.isArray(headers) && headers.some((header: { source?: { type?: unknown } | null } | null) => header?.source?.type === 'caller-token');
}

import type { PreparedServer } from '@gatehouse/upstream-request';
import type { Admission } from '../pipeline/admission.ts';
import type { Snapshot } from './current-snapshot.ts';

/**
 * Whether a caller that was let in would still be: its server is there and enabled, lets callers in as it did, its workspace still
 * has this one, nothing that let this one in has been withdrawn, and the accounts that callers connect are for what they were.
 * For what stays open between requests; a request is looked at anew by the pipeline.
 */
export function stillAdmitted(snapshot: Snapshot, { server, caller }: Admission): boolean {
  const document = snapshot.documents.get(server.id);
  if (document?.kind !== 'server') return false;
  const now = document.server;
  if (!snapshot.workspaces.get(now.workspace)?.members.includes(caller)) return false;
  if (!now.agentAuth.stillAdmits(caller, { workspace: now.workspace, serviceAccounts: snapshot.serviceAccounts, authorizationServer: snapshot.authorizationServer })) return false;
  return now === server || (now.enabled && now.workspace === server.workspace && now.fingerprint === server.fingerprint && connectionsOf(now) === connectionsOf(server) && now.access.admits(caller));
}

const connectionsOf = ({ connects, connectionKey }: PreparedServer): string | undefined => (connects ? connectionKey : undefined);

import { anonymousCaller } from '@gatehouse/agent-auth';
import type { Snapshot } from '../snapshot/current-snapshot.ts';
import type { BridgeSession } from './bridge-session.ts';

/** Whether a session could still be opened by its caller: its server is there, enabled, open where it must be, and the same upstream. */
export function isServed(snapshot: Snapshot | undefined, { owner, upstream }: Pick<BridgeSession, 'owner' | 'upstream'>): boolean {
  // No snapshot is not an empty one.
  if (snapshot === undefined) return true;
  const document = snapshot.documents.get(owner.serverId);
  if (document?.kind !== 'server') return false;
  const { server } = document;
  if (!server.enabled || (owner.callerId === anonymousCaller.id && !server.agentAuth.open)) return false;
  return server.workspace === owner.workspace && server.upstream.url === upstream.url && server.upstream.transport === upstream.transport;
}

import type { Caller } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import type { PreparedServer } from '@gatehouse/upstream-request';
import type { Snapshot } from '../snapshot/current-snapshot.ts';

/**
 * Whether this caller may use this server: they belong to its workspace, and the server's own rules let them in. A caller that
 * nobody vouched for may only where the server is open to all.
 * @throws GatewayError forbidden, not_ready where nobody can say who belongs to the workspace
 */
export function authorizeCaller({ workspaces }: Snapshot, { access, agentAuth, workspace: name }: PreparedServer, caller: Caller): void {
  const workspace = workspaces.get(name);
  // Its document has never been usable, or comes from a control plane that knows none: not to know its members is no answer.
  if (workspace === undefined) throw new GatewayError('not_ready', { detail: `workspace ${name}` });
  if (caller.kind === 'anonymous' && !agentAuth.open) throw new GatewayError('forbidden');
  if (!workspace.members.includes(caller) || !access.admits(caller)) throw new GatewayError('forbidden');
}

import type { Caller } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import type { PreparedServer } from '@gatehouse/upstream-request';

/**
 * Whether this caller may use this server. Without access rules everyone of the workspace may; a caller that nobody vouched
 * for may only where the server is open to all.
 * @throws GatewayError forbidden
 */
export function authorizeCaller({ access, agentAuth }: PreparedServer, caller: Caller): void {
  if (caller.kind === 'anonymous' && !agentAuth.open) throw new GatewayError('forbidden');
  if (!access.admits(caller)) throw new GatewayError('forbidden');
}

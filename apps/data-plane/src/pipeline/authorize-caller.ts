import type { Caller } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import type { PreparedServer } from '@gatehouse/upstream-request';

/**
 * Whether this caller may use this server. Without access rules everyone of the workspace may; a caller that nobody vouched
 * for may only where the server is open to all.
 * @throws GatewayError forbidden
 */
export function authorizeCaller(server: PreparedServer, caller: Caller): void {
  if (caller.kind === 'anonymous' && !server.agentAuth.open) throw new GatewayError('forbidden');
}

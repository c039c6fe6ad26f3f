import type { AgentAuthContext, Authentication, Caller, Denial } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import type { Snapshot } from '../snapshot/current-snapshot.ts';
import type { PreparedServer } from '@gatehouse/upstream-request';
import type { CallerHeaders } from '@gatehouse/upstream-request';

/** What authentication needs besides the snapshot. */
export type AuthenticationContext = Pick<AgentAuthContext, 'keySets' | 'publicUrl' | 'now'>;

/** A caller could not be made out, or its token is not enough; the answer's challenge says what would help. */
export class ChallengeError extends GatewayError {
  readonly denial: Denial;

  constructor(denial: Denial) {
    super(denial.denied === 'insufficient_scope' ? 'insufficient_scope' : 'unauthenticated', { detail: denial.denied });
    this.denial = denial;
  }
}

/**
 * Who calls. At once where nothing has to be fetched for it.
 * @throws ChallengeError, GatewayError caller_keys_unavailable
 */
export function authenticateCaller(server: PreparedServer, headers: CallerHeaders, snapshot: Snapshot, { keySets, publicUrl, now }: AuthenticationContext): Caller | Promise<Caller> {
  const { serviceAccounts, authorizationServer } = snapshot;
  const context: AgentAuthContext = { workspace: server.workspace, server: server.name, publicUrl, serviceAccounts, keySets, authorizationServer, now };
  const authentication = server.agentAuth.authenticate(headers, context);
  return authentication instanceof Promise ? authentication.then(callerOf) : callerOf(authentication);
}

function callerOf(authentication: Authentication): Caller {
  if ('denied' in authentication) throw new ChallengeError(authentication);
  return authentication.caller;
}

import type { AgentAuthContext, Authentication, Caller, Denial } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import type { Snapshot } from '../snapshot/current-snapshot.ts';
import type { PreparedServer } from '@gatehouse/upstream-request';
import type { CallerHeaders } from '@gatehouse/upstream-request';

/** What authentication needs besides the snapshot. */
export type AuthenticationContext = Pick<AgentAuthContext, 'keySets' | 'now'>;

/** A caller could not be made out; the challenge says what would help (RFC 9110 section 11.6.1, RFC 6750 section 3). */
export class ChallengeError extends GatewayError {
  readonly challenge: string;

  constructor({ denied, description }: Denial) {
    super('unauthenticated', { detail: denied });
    // A request without any credential gets no error code (RFC 6750 section 3.1).
    const error = denied === 'missing_credential' ? '' : ', error="invalid_token"';
    this.challenge = `Bearer realm="gatehouse"${error}${description === undefined ? '' : `, error_description="${description}"`}`;
  }
}

/**
 * Who calls. At once where nothing has to be fetched for it.
 * @throws ChallengeError, GatewayError caller_keys_unavailable
 */
export function authenticateCaller(server: PreparedServer, headers: CallerHeaders, snapshot: Snapshot, { keySets, now }: AuthenticationContext): Caller | Promise<Caller> {
  const context: AgentAuthContext = { workspace: server.workspace, serviceAccounts: snapshot.serviceAccounts, keySets, now };
  const authentication = server.agentAuth.authenticate(headers, context);
  return authentication instanceof Promise ? authentication.then(callerOf) : callerOf(authentication);
}

function callerOf(authentication: Authentication): Caller {
  if ('denied' in authentication) throw new ChallengeError(authentication);
  return authentication.caller;
}

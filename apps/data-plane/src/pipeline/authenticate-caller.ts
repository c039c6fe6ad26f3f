import type { AgentAuthContext, Authentication, Caller } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import type { Snapshot } from '../snapshot/current-snapshot.ts';
import type { PreparedServer } from '../snapshot/prepared-server.ts';
import type { CallerHeaders } from './clean-headers.ts';

/** A caller could not be made out; the challenge says what would help (RFC 9110 section 11.6.1, RFC 6750 section 3). */
export class ChallengeError extends GatewayError {
  readonly challenge: string;

  constructor(denied: 'missing_credential' | 'invalid_credential') {
    super('unauthenticated', { detail: denied });
    // A request without any credential gets no error code (RFC 6750 section 3.1).
    this.challenge = denied === 'missing_credential' ? 'Bearer realm="gatehouse"' : 'Bearer realm="gatehouse", error="invalid_token"';
  }
}

/**
 * Who calls. At once where nothing has to be fetched for it.
 * @throws ChallengeError
 */
export function authenticateCaller(server: PreparedServer, headers: CallerHeaders, snapshot: Snapshot): Caller | Promise<Caller> {
  const context: AgentAuthContext = { workspace: server.workspace, serviceAccounts: snapshot.serviceAccounts };
  const authentication = server.agentAuth.authenticate(headers, context);
  return authentication instanceof Promise ? authentication.then(callerOf) : callerOf(authentication);
}

function callerOf(authentication: Authentication): Caller {
  if ('denied' in authentication) throw new ChallengeError(authentication.denied);
  return authentication.caller;
}

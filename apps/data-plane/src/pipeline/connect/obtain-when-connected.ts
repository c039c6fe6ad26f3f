import { ConnectError, type RefusedToken, type TokenSource } from '@gatehouse/access-tokens';
import type { Caller } from '@gatehouse/agent-auth';
import type { Credential } from '@gatehouse/app-auth';
import { callerHeaderReader, type CallerHeaders, obtainCredentials, type PreparedServer } from '@gatehouse/upstream-request';
import type { Snapshot } from '../../snapshot/current-snapshot.ts';
import type { Call } from '../read-call.ts';
import type { IncomingRequest } from '../request.ts';
import type { PendingConnections } from './pending-connections.ts';

/** A client that sends a call again has asked its person, who may still be at it: so long the call waits. */
const patienceMs = 25_000;
/** The event that says so may be lost. */
const lookMs = 2_500;

export interface ObtainContext {
  readonly tokens: TokenSource;
  readonly snapshot: Pick<Snapshot, 'headerPolicy' | 'identity'>;
  readonly pending: PendingConnections;
}

/**
 * The credentials of a call; of one whose person has just agreed to connect an account, as soon as that is done.
 * @throws as `obtainCredentials`
 */
export function obtainWhenConnected({ tokens, snapshot, pending }: ObtainContext, server: PreparedServer, caller: Caller, call: Call, request: IncomingRequest, headers: CallerHeaders, refused?: RefusedToken): readonly Credential[] | Promise<readonly Credential[]> {
  const callerHeader = callerHeaderReader(server, snapshot.headerPolicy, request.headers, headers);
  const obtain = () => obtainCredentials(server, { server, caller, tokens, refused, identity: snapshot.identity, callerHeader });
  if (call.connectResponse?.action !== 'accept') return obtain();
  const waitUntil = Date.now() + patienceMs;
  const obtainOrWait = async (): Promise<readonly Credential[]> => {
    try {
      return await obtain();
    } catch (error) {
      if (!(error instanceof ConnectError) || Date.now() >= waitUntil) throw error;
      let hasLeft = false;
      pending.issued(error.linkId, server.id, caller);
      await pending.wait(server.id, caller, lookMs, (listener) =>
        request.onDisconnect(() => {
          hasLeft = true;
          listener();
        }),
      );
      if (hasLeft) throw error;
      return obtainOrWait();
    }
  };
  return obtainOrWait();
}

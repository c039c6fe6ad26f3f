import { ConnectError, type RefusedToken, type TokenSource } from '@gatehouse/access-tokens';
import type { Caller } from '@gatehouse/agent-auth';
import type { Credential } from '@gatehouse/app-auth';
import { callerHeaderReader, type CallerHeaders, callerTokenOf, obtainCredentials, type PreparedServer } from '@gatehouse/upstream-request';
import type { Snapshot } from '../../snapshot/current-snapshot.ts';
import type { Call } from '../read-call.ts';
import type { IncomingRequest } from '../request.ts';
import type { PendingConnections } from './pending-connections.ts';
import type { WaitingCall } from './waiting-call.ts';

/** A client that sends a call again has asked its person, who may still be at it: so long the call waits. */
const patienceMs = 25_000;
/** The event that says so may be lost. */
const lookMs = 2_500;

export interface ObtainContext {
  readonly tokens: TokenSource;
  readonly snapshot: Pick<Snapshot, 'headerPolicy' | 'identity' | 'authorizationServer'>;
  readonly pending: PendingConnections;
}

type Obtain = () => readonly Credential[] | Promise<readonly Credential[]>;

/**
 * The credentials of a call; of one whose person has just agreed to connect an account, as soon as that is done.
 * @throws as `obtainCredentials`
 */
export function obtainWhenConnected({ tokens, snapshot, pending }: ObtainContext, server: PreparedServer, caller: Caller, call: Call, request: IncomingRequest, headers: CallerHeaders, refused?: RefusedToken): readonly Credential[] | Promise<readonly Credential[]> {
  const callerHeader = callerHeaderReader(server, snapshot.headerPolicy, request.headers, headers);
  const callerToken = callerTokenOf(caller, headers, snapshot.authorizationServer?.issuer);
  const obtain: Obtain = () => obtainCredentials(server, { server, caller, callerToken, tokens, refused, identity: snapshot.identity, callerHeader });
  if (call.connectResponse?.action !== 'accept') return obtain();
  const { state } = call.connectResponse;
  return obtainOrWait(obtain, (error) => {
    const waiting = pending.enter(error, server.id, caller, state);
    request.onDisconnect(() => waiting?.leave());
    return waiting;
  });
}

/** @param enter gives a place to wait in, where there is one */
async function obtainOrWait(obtain: Obtain, enter: (error: ConnectError) => WaitingCall | undefined): Promise<readonly Credential[]> {
  const waitUntil = Date.now() + patienceMs;
  let waiting: WaitingCall | undefined;
  try {
    for (;;) {
      try {
        return await obtain();
      } catch (error) {
        if (!(error instanceof ConnectError) || Date.now() >= waitUntil) throw error;
        waiting ??= enter(error);
        // Without a place, its caller is told at once, and may come again.
        if (waiting === undefined || !(await waiting.pause(lookMs))) throw error;
      }
    }
  } finally {
    waiting?.leave();
  }
}

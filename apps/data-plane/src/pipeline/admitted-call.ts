import type { Caller } from '@gatehouse/agent-auth';
import type { CallerHeaders, PreparedServer } from '@gatehouse/upstream-request';
import type { Snapshot } from '../snapshot/current-snapshot.ts';
import type { CallTrace } from '../traces/call-trace.ts';
import type { Route } from './match-server.ts';
import type { Call } from './read-call.ts';
import type { IncomingRequest } from './request.ts';

/** A call of a caller that is known and may use the server. */
export interface AdmittedCall {
  readonly snapshot: Snapshot;
  readonly route: Route;
  readonly server: PreparedServer;
  readonly caller: Caller;
  readonly call: Call;
  readonly request: IncomingRequest;
  readonly headers: CallerHeaders;
  /** What is asked for it is a part of; absent where nobody wants spans. */
  readonly trace: CallTrace | undefined;
}

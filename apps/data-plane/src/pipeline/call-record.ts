import type { Caller } from '@gatehouse/agent-auth';
import type { CredentialKind } from '@gatehouse/app-auth';
import type { GatewayError } from '@gatehouse/errors';
import type { Verdict } from '@gatehouse/header-policy';
import type { PreparedServer } from '@gatehouse/upstream-request';
import type { CallTrace } from '../traces/call-trace.ts';
import type { Route } from './match-server.ts';
import type { Call } from './read-call.ts';
import type { StageClock } from './stage-clock.ts';

/** What is known of a request when it is over: for its one log line and the metrics. Never a header, an argument or a value. */
export class CallRecord {
  readonly startedAt: number;
  route: Route | undefined;
  server: PreparedServer | undefined;
  caller: Caller | undefined;
  call: Call | undefined;
  error: GatewayError | undefined;
  /** Whose upstream was asked: the server itself, or a member of a virtual one. */
  answeredBy: PreparedServer | undefined;
  /** How the credentials that were sent were come by. */
  credentials: readonly CredentialKind[] | undefined;
  /** What became of the caller's headers: names and reasons. */
  verdicts: readonly Verdict[] | undefined;
  upstreamStatus: number | undefined;
  /** Milliseconds from start to the first byte of the upstream's answer. */
  upstreamMs: number | undefined;
  /** Of what the trace of it is a part; absent where nobody wants spans. */
  trace: CallTrace | undefined;

  /** Of some requests only. */
  readonly stages: StageClock | undefined;

  constructor(startedAt: number, stages?: StageClock) {
    this.startedAt = startedAt;
    this.stages = stages;
  }
}

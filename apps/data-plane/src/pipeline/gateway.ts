import type { TokenSource } from '@gatehouse/access-tokens';
import type { Tracer } from '@gatehouse/service-runtime';
import type { CallLimits } from '../limits/call-limits.ts';
import type { Snapshot } from '../snapshot/current-snapshot.ts';
import type { UpstreamTimeouts } from './build-upstream-request.ts';
import type { AuthenticationContext } from './authenticate-caller.ts';
import type { Connecting } from './connect/connecting.ts';
import type { CallRecord } from './call-record.ts';
import type { OriginRules } from './check-origin.ts';
import type { HeaderLimits } from '@gatehouse/upstream-request';
import type { ForwardedCall } from './forwarded-call.ts';
import type { CallContext } from './read-call.ts';
import type { UpstreamResponse } from './request.ts';
import type { ShapeContext } from './shape-response.ts';
import type { StageClock } from './stage-clock.ts';
import type { KnownNames } from '../virtual/known-names.ts';
import type { MemberSessions } from '../virtual/member-sessions.ts';

/** What the pipeline needs of the process around it. */
export interface Gateway {
  /**
   * The snapshot to serve from.
   * @throws GatewayError not_ready before the first one is there: never mistaken for an empty one
   */
  snapshot(): Snapshot;
  readonly limits: {
    readonly headers: HeaderLimits;
    /** What is read of an answer, or of an event of a stream, where tools are filtered. */
    readonly filteredBytes: number;
  };
  readonly callLimits: CallLimits;
  readonly originRules: OriginRules;
  readonly authentication: AuthenticationContext;
  readonly callContext: CallContext;
  readonly shapeContext: ShapeContext;
  /** Of connections and clients, where app authentication has them. */
  readonly tokens: TokenSource;
  /** For callers that have an account to connect. */
  readonly connecting: Connecting;
  /** Of virtual servers: what is kept between calls, on this data plane alone. */
  readonly virtual: { readonly sessions: MemberSessions; readonly names: KnownNames };
  readonly timeouts: UpstreamTimeouts;
  /** Path before our routes where the public URL has one; without a slash at the end. */
  readonly publicPath: string;
  /**
   * Where the caller's transport is not the upstream's, a bridge answers in the upstream's place.
   * @throws GatewayError upstream_unreachable, upstream_timeout, upstream_failed, upstream_address_refused, session_required, session_not_found
   */
  forward(forwarded: ForwardedCall, record: CallRecord): Promise<UpstreamResponse>;
  record(record: CallRecord): void;
  /** Absent where nobody wants spans. */
  readonly tracer: Tracer | undefined;
  /** For a request that begins now, where its stages are to be measured. */
  stages(): StageClock | undefined;
  /** Milliseconds, monotonic. */
  now(): number;
}

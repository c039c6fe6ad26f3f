import type { PreparedUpstream } from '@gatehouse/upstream-request';
import type { Admission } from './admission.ts';
import type { Route } from './match-server.ts';
import type { Call } from './read-call.ts';
import type { IncomingRequest, UpstreamRequest } from './request.ts';

/** One request on its way to an upstream, as the pipeline made it. */
export interface ForwardedCall {
  readonly route: Route;
  readonly admission: Admission;
  readonly upstream: PreparedUpstream;
  readonly call: Call;
  readonly request: IncomingRequest;
  readonly outgoing: UpstreamRequest;
}

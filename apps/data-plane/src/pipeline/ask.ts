import type { Credential } from '@gatehouse/app-auth';
import type { Admission } from './admission.ts';
import type { SendCall } from './connect/send-in-session.ts';
import type { Reply, UpstreamResponse } from './request.ts';

/** What an upstream is asked for a call, and how its answer becomes the caller's: one for each of the ways in which upstreams can be asked. */
export interface Ask {
  /**
   * Called again, with another `send`, where the upstream wants other credentials.
   * @param credentials what `send` puts into the request
   */
  send(send: SendCall, credentials: readonly Credential[]): Promise<UpstreamResponse>;
  /**
   * @param admission goes with a reply that is a stream
   * @throws GatewayError where the answer is none for a caller
   */
  reply(response: UpstreamResponse, admission: Admission): Reply | Promise<Reply>;
}

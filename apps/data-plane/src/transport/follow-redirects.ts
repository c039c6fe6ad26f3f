import { isRedirect, RedirectError, redirectTarget } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import type { PreparedUpstream } from '@gatehouse/upstream-request';
import type { IncomingRequest, StreamedBody, UpstreamRequest, UpstreamResponse } from '../pipeline/request.ts';

/** Who waits for an exchange. One of the two is called. */
export interface Receiver {
  onResponse(response: UpstreamResponse): void;
  onError(error: GatewayError): void;
}

export interface SentRequest {
  abort(reason: GatewayError): void;
}

export type Send = (upstream: PreparedUpstream, outgoing: UpstreamRequest, receiver: Receiver) => SentRequest;

/** How requests are sent, each time, and how a body is thrown away that came with a redirect. */
export interface Sending {
  readonly send: Send;
  readonly discard: (body: StreamedBody, onOver: () => void) => void;
}

/**
 * Sends a request and follows redirects in the scope of the upstream's URL (D7, docs/rules.md); the head of the first other
 * answer is the response. Each request on the way has the timeouts, and a place among the origin's, of its own.
 * @throws RedirectError where one leads out of scope; what sending throws
 */
export function followRedirects(sending: Sending, upstream: PreparedUpstream, outgoing: UpstreamRequest, request: IncomingRequest): Promise<UpstreamResponse> {
  return new Promise((resolve, reject) => {
    const following = new Following(sending, upstream, outgoing, resolve, reject);
    // First: for a caller that left while its request was made ready, nothing is sent.
    request.onDisconnect(() => following.leave());
    following.send();
  });
}

/** One request of a caller's, and where it was sent on. An answer that is no redirect costs it one comparison. */
class Following implements Receiver {
  readonly #sending: Sending;
  readonly #upstream: PreparedUpstream;
  readonly #resolve: (response: UpstreamResponse) => void;
  readonly #reject: (error: GatewayError) => void;
  #outgoing: UpstreamRequest;
  #sent: SentRequest | undefined;
  #followed = 0;
  #hasLeft = false;

  constructor(sending: Sending, upstream: PreparedUpstream, outgoing: UpstreamRequest, resolve: (response: UpstreamResponse) => void, reject: (error: GatewayError) => void) {
    this.#sending = sending;
    this.#upstream = upstream;
    this.#outgoing = outgoing;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  send(): void {
    if (!this.#hasLeft) this.#sent = this.#sending.send(this.#upstream, this.#outgoing, this);
  }

  onResponse(response: UpstreamResponse): void {
    if (isRedirect(response.status)) this.#redirect(response);
    else this.#resolve(response);
  }

  onError(error: GatewayError): void {
    this.#reject(error);
  }

  /** The caller is gone: what is under way ends, and nothing more is sent. */
  leave(): void {
    this.#hasLeft = true;
    const reason = new GatewayError('caller_disconnected');
    this.#reject(reason);
    this.#sent?.abort(reason);
  }

  #redirect({ status, headers, body }: UpstreamResponse): void {
    const { method, path, withCredentials, body: sent } = this.#outgoing;
    const isRepeatable = sent === undefined || Buffer.isBuffer(sent);
    const target = redirectTarget({ base: this.#upstream.url, method, path, isRepeatable, status, location: headers['location'] }, this.#followed);
    if ('refused' in target) {
      this.#reject(new RedirectError({ reason: target.refused, origin: target.origin, method, status }));
      return this.#sending.discard(body, () => undefined);
    }
    this.#followed += 1;
    // A target that names our key, or none, gets the key that the configuration has.
    const next = withCredentials?.(target.follow.path) ?? target.follow.path;
    this.#outgoing = { ...this.#outgoing, method: target.follow.method, path: next };
    // The place of this exchange is free before the next one needs one.
    this.#sending.discard(body, () => this.send());
  }
}

import { GatewayError } from '@gatehouse/errors';
import { type OriginPools, toUpstreamError } from '@gatehouse/egress';
import type { Dispatcher } from 'undici';
import type { BodySink, IncomingRequest, StreamedBody, UpstreamRequest, UpstreamResponse } from '../pipeline/request.ts';
import type { PreparedUpstream } from '../snapshot/prepared-server.ts';

type Headers = UpstreamResponse['headers'];

/** What may wait here before anyone reads it: a small answer is usually complete before the pipeline has looked at its head. */
const maxWaitingBytes = 65_536;

/**
 * Sends a request and gives its response as soon as the head is there. Never repeats anything.
 * @throws GatewayError upstream_unreachable, upstream_timeout, upstream_failed, upstream_address_refused
 */
export function dispatchUpstream(pools: OriginPools, upstream: PreparedUpstream, outgoing: UpstreamRequest, request: IncomingRequest): Promise<UpstreamResponse> {
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(resolve, reject);
    request.onDisconnect(() => exchange.abort(new GatewayError('caller_disconnected')));
    pools.dispatcherFor(upstream.origin, upstream.connect).dispatch(
      {
        method: outgoing.method,
        path: outgoing.path,
        headers: outgoing.headers,
        body: outgoing.body ?? null,
        headersTimeout: outgoing.responseTimeoutMs,
        bodyTimeout: outgoing.idleTimeoutMs,
      },
      exchange,
    );
  });
}

/** One request and its response: undici's handler on one side, the body on the other. */
class Exchange implements Dispatcher.DispatchHandler, StreamedBody {
  readonly #resolve: (response: UpstreamResponse) => void;
  readonly #reject: (error: GatewayError) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #aborted: GatewayError | undefined;
  #sink: BodySink | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #ended = false;
  #failure: GatewayError | undefined;
  #answered = false;

  constructor(resolve: (response: UpstreamResponse) => void, reject: (error: GatewayError) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted) controller.abort(this.#aborted);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200) return;
    this.#answered = true;
    this.#resolve({ status, headers, body: this });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#sink !== undefined) {
      if (!this.#sink.write(chunk)) controller.pause();
      return;
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > maxWaitingBytes) controller.pause();
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#sink?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, thrown: Error): void {
    const error = toUpstreamError(thrown);
    if (!this.#answered) this.#reject(error);
    else if (this.#sink !== undefined) this.#sink.fail(error);
    else this.#failure = error;
  }

  pipe(sink: BodySink): void {
    this.#sink = sink;
    const waiting = this.#waiting;
    this.#waiting = [];
    let wantsMore = true;
    for (const chunk of waiting) wantsMore = sink.write(chunk);
    if (this.#failure !== undefined) sink.fail(this.#failure);
    else if (this.#ended) sink.end();
    else if (wantsMore) this.resume();
    else this.#controller?.pause();
  }

  resume(): void {
    if (this.#controller?.paused) this.#controller.resume();
  }

  abort(reason = new GatewayError('upstream_failed', { detail: 'the exchange was ended by the gateway' })): void {
    if (this.#aborted || this.#ended) return;
    this.#aborted = reason;
    this.#controller?.abort(reason);
  }
}

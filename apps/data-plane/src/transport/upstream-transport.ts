import { signRequest } from '@gatehouse/app-auth';
import { type AddressGuard, type CircuitBreakers, type CircuitTarget, type ConnectionCounts, OriginPools, OriginSlots } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import type { PreparedUpstream } from '@gatehouse/upstream-request';
import type { Dispatcher } from 'undici';
import type { IncomingRequest, UpstreamRequest, UpstreamResponse } from '../pipeline/request.ts';
import { Deadlines } from './deadlines.ts';
import { discardBody } from './discard-body.ts';
import { Exchange } from './exchange.ts';
import { followRedirects, type Receiver, type Sending } from './follow-redirects.ts';
import { uploadReadable } from './upload-readable.ts';

export interface UpstreamTransportOptions {
  readonly guard: AddressGuard;
  readonly connectTimeoutMs: number;
  readonly connectionsPerOrigin: number;
  /** Several transports may share them; absent, every request is sent. */
  readonly circuits?: CircuitBreakers;
}

/** Requests that wait for a connection of one origin, and their bodies, at most. */
const maxWaiting = 1_000;
const maxWaitingBytes = 67_108_864;
/** A body of more than this may be still on its way when an upstream has seen enough of it to hang up. */
const largeBodyBytes = 65_536;

/** The upstreams' side of the pipeline, on undici: connections kept per origin, every one past the address guard. */
export class UpstreamTransport {
  readonly #pools: OriginPools;
  readonly #slots: OriginSlots;
  readonly #circuits: CircuitBreakers | undefined;
  readonly #deadlines = new Deadlines();
  readonly #sending: Sending = {
    send: (upstream, outgoing, receiver) => this.#send(upstream, outgoing, receiver),
    discard: (body, onOver) => discardBody(body, this.#deadlines, onOver),
  };

  constructor(options: UpstreamTransportOptions) {
    this.#pools = new OriginPools(options);
    this.#slots = new OriginSlots({ running: options.connectionsPerOrigin, waiting: maxWaiting, waitingBytes: maxWaitingBytes });
    this.#circuits = options.circuits;
  }

  get poolCount(): number {
    return this.#pools.size;
  }

  get connections(): Readonly<ConnectionCounts> {
    return this.#pools.connections;
  }

  /** Requests that run, and that wait for their turn. */
  get load(): OriginSlots['load'] {
    return this.#slots.load;
  }

  /**
   * Sends a request and gives its response as soon as the head is there; redirects are followed in the upstream's scope. What
   * may have had an effect is never repeated.
   * @throws GatewayError upstream_unreachable, upstream_timeout, upstream_failed, upstream_address_refused, upstream_redirected,
   * upstream_busy, upstream_circuit_open, caller_disconnected
   */
  readonly dispatch = (upstream: PreparedUpstream, outgoing: UpstreamRequest, request: IncomingRequest): Promise<UpstreamResponse> =>
    followRedirects(this.#sending, upstream, outgoing, request);

  /** The same for what is no upstream: a redirect is an answer like any other. */
  readonly dispatchOnce = (upstream: PreparedUpstream, outgoing: UpstreamRequest, request: IncomingRequest): Promise<UpstreamResponse> =>
    new Promise((resolve, reject) => {
      let exchange: Exchange | undefined;
      let hasLeft = false;
      request.onDisconnect(() => {
        const reason = new GatewayError('caller_disconnected');
        hasLeft = true;
        reject(reason);
        exchange?.abort(reason);
      });
      if (!hasLeft) exchange = this.#send(upstream, outgoing, { onResponse: resolve, onError: reject });
    });

  /** Breaks off what is still in flight. */
  close(): Promise<void> {
    return this.#pools.destroy();
  }

  #send(upstream: PreparedUpstream, outgoing: UpstreamRequest, receiver: Receiver): Exchange {
    const { origin } = upstream;
    const target = this.#targetOf(upstream, outgoing);
    const exchange = new Exchange(receiver, this.#deadlines, () => this.#slots.leave(origin));
    // Before it waits for its turn: where the origin does not answer, that would be long.
    const refusal = this.#circuits?.refusal(target);
    const giveUp = refusal ?? this.#slots.enter(origin, bytesOf(outgoing), () => this.#start(exchange, upstream, target, outgoing));
    if (giveUp instanceof GatewayError) receiver.onError(giveUp);
    else if (giveUp === 'full') receiver.onError(new GatewayError('upstream_busy'));
    // Only one that has to wait needs a deadline: undici counts from when a connection is there.
    else if (giveUp !== undefined) exchange.wait(giveUp, outgoing.responseTimeoutMs);
    return exchange;
  }

  #start(exchange: Exchange, { origin, connect }: PreparedUpstream, target: CircuitTarget, outgoing: UpstreamRequest): void {
    const { body } = outgoing;
    try {
      const options: Dispatcher.DispatchOptions = {
        method: outgoing.method,
        path: outgoing.path,
        headers: headersOf(outgoing, origin),
        body: body === undefined ? null : Buffer.isBuffer(body) ? body : uploadReadable(body),
        headersTimeout: outgoing.responseTimeoutMs,
        bodyTimeout: outgoing.idleTimeoutMs,
      };
      exchange.begin(this.#circuits?.begin(target));
      const wantsMore = this.#pools.dispatcherFor(origin, connect).dispatch(options, exchange);
      // A request that undici refuses (a header it cannot write) leaves the pool's connection waiting for a drain that never
      // comes: such a pool is not used again.
      if (!wantsMore && exchange.isRefused) this.#pools.discard(origin, connect);
    } catch (error) {
      exchange.fail(error);
    }
    if (exchange.isQueued) exchange.expectStart(outgoing.responseTimeoutMs);
  }

  #targetOf({ origin, connect, server, transport }: PreparedUpstream, { listens, body }: UpstreamRequest): CircuitTarget {
    return {
      key: this.#pools.keyOf(origin, connect),
      origin,
      server,
      // What an upstream says without being asked may be long in coming, its head with it; HTTP+SSE begins with `endpoint`.
      listens: listens && transport !== 'sse',
      hasLargeBody: body !== undefined && (!Buffer.isBuffer(body) || body.length > largeBodyBytes),
    };
  }
}

/** What of it is here while it waits. */
const bytesOf = ({ body }: UpstreamRequest): number => (Buffer.isBuffer(body) ? body.length : 0);

function headersOf(outgoing: UpstreamRequest, origin: string): string[] {
  const { body, signatures, headers } = outgoing;
  if (body === undefined || Buffer.isBuffer(body)) return signatures === undefined ? headers : signRequest(signatures, { ...outgoing, body, origin });
  // What is passed on as it comes cannot be part of a signature; where one has to be of it, it is not passed on in this way.
  const signed = signatures === undefined ? headers : signRequest(signatures, { ...outgoing, body: undefined, origin });
  // Without a length undici sends chunks.
  return body.announcedBytes === undefined ? signed : [...signed, 'content-length', String(body.announcedBytes)];
}

import { type AddressGuard, OriginPools, OriginSlots } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import type { Dispatcher } from 'undici';
import type { IncomingRequest, UpstreamRequest, UpstreamResponse } from '../pipeline/request.ts';
import type { PreparedUpstream } from '@gatehouse/upstream-request';
import { Exchange } from './exchange.ts';

export interface UpstreamTransportOptions {
  readonly guard: AddressGuard;
  readonly connectTimeoutMs: number;
  readonly connectionsPerOrigin: number;
}

/** Requests that wait for a connection of one origin, and their bodies, at most. */
const maxWaiting = 1_000;
const maxWaitingBytes = 67_108_864;

/** The upstreams' side of the pipeline, on undici: connections kept per origin, every one past the address guard. */
export class UpstreamTransport {
  readonly #pools: OriginPools;
  readonly #slots: OriginSlots;

  constructor(options: UpstreamTransportOptions) {
    this.#pools = new OriginPools(options);
    this.#slots = new OriginSlots({ running: options.connectionsPerOrigin, waiting: maxWaiting, waitingBytes: maxWaitingBytes });
  }

  get poolCount(): number {
    return this.#pools.size;
  }

  /**
   * Sends a request and gives its response as soon as the head is there. Never repeats anything.
   * @throws GatewayError upstream_unreachable, upstream_timeout, upstream_failed, upstream_address_refused, upstream_busy, caller_disconnected
   */
  readonly dispatch = (upstream: PreparedUpstream, outgoing: UpstreamRequest, request: IncomingRequest): Promise<UpstreamResponse> =>
    new Promise((resolve, reject) => {
      const exchange = new Exchange(resolve, reject, () => this.#slots.leave(upstream.origin));
      const start = (): void => this.#start(exchange, upstream, outgoing);
      const giveUp = this.#slots.enter(upstream.origin, outgoing.body?.length ?? 0, start);
      if (giveUp === 'full') return reject(new GatewayError('upstream_busy'));
      // Only one that has to wait needs a timer: undici counts from when a connection is there.
      if (giveUp !== undefined) exchange.wait(giveUp, outgoing.responseTimeoutMs);
      request.onDisconnect(() => exchange.abort(new GatewayError('caller_disconnected')));
    });

  /** Breaks off what is still in flight. */
  close(): Promise<void> {
    return this.#pools.destroy();
  }

  #start(exchange: Exchange, upstream: PreparedUpstream, outgoing: UpstreamRequest): void {
    exchange.begin();
    const options: Dispatcher.DispatchOptions = {
      method: outgoing.method,
      path: outgoing.path,
      headers: outgoing.headers,
      body: outgoing.body ?? null,
      headersTimeout: outgoing.responseTimeoutMs,
      bodyTimeout: outgoing.idleTimeoutMs,
    };
    const { origin, connect } = upstream;
    try {
      const wantsMore = this.#pools.dispatcherFor(origin, connect).dispatch(options, exchange);
      // A request that undici refuses (a header it cannot write) leaves the pool's connection waiting for a drain that never
      // comes: such a pool is not used again.
      if (!wantsMore && exchange.isRefused) this.#pools.discard(origin, connect);
    } catch (error) {
      exchange.fail(error);
    }
    if (exchange.isQueued) exchange.expectStart(outgoing.responseTimeoutMs);
  }
}

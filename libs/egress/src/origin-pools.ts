import { hash } from 'node:crypto';
import { type Dispatcher, Pool } from 'undici';
import type { AddressGuard } from './address-guard.ts';
import type { CircuitBreakers } from './circuit-breakers.ts';
import { guardedConnector, type ResolveName, type UpstreamTls } from './guarded-connector.ts';

/** How connections to an origin are made. Servers with equal options share their connections. */
export interface ConnectOptions {
  /** That of the pools when absent. */
  readonly connectTimeoutMs?: number;
  readonly tls?: UpstreamTls;
}

export interface OriginPoolsOptions {
  readonly guard: AddressGuard;
  /** Pools kept at most; beyond, the idle ones used longest ago are closed. 20,000 when absent. */
  readonly maxPools?: number;
  /** Connections per pool at most; requests beyond wait. 256 when absent. */
  readonly connectionsPerOrigin?: number;
  /** Where a server does not say. 5 seconds when absent. */
  readonly connectTimeoutMs?: number;
  /** How long an unused connection is kept where the upstream does not say. 4 seconds when absent. */
  readonly keepAliveTimeoutMs?: number;
  readonly resolveName?: ResolveName;
  /** Several pools may share them. Whoever dispatches asks them; absent, every request is sent. */
  readonly circuits?: CircuitBreakers;
}

/** Of all pools together, since the start where nothing else is said. */
export interface ConnectionCounts {
  /** Now, in use and unused. */
  open: number;
  opened: number;
  /** Attempts of which no connection came. */
  failed: number;
}

interface Entry {
  readonly pool: Pool;
  lastUse: number;
}

const defaultConnect: ConnectOptions = {};

/** A pool of guarded connections per origin and way of connecting, made when first needed. */
export class OriginPools {
  readonly #options: OriginPoolsOptions;
  readonly #maxPools: number;
  readonly #pools = new Map<string, Entry>();
  readonly #keys = new WeakMap<ConnectOptions, string>();
  readonly #connections: ConnectionCounts = { open: 0, opened: 0, failed: 0 };
  #uses = 0;

  constructor(options: OriginPoolsOptions) {
    this.#options = options;
    this.#maxPools = options.maxPools ?? 20_000;
  }

  get size(): number {
    return this.#pools.size;
  }

  get connections(): Readonly<ConnectionCounts> {
    return this.#connections;
  }

  get circuits(): CircuitBreakers | undefined {
    return this.#options.circuits;
  }

  /** What requests to an origin have in common that share their connections. */
  keyOf(origin: string, connect: ConnectOptions = defaultConnect): string {
    return origin + this.#keyOf(connect);
  }

  /**
   * The dispatcher for an origin as `URL.origin` spells it. Dispatch at once and ask again for the next request: an idle pool
   * may be closed between. Keep one `connect` object per server; its key is computed once per object.
   */
  dispatcherFor(origin: string, connect: ConnectOptions = defaultConnect): Dispatcher {
    const key = this.keyOf(origin, connect);
    let entry = this.#pools.get(key);
    if (!entry) {
      if (this.#pools.size >= this.#maxPools) this.#closeIdle();
      entry = { pool: this.#open(origin, connect), lastUse: 0 };
      this.#pools.set(key, entry);
    }
    entry.lastUse = this.#uses += 1;
    return entry.pool;
  }

  /** Closes an origin's pool once what is in flight has finished; the next request has a new one. */
  discard(origin: string, connect: ConnectOptions = defaultConnect): void {
    const key = this.keyOf(origin, connect);
    const entry = this.#pools.get(key);
    this.#pools.delete(key);
    void entry?.pool.close();
  }

  /** Lets requests in flight finish. A later `dispatcherFor` opens new pools. */
  async close(): Promise<void> {
    await Promise.all(this.#takeAll().map((pool) => pool.close()));
  }

  /** Breaks off what is in flight. */
  async destroy(): Promise<void> {
    await Promise.all(this.#takeAll().map((pool) => pool.destroy()));
  }

  #takeAll(): Pool[] {
    const pools = [...this.#pools.values()].map(({ pool }) => pool);
    this.#pools.clear();
    return pools;
  }

  #keyOf(connect: ConnectOptions): string {
    let key = this.#keys.get(connect);
    if (key === undefined) {
      const { ca, cert, key: privateKey } = connect.tls ?? {};
      // Hashed so that no private key stays in memory as the key of a map.
      const tls = connect.tls ? hash('sha256', JSON.stringify([ca, cert, privateKey]), 'base64') : '';
      key = ` ${connect.connectTimeoutMs ?? ''} ${tls}`;
      this.#keys.set(connect, key);
    }
    return key;
  }

  #open(origin: string, { connectTimeoutMs = this.#options.connectTimeoutMs ?? 5_000, tls }: ConnectOptions): Pool {
    const { guard, connectionsPerOrigin = 256, keepAliveTimeoutMs = 4_000, resolveName } = this.#options;
    const pool = new Pool(origin, {
      connect: guardedConnector({ guard, connectTimeoutMs, ...(tls && { tls }), ...(resolveName && { resolveName }) }),
      connections: connectionsPerOrigin,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: keepAliveTimeoutMs,
      // However long an upstream offers, thousands of origins must not hold on to their sockets.
      keepAliveMaxTimeout: Math.max(60_000, keepAliveTimeoutMs),
      headersTimeout: 60_000,
      bodyTimeout: 300_000,
    });
    // Counted as they come and go: to ask each of thousands of pools at every scrape takes long enough to be felt.
    pool.on('connect', () => {
      this.#connections.open += 1;
      this.#connections.opened += 1;
    });
    pool.on('disconnect', () => void (this.#connections.open -= 1));
    pool.on('connectionError', () => void (this.#connections.failed += 1));
    return pool;
  }

  /** Closes a twentieth of the pools, so that the search is rare. Where all are busy the bound gives way, not a request. */
  #closeIdle(): void {
    const count = Math.max(1, Math.floor(this.#maxPools / 20));
    const idle = [...this.#pools].filter(([, { pool }]) => pool.stats.size === 0);
    for (const [key, { pool }] of idle.sort(([, a], [, b]) => a.lastUse - b.lastUse).slice(0, count)) {
      this.#pools.delete(key);
      void pool.close();
    }
  }
}

/** How a bucket fills: one token in each interval, up to `burst` of them. */
export interface BucketRate {
  readonly intervalMs: number;
  readonly burst: number;
}

/** Of sums of intervals that are no whole numbers. */
export const roundingMs = 0.0005;
/** So many are looked at for one that may go. */
const sampled = 8;

/** Those of one server: when each is full again, and who is next in going around them. */
class ServerBuckets {
  readonly fullAt = new Map<string, number>();
  #round = this.fullAt.entries();

  next(): readonly [string, number] | undefined {
    const { value } = this.#round.next();
    if (value !== undefined) return value;
    this.#round = this.fullAt.entries();
    return this.#round.next().value;
  }

  /** The one that is the fullest of some. */
  forgetOne(): void {
    let [fullest, fullestAt] = ['', Infinity];
    for (let step = 0; step < sampled; step += 1) {
      const [key, fullAt] = this.next() ?? ['', Infinity];
      if (fullAt < fullestAt) [fullest, fullestAt] = [key, fullAt];
    }
    this.fullAt.delete(fullest);
  }
}

/**
 * Token buckets in bounded memory, without timers. Of a bucket one number is kept, the time at which it is full again (the generic cell
 * rate algorithm, ITU-T I.371): one that is full needs no entry. Where there is no room for another one, one that is nearly full goes,
 * of the server that has the most: whoever makes up callers makes only their own server forget. A key begins with its server, up to
 * the first NUL.
 */
export class TokenBuckets {
  readonly #now: () => number;
  readonly #maxBuckets: number;
  readonly #servers = new Map<string, ServerBuckets>();
  /** Goes around all of them, a few steps for each bucket that is new. */
  #round = this.#servers.entries();
  /** The one that has the most, of those that were looked at. */
  #largest = new ServerBuckets();
  #size = 0;

  /** @param now milliseconds, monotonic */
  constructor(now: () => number, maxBuckets = 100_000) {
    this.#now = now;
    this.#maxBuckets = maxBuckets;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns milliseconds until so many tokens are there; 0 where they are, Infinity for more than it holds */
  waitMs(key: string, rate: BucketRate, tokens: number): number {
    if (tokens > rate.burst) return Infinity;
    const wait = this.nextMs(key, rate) + (tokens - 1) * rate.intervalMs;
    return wait > roundingMs ? wait : 0;
  }

  /** @returns milliseconds until there is a token; below 0 where there are some, by an interval for each but the first */
  nextMs(key: string, { intervalMs, burst }: BucketRate): number {
    const now = this.#now();
    return this.#fullAt(key, now) - now - (burst - 1) * intervalMs;
  }

  /** How many tokens are there. */
  there(key: string, { intervalMs, burst }: BucketRate): number {
    const now = this.#now();
    return Math.max(0, Math.floor(burst - (this.#fullAt(key, now) - now - roundingMs) / intervalMs));
  }

  /** Takes tokens that are there, by `waitMs`. */
  take(key: string, { intervalMs }: BucketRate, tokens: number): void {
    const now = this.#now();
    const fullAt = this.#fullAt(key, now) + tokens * intervalMs;
    const known = this.#servers.get(serverOf(key));
    if (known?.fullAt.has(key) !== true) this.#makeRoom(now, known);
    this.#set(key, fullAt);
  }

  #fullAt(key: string, now: number): number {
    return Math.max(this.#servers.get(serverOf(key))?.fullAt.get(key) ?? now, now);
  }

  #set(key: string, fullAt: number): void {
    const server = serverOf(key);
    let own = this.#servers.get(server);
    if (own === undefined) this.#servers.set(server, (own = new ServerBuckets()));
    const before = own.fullAt.size;
    own.fullAt.set(key, fullAt);
    this.#size += own.fullAt.size - before;
  }

  #makeRoom(now: number, own: ServerBuckets | undefined): void {
    this.#forgetFull(now, own, 2);
    if (this.#size < this.#maxBuckets) return;
    this.#forgetFull(now, own, sampled);
    if (this.#size < this.#maxBuckets) return;
    const victim = own !== undefined && own.fullAt.size >= this.#largest.fullAt.size ? own : this.#largest;
    const before = victim.fullAt.size;
    victim.forgetOne();
    this.#size -= before - victim.fullAt.size;
  }

  /** Of the newcomer's server, and of another one. */
  #forgetFull(now: number, own: ServerBuckets | undefined, steps: number): void {
    for (let step = 0; step < steps; step += 1) {
      if (own !== undefined) this.#forgetNextFull(now, own);
      const [server, other] = this.#next() ?? [];
      if (server === undefined || other === undefined) return;
      this.#forgetNextFull(now, other);
      if (other.fullAt.size === 0) this.#servers.delete(server);
      else if (other.fullAt.size > this.#largest.fullAt.size) this.#largest = other;
    }
  }

  #forgetNextFull(now: number, buckets: ServerBuckets): void {
    const [key, fullAt] = buckets.next() ?? [];
    if (key === undefined || fullAt === undefined || fullAt > now) return;
    buckets.fullAt.delete(key);
    this.#size -= 1;
  }

  #next(): readonly [string, ServerBuckets] | undefined {
    const { value } = this.#round.next();
    if (value !== undefined) return value;
    this.#round = this.#servers.entries();
    return this.#round.next().value;
  }
}

const serverOf = (key: string): string => key.slice(0, Math.max(0, key.indexOf('\0')));

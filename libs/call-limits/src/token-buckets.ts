/** How a bucket fills: one token in each interval, up to `burst` of them. */
export interface BucketRate {
  readonly intervalMs: number;
  readonly burst: number;
}

/** Of sums of intervals that are no whole numbers. */
const roundingMs = 0.0005;
/** So many are looked at for one that may go. */
const sampled = 8;

/**
 * Token buckets in bounded memory, without timers. Of a bucket one number is kept, the time at which it is full again (the generic cell
 * rate algorithm, ITU-T I.371): one that is full needs no entry. Where there is no room for another one, one that is nearly full goes.
 */
export class TokenBuckets {
  readonly #now: () => number;
  readonly #maxBuckets: number;
  readonly #fullAt = new Map<string, number>();
  /** Goes around all of them, a few steps for each that is new. */
  #round = this.#fullAt.entries();

  /** @param now milliseconds, monotonic */
  constructor(now: () => number, maxBuckets = 100_000) {
    this.#now = now;
    this.#maxBuckets = maxBuckets;
  }

  get size(): number {
    return this.#fullAt.size;
  }

  /** @returns milliseconds until so many tokens are there; 0 where they are. More than `burst` never are. */
  waitMs(key: string, { intervalMs, burst }: BucketRate, tokens: number): number {
    const now = this.#now();
    const missing = Math.max(this.#fullAt.get(key) ?? now, now) - now;
    const wait = missing - (burst - tokens) * intervalMs;
    return wait > roundingMs ? wait : 0;
  }

  /** How many tokens are there. */
  there(key: string, { intervalMs, burst }: BucketRate): number {
    const now = this.#now();
    const missing = Math.max(this.#fullAt.get(key) ?? now, now) - now;
    return Math.max(0, Math.floor(burst - (missing - roundingMs) / intervalMs));
  }

  /** Takes tokens that are there, by `waitMs`. */
  take(key: string, { intervalMs }: BucketRate, tokens: number): void {
    const now = this.#now();
    const known = this.#fullAt.get(key);
    if (known === undefined) this.#makeRoom(now);
    this.#fullAt.set(key, Math.max(known ?? now, now) + tokens * intervalMs);
  }

  #makeRoom(now: number): void {
    this.#forgetFull(now, 2);
    if (this.#fullAt.size < this.#maxBuckets) return;
    this.#forgetFull(now, sampled);
    if (this.#fullAt.size < this.#maxBuckets) return;
    let [fullest, fullestAt] = ['', Infinity];
    for (let step = 0; step < sampled; step += 1) {
      const [key, fullAt] = this.#next() ?? ['', Infinity];
      if (fullAt < fullestAt) [fullest, fullestAt] = [key, fullAt];
    }
    this.#fullAt.delete(fullest);
  }

  #forgetFull(now: number, steps: number): void {
    for (let step = 0; step < steps; step += 1) {
      const next = this.#next();
      if (next !== undefined && next[1] <= now) this.#fullAt.delete(next[0]);
    }
  }

  #next(): readonly [string, number] | undefined {
    const { value } = this.#round.next();
    if (value !== undefined) return value;
    this.#round = this.#fullAt.entries();
    return this.#round.next().value;
  }
}

import type { SharedBuckets } from './shared-buckets.ts';
import { type BucketRate, roundingMs, type TokenBuckets } from './token-buckets.ts';

export interface LeasedTokensOptions {
  readonly buckets: SharedBuckets;
  /** What is gone by where those are away. */
  readonly alone: TokenBuckets;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly onChange: (isAway: boolean, error?: unknown) => void;
  /** A call was counted by this data plane alone. */
  readonly onAlone: () => void;
  readonly maxLeases?: number;
}

/** So much of a rate is taken at once, at most: what a data plane may have too much of it. */
const batchMs = 100;
/** And at most this share of what the bucket holds. */
const shareOfBurst = 0.1;
/** Tokens that were taken and not used are not used later either: they would come on top of what has filled up since. */
const leaseMs = 1_000;
/** After a failure, until the bucket is asked again. */
const pauseMs = 1_000;
/** After so many failures, and nothing else between them, no bucket is: then it is not only where some of them are. */
const manyFailures = 8;
/** So long without a failure they are back: where a part of them is away, others answer all the time. */
const calmMs = 5_000;

interface Waiting {
  readonly tokens: number;
  readonly resolve: (waitMs: number) => void;
}

interface Lease {
  tokens: number;
  /** Since `askedAt`. */
  used: number;
  askedAt: number;
  /** When the bucket has its next token, at the soonest: others may have taken it since. In the past where it has some, an interval for each. */
  nextAt: number;
  /** Until then it is counted here, after a failure. */
  aloneUntil: number;
  batch: number;
  isAsking: boolean;
  waiting: Waiting[];
}

/**
 * Tokens of shared buckets. They are taken in batches as large as what is used in a tenth of a second, so that many calls cost one
 * question; a bucket that cannot have enough is not asked again before it may. No call fails because the buckets are away: then each
 * is counted here, as if this were the only data plane.
 */
export class LeasedTokens {
  readonly #options: LeasedTokensOptions;
  readonly #maxLeases: number;
  readonly #leases = new Map<string, Lease>();
  #round = this.#leases.entries();
  #isAway = false;
  #awayUntil = -Infinity;
  #failedAt = -Infinity;
  /** Since the last answer. */
  #failures = 0;

  constructor(options: LeasedTokensOptions) {
    this.#options = options;
    this.#maxLeases = options.maxLeases ?? 100_000;
  }

  get size(): number {
    return this.#leases.size;
  }

  /** What is known without a question, and without taking any. @returns 0 where they may be there, otherwise as `take` */
  waitMs(key: string, rate: BucketRate, tokens: number): number {
    if (tokens > rate.burst) return Infinity;
    const now = this.#options.now();
    const lease = this.#leases.get(key);
    if (this.#isAlone(lease, now)) return this.#waitAlone(key, rate, tokens);
    return lease === undefined ? 0 : missingMs(lease, rate, tokens, now);
  }

  /**
   * At once where nobody has to be asked.
   * @returns 0 where they were taken, otherwise milliseconds until it makes sense to ask again; Infinity for more than the bucket holds
   */
  take(key: string, rate: BucketRate, tokens: number): number | Promise<number> {
    if (tokens > rate.burst) return Infinity;
    const now = this.#options.now();
    const lease = this.#leaseOf(key, now);
    if (this.#isAlone(lease, now)) return this.#takeAlone(key, rate, tokens);
    if (!lease.isAsking && lease.tokens >= tokens && !isOld(lease, now)) return take(lease, tokens);
    const wait = missingMs(lease, rate, tokens, now);
    if (wait > 0) return wait;
    return new Promise((resolve) => {
      lease.waiting.push({ tokens, resolve });
      if (!lease.isAsking) void this.#ask(key, rate, lease);
    });
  }

  /** Of a call that another limit has refused. */
  giveBack(key: string, tokens: number): void {
    const lease = this.#leases.get(key);
    // Where they were not taken from it, they are lost: too few are better than too many.
    if (lease === undefined || lease.used < tokens) return;
    lease.tokens += tokens;
    lease.used -= tokens;
  }

  async #ask(key: string, rate: BucketRate, lease: Lease): Promise<void> {
    const { buckets, now } = this.#options;
    lease.isAsking = true;
    if (isOld(lease, now())) lease.tokens = 0;
    while (lease.waiting.length > 0) {
      const askedAt = now();
      const asking = nextOf(lease.waiting);
      const needed = Math.max(1, asking.reduce((sum, { tokens }) => sum + tokens, -lease.tokens));
      lease.batch = batchAfter(lease, rate, askedAt);
      const isSingle = asking[0]?.tokens === 1;
      const wanted = isSingle ? Math.max(needed, lease.batch) : needed;
      try {
        const { granted, nextMs } = await buckets.take(key, rate, wanted, isSingle ? 1 : needed);
        this.#answered();
        // What was left of an earlier batch is no older than its lease: nobody waits while there is enough.
        lease.tokens += granted;
        lease.used = 0;
        lease.askedAt = askedAt;
        lease.nextAt = askedAt + nextMs;
        for (const { tokens, resolve } of asking) resolve(lease.tokens >= tokens ? take(lease, tokens) : Math.max(1, missingMs(lease, rate, tokens, now())));
      } catch (error) {
        this.#failed(error);
        lease.aloneUntil = now() + pauseMs;
        for (const { tokens, resolve } of [...asking, ...lease.waiting.splice(0)]) resolve(this.#takeAlone(key, rate, tokens));
      }
    }
    lease.isAsking = false;
  }

  #isAlone(lease: Lease | undefined, now: number): boolean {
    return now < this.#awayUntil || (lease !== undefined && now < lease.aloneUntil);
  }

  #waitAlone(key: string, rate: BucketRate, tokens: number): number {
    const { alone, onAlone } = this.#options;
    const wait = alone.waitMs(key, rate, tokens);
    if (wait > 0) onAlone();
    return wait;
  }

  #takeAlone(key: string, rate: BucketRate, tokens: number): number {
    const { alone, onAlone } = this.#options;
    const wait = this.#waitAlone(key, rate, tokens);
    if (wait > 0) return wait;
    alone.take(key, rate, tokens);
    onAlone();
    return 0;
  }

  #failed(error: unknown): void {
    const { now, onChange } = this.#options;
    this.#failedAt = now();
    this.#failures += 1;
    if (this.#failures >= manyFailures) this.#awayUntil = this.#failedAt + pauseMs;
    if (!this.#isAway) onChange(true, error);
    this.#isAway = true;
  }

  #answered(): void {
    const { now, onChange } = this.#options;
    this.#failures = 0;
    this.#awayUntil = -Infinity;
    if (!this.#isAway || now() - this.#failedAt < calmMs) return;
    this.#isAway = false;
    onChange(false);
  }

  #leaseOf(key: string, now: number): Lease {
    let lease = this.#leases.get(key);
    if (lease === undefined) {
      this.#forgetUnused(now, this.#leases.size < this.#maxLeases ? 2 : 8);
      lease = { tokens: 0, used: 0, askedAt: -Infinity, nextAt: -Infinity, aloneUntil: -Infinity, batch: 1, isAsking: false, waiting: [] };
      this.#leases.set(key, lease);
    }
    return lease;
  }

  /** Where there is no room, also those that are not over yet: their tokens are lost. */
  #forgetUnused(now: number, steps: number): void {
    for (let step = 0; step < steps; step += 1) {
      let { value } = this.#round.next();
      if (value === undefined) {
        this.#round = this.#leases.entries();
        value = this.#round.next().value;
      }
      if (value === undefined) return;
      const [key, lease] = value;
      const isOver = isOld(lease, now) && lease.nextAt <= now && lease.aloneUntil <= now;
      if (!lease.isAsking && (isOver || this.#leases.size >= this.#maxLeases)) this.#leases.delete(key);
    }
  }
}

const isOld = ({ askedAt }: Lease, now: number): boolean => now - askedAt >= leaseMs;

function take(lease: Lease, tokens: number): 0 {
  lease.tokens -= tokens;
  lease.used += tokens;
  return 0;
}

/**
 * Who is asked for next, in their order. Single calls are so together; a call of several is by itself, and has all or nothing: what it
 * is refused it must not take from others.
 */
function nextOf(waiting: Waiting[]): readonly Waiting[] {
  const others = waiting.findIndex(({ tokens }) => tokens > 1);
  return waiting.splice(0, others === -1 ? waiting.length : Math.max(1, others));
}

/** Milliseconds, at least 1, until the bucket may have what the lease has not; 0 where it may by now. */
function missingMs(lease: Lease, { intervalMs }: BucketRate, tokens: number, now: number): number {
  const missing = tokens - (lease.isAsking || !isOld(lease, now) ? lease.tokens : 0);
  const wait = missing <= 0 ? 0 : lease.nextAt + (missing - 1) * intervalMs - now;
  return wait > roundingMs ? Math.max(1, wait) : 0;
}

/** As many as are used in a tenth of a second, by how fast the last ones were; at most twice as many as those. */
function batchAfter({ batch, used, askedAt }: Lease, { intervalMs, burst }: BucketRate, now: number): number {
  const most = Math.max(1, Math.floor(Math.min(burst * shareOfBurst, batchMs / intervalMs)));
  const usual = Math.ceil((used * batchMs) / Math.max(1, now - askedAt));
  return Math.max(1, Math.min(most, usual, 2 * batch));
}

import type { SharedBuckets } from './shared-buckets.ts';
import type { BucketRate, TokenBuckets } from './token-buckets.ts';

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
/** After a failure, until the buckets are asked again. */
const pauseMs = 1_000;

interface Waiting {
  readonly tokens: number;
  readonly resolve: (waitMs: number) => void;
}

interface Lease {
  tokens: number;
  /** Since `askedAt`. */
  used: number;
  askedAt: number;
  /** The bucket has nothing for anybody before. */
  emptyUntil: number;
  batch: number;
  isAsking: boolean;
  waiting: Waiting[];
}

/**
 * Tokens of shared buckets. They are taken in batches as large as what is used in a tenth of a second, so that many calls cost one
 * question; a bucket that is empty is not asked again before it has something. No call fails because the buckets are away: then each
 * is counted here, as if this were the only data plane.
 */
export class LeasedTokens {
  readonly #options: LeasedTokensOptions;
  readonly #maxLeases: number;
  readonly #leases = new Map<string, Lease>();
  #round = this.#leases.entries();
  #isAway = false;
  #awayUntil = -Infinity;

  constructor(options: LeasedTokensOptions) {
    this.#options = options;
    this.#maxLeases = options.maxLeases ?? 100_000;
  }

  get size(): number {
    return this.#leases.size;
  }

  /** @returns 0 where they were taken, otherwise milliseconds until it makes sense to ask again. At once where nobody has to be asked. */
  take(key: string, rate: BucketRate, tokens: number): number | Promise<number> {
    // They never will be there.
    if (tokens > rate.burst) return (tokens - rate.burst) * rate.intervalMs;
    const now = this.#options.now();
    if (now < this.#awayUntil) return this.#takeAlone(key, rate, tokens);
    const lease = this.#leaseOf(key, now);
    if (now - lease.askedAt >= leaseMs) lease.tokens = 0;
    if (lease.waiting.length === 0 && lease.tokens >= tokens) return take(lease, tokens);
    if (now < lease.emptyUntil) return waitMs(lease, rate, tokens, now);
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
    while (lease.waiting.length > 0) {
      const askedAt = now();
      const needed = lease.waiting.reduce((sum, { tokens }) => sum + tokens, -lease.tokens);
      lease.batch = batchAfter(lease, rate, askedAt);
      const wanted = Math.max(needed, lease.batch);
      try {
        const { granted, nextMs } = await buckets.take(key, rate, wanted);
        this.#setAway(false);
        // What was left of an earlier batch is no older than its lease: nobody waits while there is enough.
        lease.tokens += granted;
        lease.used = 0;
        lease.askedAt = askedAt;
        lease.emptyUntil = granted < wanted ? now() + nextMs : -Infinity;
        serve(lease, rate, now());
      } catch (error) {
        this.#setAway(true, error);
        for (const { tokens, resolve } of lease.waiting.splice(0)) resolve(this.#takeAlone(key, rate, tokens));
      }
    }
    lease.isAsking = false;
  }

  #takeAlone(key: string, rate: BucketRate, tokens: number): number {
    const { alone, onAlone } = this.#options;
    onAlone();
    const wait = alone.waitMs(key, rate, tokens);
    if (wait === 0) alone.take(key, rate, tokens);
    return wait;
  }

  #setAway(isAway: boolean, error?: unknown): void {
    const { now, onChange } = this.#options;
    this.#awayUntil = isAway ? now() + pauseMs : -Infinity;
    if (this.#isAway !== isAway) onChange(isAway, error);
    this.#isAway = isAway;
  }

  #leaseOf(key: string, now: number): Lease {
    let lease = this.#leases.get(key);
    if (lease === undefined) {
      this.#forgetUnused(now, this.#leases.size < this.#maxLeases ? 2 : 8);
      lease = { tokens: 0, used: 0, askedAt: -Infinity, emptyUntil: -Infinity, batch: 1, isAsking: false, waiting: [] };
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
      const [key, { isAsking, askedAt, emptyUntil }] = value;
      const isOver = now - askedAt >= leaseMs && emptyUntil <= now;
      if (!isAsking && (isOver || this.#leases.size >= this.#maxLeases)) this.#leases.delete(key);
    }
  }
}

function take(lease: Lease, tokens: number): 0 {
  lease.tokens -= tokens;
  lease.used += tokens;
  return 0;
}

/** In their order, and each whom there is enough for; others wait for the next answer where this one was all that was wanted. */
function serve(lease: Lease, rate: BucketRate, now: number): void {
  const isEmpty = lease.emptyUntil > now;
  const waiting = lease.waiting.splice(0);
  for (const one of waiting) {
    if (lease.waiting.length === 0 && lease.tokens >= one.tokens) one.resolve(take(lease, one.tokens));
    else if (isEmpty) one.resolve(waitMs(lease, rate, one.tokens, now));
    else lease.waiting.push(one);
  }
}

const waitMs = ({ emptyUntil, tokens: left }: Lease, { intervalMs }: BucketRate, tokens: number, now: number): number => Math.max(1, emptyUntil - now + Math.max(0, tokens - 1 - left) * intervalMs);

/** As many as are used in a tenth of a second, by how fast the last ones were; at most twice as many as those. */
function batchAfter({ batch, used, askedAt }: Lease, { intervalMs, burst }: BucketRate, now: number): number {
  const most = Math.max(1, Math.floor(Math.min(burst * shareOfBurst, batchMs / intervalMs)));
  const usual = Math.ceil((used * batchMs) / Math.max(1, now - askedAt));
  return Math.max(1, Math.min(most, usual, 2 * batch));
}

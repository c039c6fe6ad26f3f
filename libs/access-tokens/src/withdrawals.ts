import { BoundedCache, CacheBudget } from '@gatehouse/bounded-cache';
import type { TokenGrounds } from './access-token.ts';

const maxNamed = 100_000;

/** What was revoked, and when, as far as anything goes on with a token of before: what is open for hours outlives the cache. */
export class Withdrawals {
  readonly #now: () => number;
  readonly #named = new BoundedCache<number>(maxNamed, new CacheBudget(maxNamed));
  #last = 0;
  #knownSince = 0;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Now; no two moments are the same, so that each is before or after any other. */
  moment(): number {
    return (this.#last = Math.max(this.#now(), this.#last + 1));
  }

  add(subjects: ReadonlySet<string>): void {
    const at = this.moment();
    for (const subject of subjects) this.#named.set(subject, at);
  }

  /** Of what was revoked longer ago than this, something may never have been heard. */
  missedBefore(agoMs: number): void {
    this.#knownSince = this.moment() - agoMs;
  }

  includes({ subjects, askedAt = 0 }: TokenGrounds): boolean {
    return subjects.length > 0 && (askedAt < this.#knownSince || subjects.some((subject) => (this.#named.get(subject) ?? 0) > askedAt));
  }
}

export interface AttemptLimit {
  /** Attempts that are let through in a window. */
  readonly count: number;
  readonly windowMs: number;
}

interface Window {
  count: number;
  readonly endsAt: number;
}

const maxKeys = 20_000;

/**
 * How often someone may try, in fixed windows; in memory and bounded: beyond so many keys the oldest is forgotten. Each
 * control plane counts for itself.
 */
export class AttemptLimits {
  readonly #limit: AttemptLimit;
  readonly #now: () => number;
  readonly #windows = new Map<string, Window>();

  constructor(limit: AttemptLimit, now: () => number = Date.now) {
    this.#limit = limit;
    this.#now = now;
  }

  get size(): number {
    return this.#windows.size;
  }

  /** Whether there were too many already. */
  isExhausted(key: string): boolean {
    return (this.#current(key)?.count ?? 0) >= this.#limit.count;
  }

  /** Counts one. @returns whether it is one too many. */
  count(key: string): boolean {
    const window = this.#current(key) ?? this.#open(key);
    window.count += 1;
    return window.count > this.#limit.count;
  }

  /** One that was counted was none. */
  takeBack(key: string): void {
    const window = this.#current(key);
    if (window !== undefined && window.count > 0) window.count -= 1;
  }

  forget(key: string): void {
    this.#windows.delete(key);
  }

  #current(key: string): Window | undefined {
    const window = this.#windows.get(key);
    if (window === undefined || this.#now() < window.endsAt) return window;
    this.#windows.delete(key);
    return undefined;
  }

  #open(key: string): Window {
    const [oldest] = this.#windows.keys();
    if (this.#windows.size >= maxKeys && oldest !== undefined) this.#windows.delete(oldest);
    const window = { count: 0, endsAt: this.#now() + this.#limit.windowMs };
    this.#windows.set(key, window);
    return window;
  }
}

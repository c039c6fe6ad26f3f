import { inTime } from './in-time.ts';

/**
 * What is asked for at each scrape, and read every so often at most, however many scrape: what counts rows of a large table is not
 * cheap. While it is read for longer than a scrape waits, the last one stays. What could not be read is not tried again sooner either,
 * and is absent.
 */
export class Remembered<T> {
  readonly #read: () => Promise<T>;
  readonly #forMs: number;
  readonly #now: () => number;
  #readAt = -Infinity;
  #known: T | undefined;
  /** One at a time. */
  #reading: Promise<void> | undefined;

  /**
   * @param read ends by itself, sooner or later
   * @param now milliseconds, monotonic
   */
  constructor(read: () => Promise<T>, forMs: number, now: () => number) {
    this.#read = read;
    this.#forMs = forMs;
    this.#now = now;
  }

  async value(): Promise<T | undefined> {
    const now = this.#now();
    if (this.#reading === undefined && now >= this.#readAt + this.#forMs) {
      this.#readAt = now;
      this.#reading = this.#readOnce();
    }
    if (this.#reading !== undefined) await inTime(this.#reading);
    return this.#known;
  }

  async #readOnce(): Promise<void> {
    this.#known = await this.#read().catch(() => undefined);
    this.#reading = undefined;
  }
}

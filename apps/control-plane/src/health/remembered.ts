import { inTime } from './in-time.ts';

/**
 * What is asked for at each scrape, and read every so often at most, however many scrape: what counts rows of a large table is not
 * cheap. What could not be read is not tried again sooner either, and is absent.
 */
export class Remembered<T> {
  readonly #read: () => Promise<T>;
  readonly #forMs: number;
  readonly #now: () => number;
  #readAt = -Infinity;
  #reading: Promise<T | undefined> | undefined;

  /** @param now milliseconds, monotonic */
  constructor(read: () => Promise<T>, forMs: number, now: () => number) {
    this.#read = read;
    this.#forMs = forMs;
    this.#now = now;
  }

  value(): Promise<T | undefined> {
    const now = this.#now();
    if (this.#reading === undefined || now >= this.#readAt + this.#forMs) {
      this.#readAt = now;
      this.#reading = inTime(this.#read());
    }
    return this.#reading;
  }
}

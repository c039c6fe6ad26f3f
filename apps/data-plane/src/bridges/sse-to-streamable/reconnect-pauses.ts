const shortestMs = 1_000;
const longestMs = 30_000;
/** Asked to wait for longer than this, nobody would find the stream again. */
const longestAskedMs = 300_000;
/** A stream that held for this long was one; a shorter one counts as an attempt, whatever came on it. */
const lastingMs = 5_000;

/**
 * How long to wait before a stream that broke off is asked for again. What the upstream asks for (`retry`) is heard, but never
 * makes it faster than this: an upstream must not be able to turn the gateway against itself, or against whoever it leads to.
 */
export class ReconnectPauses {
  readonly #random: () => number;
  #attempts = 0;

  /** @param random from 0 up to 1 */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** How many connections in a row did not last. */
  get attempts(): number {
    return this.#attempts;
  }

  /**
   * @param lastedMs how long the connection before held
   * @param askedMs what the upstream said of it
   */
  next(lastedMs: number, askedMs: number | undefined): number {
    if (lastedMs >= lastingMs) this.#attempts = 0;
    const first = Math.min(Math.max(askedMs ?? 0, shortestMs), longestAskedMs);
    const pauseMs = Math.max(first, Math.min(first * 2 ** this.#attempts, longestMs));
    this.#attempts += 1;
    // Up to a quarter more: what broke off at the same moment does not come back at the same moment.
    return Math.round(pauseMs * (1 + this.#random() / 4));
  }
}

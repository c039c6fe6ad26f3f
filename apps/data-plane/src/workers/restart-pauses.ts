const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** Whoever has lived for so long has not died of how it was started. */
const healthyMs = 60_000;

/** How long to wait before a worker is started again: not at all at first, then twice as long each time. */
export class RestartPauses {
  #deaths = 0;

  /** @param livedMs how long the one that has ended had lived */
  next(livedMs: number): number {
    if (livedMs >= healthyMs) this.#deaths = 0;
    this.#deaths += 1;
    return this.#deaths === 1 ? 0 : Math.min(firstPauseMs * 2 ** (this.#deaths - 2), longestPauseMs);
  }
}

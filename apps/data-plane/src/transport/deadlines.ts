/** Something that must not wait for ever. */
export interface Timed {
  expire(): void;
}

const sweepMs = 100;

/**
 * Deadlines that are met to a tenth of a second, on one timer for all that waits: most of it is done long before, and a timer
 * of its own would cost more than the waiting. While nothing waits there is no timer.
 */
export class Deadlines {
  readonly #dueAt = new Map<Timed, number>();
  #timer: NodeJS.Timeout | undefined;

  /** What waits already has a new deadline. */
  add(timed: Timed, withinMs: number): void {
    this.#dueAt.set(timed, performance.now() + withinMs);
    this.#timer ??= setInterval(() => this.#sweep(), sweepMs).unref();
  }

  remove(timed: Timed): void {
    this.#dueAt.delete(timed);
  }

  #sweep(): void {
    // Only here: calls that come and go one after the other must not start a timer each.
    if (this.#dueAt.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    const now = performance.now();
    for (const [timed, dueAt] of this.#dueAt) {
      if (dueAt > now) continue;
      this.#dueAt.delete(timed);
      timed.expire();
    }
  }
}

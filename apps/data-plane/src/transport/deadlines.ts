/** Something that must not wait for ever. */
export interface Timed {
  expire(): void;
}

const sweepMs = 100;

/** Where in `Deadlines` something waits. */
export type Slot = number;

/**
 * Deadlines that are met to a tenth of a second, on one timer for all that waits: most of it is done long before, and a timer
 * of its own would cost more than the waiting. While nothing waits there is no timer.
 */
export class Deadlines {
  // Slots that are used again, in place of a map or a list that is linked: whatever comes and goes with every call leaves dead
  // tables or links behind there that have grown old, and through them all the calls that once were in them outlive every
  // scavenge. That cost a call four times as much garbage collection as everything else together.
  readonly #waiting: (Timed | undefined)[] = [];
  readonly #dueAt: number[] = [];
  readonly #free: Slot[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @returns what `remove` takes */
  add(timed: Timed, withinMs: number): Slot {
    const slot = this.#free.pop() ?? this.#waiting.length;
    this.#waiting[slot] = timed;
    this.#dueAt[slot] = performance.now() + withinMs;
    this.#timer ??= setInterval(() => this.#sweep(), sweepMs).unref();
    return slot;
  }

  /** Once for each `add`; what has expired is removed already, and says so by `expire`. */
  remove(slot: Slot): void {
    this.#waiting[slot] = undefined;
    this.#free.push(slot);
  }

  #sweep(): void {
    // Only here: calls that come and go one after the other must not start a timer each.
    if (this.#free.length === this.#waiting.length) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#waiting.length = this.#dueAt.length = this.#free.length = 0;
    }
    const now = performance.now();
    for (let slot = 0; slot < this.#waiting.length; slot += 1) {
      const timed = this.#waiting[slot];
      if (timed === undefined || (this.#dueAt[slot] as number) > now) continue;
      this.remove(slot);
      timed.expire();
    }
  }
}

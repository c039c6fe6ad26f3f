/** Calls under way, counted by key; of what has none nothing is kept. */
export class ConcurrentCalls {
  readonly #counts = new Map<string, number>();

  /** How many keys have calls under way. */
  get size(): number {
    return this.#counts.size;
  }

  /** @returns whether there was room; each that had it has to `leave` */
  enter(key: string, max: number, calls: number): boolean {
    const count = (this.#counts.get(key) ?? 0) + calls;
    if (count > max) return false;
    this.#counts.set(key, count);
    return true;
  }

  leave(key: string, calls: number): void {
    const count = (this.#counts.get(key) ?? 0) - calls;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}

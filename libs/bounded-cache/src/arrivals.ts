export interface Place<T> {
  readonly item: T;
}

interface Link<T> extends Place<T> {
  older: Link<T> | undefined;
  newer: Link<T> | undefined;
  isTaken: boolean;
}

/**
 * Items in the order in which they came. A `Map` or `Set` keeps that order too, but whoever asks it for its first entry steps over all
 * that were taken out before it, each time anew: tens of microseconds for ten thousands of entries (docs/performance.md).
 */
export class Arrivals<T> {
  #oldest: Link<T> | undefined;
  #newest: Link<T> | undefined;

  get oldest(): Place<T> | undefined {
    return this.#oldest;
  }

  /** @returns where it is, to take it out */
  add(item: T): Place<T> {
    const link: Link<T> = { item, older: this.#newest, newer: undefined, isTaken: false };
    if (this.#newest === undefined) this.#oldest = link;
    else this.#newest.newer = link;
    return (this.#newest = link);
  }

  /** @returns whether it was still there */
  take(place: Place<T>): boolean {
    const link = place as Link<T>;
    if (link.isTaken) return false;
    link.isTaken = true;
    if (link.older === undefined) this.#oldest = link.newer;
    else link.older.newer = link.newer;
    if (link.newer === undefined) this.#newest = link.older;
    else link.newer.older = link.older;
    // Whoever still holds it must not hold its neighbours.
    link.older = link.newer = undefined;
    return true;
  }
}

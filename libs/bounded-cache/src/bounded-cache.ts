interface Entry {
  readonly weight: number;
  /** Takes it out of the cache that it is in. */
  readonly forget: () => void;
}

/** What many caches may hold together: a bound for each of them is none for ten thousand. The oldest entry of all goes first. */
export class CacheBudget {
  readonly #maxWeight: number;
  readonly #entries = new Set<Entry>();
  #weight = 0;

  constructor(maxWeight: number) {
    this.#maxWeight = maxWeight;
  }

  get weight(): number {
    return this.#weight;
  }

  add(entry: Entry): void {
    this.#entries.add(entry);
    this.#weight += entry.weight;
    for (const oldest of this.#entries) {
      if (this.#weight <= this.#maxWeight || oldest === entry) return;
      this.remove(oldest);
      oldest.forget();
    }
  }

  remove(entry: Entry): void {
    if (this.#entries.delete(entry)) this.#weight -= entry.weight;
  }
}

interface Held<V> extends Entry {
  readonly value: V;
}

/** A map that holds so many entries, within a budget that it shares with others. */
export class BoundedCache<V> {
  readonly #maxSize: number;
  readonly #budget: CacheBudget;
  readonly #entries = new Map<string, Held<V>>();

  constructor(maxSize: number, budget: CacheBudget) {
    this.#maxSize = maxSize;
    this.#budget = budget;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: V, weight = 1): void {
    this.delete(key);
    if (this.#entries.size >= this.#maxSize) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.delete(oldest.value);
    }
    const entry: Held<V> = { value, weight, forget: () => void this.#entries.delete(key) };
    this.#entries.set(key, entry);
    this.#budget.add(entry);
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#budget.remove(entry);
  }

  /** Looks at every entry. */
  deleteWhere(isOver: (value: V) => boolean): void {
    for (const [key, { value }] of this.#entries) if (isOver(value)) this.delete(key);
  }
}

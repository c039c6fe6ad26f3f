import { Arrivals, type Place } from './arrivals.ts';

interface Entry {
  readonly weight: number;
  /** Takes it out of the cache that it is in. */
  readonly forget: () => void;
}

/** What many caches may hold together: a bound for each of them is none for ten thousand. The oldest entry of all goes first. */
export class CacheBudget {
  readonly #maxWeight: number;
  readonly #arrivals = new Arrivals<Entry>();
  #weight = 0;

  constructor(maxWeight: number) {
    this.#maxWeight = maxWeight;
  }

  get weight(): number {
    return this.#weight;
  }

  add(entry: Entry): Place<Entry> {
    const place = this.#arrivals.add(entry);
    this.#weight += entry.weight;
    for (let { oldest } = this.#arrivals; oldest !== undefined && oldest !== place && this.#weight > this.#maxWeight; { oldest } = this.#arrivals) {
      this.remove(oldest);
      oldest.item.forget();
    }
    return place;
  }

  remove(place: Place<Entry>): void {
    if (this.#arrivals.take(place)) this.#weight -= place.item.weight;
  }
}

interface Held<V> {
  readonly value: V;
  readonly inCache: Place<string>;
  readonly inBudget: Place<Entry>;
}

/** A map that holds so many entries, within a budget that it shares with others. */
export class BoundedCache<V> {
  readonly #maxSize: number;
  readonly #budget: CacheBudget;
  readonly #entries = new Map<string, Held<V>>();
  readonly #arrivals = new Arrivals<string>();

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
    const { oldest } = this.#arrivals;
    if (oldest !== undefined && this.#entries.size >= this.#maxSize) this.delete(oldest.item);
    const inBudget = this.#budget.add({ weight, forget: () => void this.#take(key) });
    this.#entries.set(key, { value, inCache: this.#arrivals.add(key), inBudget });
  }

  delete(key: string): void {
    const held = this.#take(key);
    if (held !== undefined) this.#budget.remove(held.inBudget);
  }

  /** Looks at every entry. */
  deleteWhere(isOver: (value: V) => boolean): void {
    for (const [key, { value }] of this.#entries) if (isOver(value)) this.delete(key);
  }

  #take(key: string): Held<V> | undefined {
    const held = this.#entries.get(key);
    if (held === undefined) return undefined;
    this.#entries.delete(key);
    this.#arrivals.take(held.inCache);
    return held;
  }
}

import { RemoteKeySet, type RemoteKeySetOptions } from './remote-key-set.ts';

export interface KeySetsOptions extends Omit<RemoteKeySetOptions, 'signal'> {
  /** Key sets kept at most; beyond, those used longest ago are forgotten. 2,000 when absent. */
  readonly maxKeySets?: number;
}

interface Entry {
  readonly keySet: RemoteKeySet;
  lastUse: number;
}

/** The key sets that servers name by URL. Servers with one URL share one: its keys, its fetches and its cooldown. */
export class KeySets {
  readonly #options: RemoteKeySetOptions;
  readonly #maxKeySets: number;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new AbortController();
  #uses = 0;

  constructor({ maxKeySets = 2_000, ...options }: KeySetsOptions) {
    this.#options = { ...options, signal: this.#closing.signal };
    this.#maxKeySets = maxKeySets;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The key set at a URL. Ask for each use: those that nobody asks for are forgotten. */
  at(url: string): RemoteKeySet {
    let entry = this.#entries.get(url);
    if (entry === undefined) {
      if (this.#entries.size >= this.#maxKeySets) this.#forgetUnused();
      entry = { keySet: new RemoteKeySet(url, this.#options), lastUse: 0 };
      this.#entries.set(url, entry);
    }
    entry.lastUse = this.#uses += 1;
    return entry.keySet;
  }

  /** Breaks off what is being fetched. */
  close(): void {
    this.#closing.abort();
  }

  /** A twentieth of them, so that the search is rare. */
  #forgetUnused(): void {
    const count = Math.max(1, Math.floor(this.#maxKeySets / 20));
    const byUse = [...this.#entries].sort(([, a], [, b]) => a.lastUse - b.lastUse);
    for (const [url] of byUse.slice(0, count)) this.#entries.delete(url);
  }
}

import type { PublicKeys } from './public-keys.ts';

export interface VerifiedTokensOptions {
  readonly maxCount: number;
  /** Of the tokens as text; what is kept beside each is in proportion to it. */
  readonly maxCharacters: number;
}

interface Entry<T> {
  readonly value: T;
  readonly keys: PublicKeys;
  readonly expiresAt: number;
}

/**
 * What tokens were found to be: verifying costs fifty times what the rest of a call does. Each is known only against the very
 * keys that verified it and until it expires; what was refused is not kept. The oldest go first.
 */
export class VerifiedTokens<T> {
  readonly #options: VerifiedTokensOptions;
  readonly #entries = new Map<string, Entry<T>>();
  #characters = 0;

  constructor(options: VerifiedTokensOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** `keys` are those to verify with now: other keys, and the token has to be verified again. */
  get(presented: string, keys: PublicKeys | undefined, now: number): T | undefined {
    const entry = this.#entries.get(presented);
    if (entry === undefined) return undefined;
    if (entry.keys === keys && now < entry.expiresAt) return entry.value;
    // Keys that have to be waited for may turn out to be the same.
    if (keys !== undefined) this.#delete(presented);
    return undefined;
  }

  add(presented: string, entry: Entry<T>): void {
    this.#delete(presented);
    this.#entries.set(presented, entry);
    this.#characters += presented.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#options.maxCount && this.#characters <= this.#options.maxCharacters) break;
      this.#delete(oldest);
    }
  }

  #delete(presented: string): void {
    if (this.#entries.delete(presented)) this.#characters -= presented.length;
  }
}

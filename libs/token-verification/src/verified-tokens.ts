import { hash } from 'node:crypto';
import { CacheBudget } from '@gatehouse/bounded-cache';
import type { PublicKeys } from './public-keys.ts';

export interface VerifiedTokensOptions {
  readonly maxCount: number;
  /** Of the tokens as text; what is kept beside each is in proportion to it. */
  readonly maxCharacters: number;
}

interface Verified<T> {
  readonly value: T;
  readonly keys: PublicKeys;
  readonly expiresAt: number;
}

interface Entry<T> extends Verified<T> {
  readonly characters: number;
  /** Its place in what all servers may hold together. */
  readonly held: ReturnType<CacheBudget['add']>;
}

/** Characters of all tokens in a process: a bound for each server is none for ten thousand of them. */
const processBudget = new CacheBudget(134_217_728);

/** What was found of them, of all servers of the process, since its start; and how much of the budget is taken. */
export const verifiedTokenUse = {
  hits: 0,
  misses: 0,
  get characters(): number {
    return processBudget.weight;
  },
};

/** Of what a caller showed nothing is kept (P6), only what it can be recognised by. Costs about 1 µs for a token of a thousand characters. */
const digestOf = (presented: string): string => hash('sha256', presented, 'hex');

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
    const digest = digestOf(presented);
    const entry = this.#entries.get(digest);
    if (entry !== undefined && entry.keys === keys && now < entry.expiresAt) {
      verifiedTokenUse.hits += 1;
      return entry.value;
    }
    verifiedTokenUse.misses += 1;
    // Keys that have to be waited for may turn out to be the same.
    if (entry !== undefined && keys !== undefined) this.#delete(digest);
    return undefined;
  }

  add(presented: string, { value, keys, expiresAt }: Verified<T>): void {
    const digest = digestOf(presented);
    this.#delete(digest);
    const held = processBudget.add({ weight: presented.length, forget: () => this.#delete(digest) });
    this.#entries.set(digest, { value, keys, expiresAt, characters: presented.length, held });
    this.#characters += presented.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#options.maxCount && this.#characters <= this.#options.maxCharacters) break;
      this.#delete(oldest);
    }
  }

  #delete(digest: string): void {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return;
    this.#entries.delete(digest);
    this.#characters -= entry.characters;
    processBudget.remove(entry.held);
  }
}

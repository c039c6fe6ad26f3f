import { GatewayError } from '@gatehouse/errors';
import { type FetchedKeySet, type FetchKeySet, fetchKeySet } from './fetch-key-set.ts';
import type { KeySet } from './key-set.ts';
import type { PublicKeys } from './public-keys.ts';

export interface RemoteKeySetOptions {
  readonly fetch: FetchKeySet;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  /** Aborts what is under way when the process stops. */
  readonly signal: AbortSignal;
  /** Each time a fetch has failed: at most once in half a second, and ever more rarely. */
  readonly onFailure?: (url: string, cause: unknown) => void;
  /** 0 to 1, for jitter. */
  readonly random?: () => number;
}

/** How soon unknown keys may be asked for again: what strangers put into their tokens causes no more requests than this. */
const cooldownMs = 30_000;
const firstRetryMs = 1_000;
/** While nobody can be let in, and while those who are known can. */
const lastRetryMs = { withoutKeys: 5_000, withKeys: 60_000 };

/**
 * A JSON Web Key Set at a URL. Nothing happens by itself: a use of it finds that a fetch is due. Keys that are known stay until
 * the issuer has answered with others; an issuer that is away, or answers something else, takes none of them.
 */
export class RemoteKeySet implements KeySet {
  readonly #url: string;
  readonly #options: RemoteKeySetOptions;
  #keys: PublicKeys | undefined;
  #digest = '';
  /** From when a fetch is due. */
  #dueAt = -Infinity;
  /** From when the keys are so old that tokens wait for the answer: nobody has used them for a while. */
  #staleAt = -Infinity;
  /** When an unknown key was last asked for. */
  #lastAskedAt = -Infinity;
  #failures = 0;
  #lastCause: unknown;
  #pending: Promise<void> | undefined;

  constructor(url: string, options: RemoteKeySetOptions) {
    this.#url = url;
    this.#options = options;
  }

  readonly current = (): PublicKeys | undefined => {
    const now = this.#options.now();
    if (now < this.#dueAt) return this.#keys;
    void this.#refetch();
    // Waiting is for an issuer that may answer. One that was away is asked in the background, and calls go on.
    return now < this.#staleAt || this.#failures > 0 ? this.#keys : undefined;
  };

  readonly load = async (): Promise<PublicKeys> => {
    if (this.#pending !== undefined || this.#options.now() >= this.#dueAt) await this.#refetch();
    if (this.#keys === undefined) throw new GatewayError('caller_keys_unavailable', { detail: `no key set at ${withoutQuery(this.#url)}`, cause: this.#lastCause });
    return this.#keys;
  };

  readonly newerThan = async (keys: PublicKeys): Promise<PublicKeys> => {
    const isNewer = this.#keys !== undefined && this.#keys !== keys;
    const now = this.#options.now();
    if (!isNewer && now >= this.#lastAskedAt + cooldownMs) {
      this.#lastAskedAt = now;
      await this.#refetch();
    } else if (!isNewer) await this.#pending;
    return this.#keys ?? keys;
  };

  /** Never rejects. */
  #refetch(): Promise<void> {
    this.#pending ??= this.#attempt().finally(() => void (this.#pending = undefined));
    return this.#pending;
  }

  async #attempt(): Promise<void> {
    const { fetch, signal } = this.#options;
    const fetched = await fetchKeySet(fetch, this.#url, signal);
    if ('problem' in fetched) this.#failed(fetched.cause);
    else this.#succeeded(fetched);
  }

  #succeeded({ keys, digest, lifetimeMs }: Extract<FetchedKeySet, { keys: unknown }>): void {
    const now = this.#options.now();
    this.#failures = 0;
    this.#dueAt = now + lifetimeMs;
    this.#staleAt = now + 2 * lifetimeMs;
    // The same answer is the same keys: what they have verified need not be verified again.
    if (this.#keys !== undefined && this.#digest === digest) return;
    this.#keys = keys;
    this.#digest = digest;
  }

  #failed(cause: unknown): void {
    const { now, signal, onFailure, random = Math.random } = this.#options;
    const lastMs = this.#keys === undefined ? lastRetryMs.withoutKeys : lastRetryMs.withKeys;
    const delayMs = Math.min(lastMs, firstRetryMs * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#lastCause = cause;
    // Data planes that lost an issuer together do not come back to it together.
    this.#dueAt = now() + delayMs * (0.5 + random() / 2);
    if (!signal.aborted) onFailure?.(withoutQuery(this.#url), cause);
  }
}

/** For logs. */
const withoutQuery = (url: string): string => url.split('?', 1)[0] ?? '';

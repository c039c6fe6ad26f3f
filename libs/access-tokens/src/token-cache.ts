import { BoundedCache, CacheBudget } from '@gatehouse/bounded-cache';
import { GatewayError } from '@gatehouse/errors';
import type { AccessToken } from './access-token.ts';

/** Gets another token, given the one that the upstream refused where there was one. */
export type ObtainToken = (refused: AccessToken | undefined) => Promise<AccessToken>;

export interface TokenCacheOptions {
  readonly maxCount?: number;
  /** Of all tokens together. */
  readonly maxCharacters?: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random?: () => number;
  /**
   * Its tokens are made of tokens that others hold: none is used past its end, whatever its provider thinks of our clock; what one is
   * made of may be withdrawn, so that it is not made again; and what a provider refused it refuses again.
   */
  readonly derived?: boolean;
}

interface Entry {
  readonly token: AccessToken;
  /** From then on it is renewed while it goes on being used. */
  renewAt: number;
  /** From then on calls wait for another one. */
  readonly freshUntil: number;
  /** From then on it is not used, even where there is no other. */
  readonly keptUntil: number;
}

/** Since the start. */
export interface CacheUse {
  /** Tokens that were there when they were asked for. */
  hits: number;
  /** That were waited for, by one or by many: nothing was there, or an upstream did not take it. */
  misses: number;
  /** Tokens that could not be obtained. */
  failures: number;
}

interface Flight {
  readonly promise: Promise<AccessToken>;
  /** What was forgotten while it was under way: its token may be of before. */
  readonly forgotten: Set<string>;
}

/** A revocation is named for an hour and a bit: nothing that is older may be in use (docs/connections.md). */
export const maxAgeMs = 3_600_000;
const maxSkewMs = 30_000;
/** Whoever gave it says that it is good, whatever our clock says. */
const minFreshMs = 10_000;
const renewalPauseMs = 30_000;
/** What failed is not tried again with every call. */
const failurePauseMs = 2_000;
const refusalPauseMs = 5_000;
/** A derived token is not begun with when it is this close to its end. */
const derivedMarginMs = 15_000;
const maxAttempts = 3;

/**
 * Tokens by who they are for, in memory only. Each is obtained once at a time, renewed while the one before is still good, and
 * used to its end where no other can be had.
 */
export class TokenCache {
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #entries: BoundedCache<Entry>;
  readonly #failures: BoundedCache<{ readonly error: unknown; readonly until: number }>;
  readonly #flights = new Map<string, Flight>();
  readonly #isDerived: boolean;
  readonly #use: CacheUse = { hits: 0, misses: 0, failures: 0 };

  constructor({ maxCount = 50_000, maxCharacters = 134_217_728, now, random = Math.random, derived = false }: TokenCacheOptions) {
    this.#isDerived = derived;
    this.#now = now;
    this.#random = random;
    this.#entries = new BoundedCache(maxCount, new CacheBudget(maxCharacters));
    this.#failures = new BoundedCache(maxCount, new CacheBudget(maxCount));
  }

  get size(): number {
    return this.#entries.size;
  }

  get use(): Readonly<CacheUse> {
    return this.#use;
  }

  /**
   * At once where a good one is there.
   * @param refused what the upstream did not take: it is not given again
   * @throws what `obtain` throws
   */
  of(key: string, obtain: ObtainToken, refused?: AccessToken): AccessToken | Promise<AccessToken> {
    const now = this.#now();
    const entry = this.#entries.get(key);
    if (refused !== undefined || entry === undefined || now >= entry.freshUntil) {
      this.#use.misses += 1;
      return refused === undefined ? this.#obtain(key, obtain, undefined) : this.#replace(key, obtain, refused);
    }
    this.#use.hits += 1;
    if (now >= entry.renewAt) this.#renewAhead(key, entry, obtain, now);
    return entry.token;
  }

  /** Nothing that one of these names is used from now on. */
  forget(subjects: ReadonlySet<string>): void {
    if (subjects.size === 0) return;
    this.#entries.deleteWhere(({ token }) => isNamed(token, subjects));
    for (const { forgotten } of this.#flights.values()) for (const subject of subjects) forgotten.add(subject);
  }

  /** Another call may have replaced it already, or be about to. */
  async #replace(key: string, obtain: ObtainToken, refused: AccessToken): Promise<AccessToken> {
    const isRefused = (token: AccessToken): boolean => token.value.reveal() === refused.value.reveal();
    const flight = this.#flights.get(key);
    if (flight !== undefined) {
      const token = await flight.promise.catch(() => undefined);
      if (token !== undefined && !isRefused(token)) return token;
    }
    const entry = this.#entries.get(key);
    if (entry !== undefined && !isRefused(entry.token)) return entry.token;
    this.#entries.delete(key);
    return this.#obtain(key, obtain, refused);
  }

  #obtain(key: string, obtain: ObtainToken, refused: AccessToken | undefined): Promise<AccessToken> {
    const flight = this.#flights.get(key);
    if (flight !== undefined) return flight.promise;
    const failure = this.#failures.get(key);
    if (failure !== undefined && this.#now() < failure.until) return this.#kept(key, failure.error);
    const forgotten = new Set<string>();
    const promise = this.#fetch(key, obtain, refused, forgotten)
      .catch((error: unknown) => this.#failed(key, error))
      .finally(() => this.#flights.delete(key));
    this.#flights.set(key, { promise, forgotten });
    return promise;
  }

  async #fetch(key: string, obtain: ObtainToken, refused: AccessToken | undefined, forgotten: Set<string>): Promise<AccessToken> {
    for (let attempt = 1; ; attempt += 1) {
      const token = await obtain(refused);
      if (!isNamed(token, forgotten)) {
        this.#keep(key, token);
        return token;
      }
      // It was withdrawn while it was on its way: what is true now is asked for.
      if (this.#isDerived || attempt === maxAttempts) throw new GatewayError('credential_unavailable', { detail: 'withdrawn while it was on its way' });
      forgotten.clear();
    }
  }

  #failed(key: string, error: unknown): Promise<AccessToken> {
    this.#use.failures += 1;
    if (isPassing(error)) this.#failures.set(key, { error, until: this.#now() + failurePauseMs });
    // Whoever says so knows that the one before is not to be used any more either.
    else this.#refused(key, error);
    return this.#kept(key, error);
  }

  #refused(key: string, error: unknown): void {
    this.#entries.delete(key);
    if (this.#isDerived || hasNoLink(error)) this.#failures.set(key, { error, until: this.#now() + refusalPauseMs });
  }

  /** The token there was, while it lives. */
  #kept(key: string, error: unknown): Promise<AccessToken> {
    const entry = this.#entries.get(key);
    if (entry !== undefined && this.#now() < entry.keptUntil) return Promise.resolve(entry.token);
    return Promise.reject(error instanceof Error ? error : new GatewayError('credential_unavailable', { cause: error }));
  }

  #renewAhead(key: string, entry: Entry, obtain: ObtainToken, now: number): void {
    entry.renewAt = now + renewalPauseMs * (1 + this.#random() / 2);
    // Whoever needs one that is not there is told what went wrong; this is for nobody in particular.
    this.#obtain(key, obtain, undefined).catch(() => undefined);
  }

  #keep(key: string, token: AccessToken): void {
    const now = this.#now();
    const lifeMs = Math.min((token.expiresAt ?? Infinity) - now, maxAgeMs);
    this.#failures.delete(key);
    if (this.#isDerived) {
      const freshUntil = now + lifeMs - Math.min(derivedMarginMs, lifeMs / 2);
      // Nothing ahead of time: as often as not it would end with what it is made of, when the one before does.
      return this.#entries.set(key, { token, renewAt: freshUntil, freshUntil, keptUntil: now + lifeMs }, token.value.reveal().length);
    }
    const freshMs = Math.max(lifeMs - Math.min(maxSkewMs, lifeMs / 10), minFreshMs);
    // Not all of a fleet at once.
    const renewAt = now + freshMs * (0.7 + this.#random() * 0.2);
    const entry = { token, renewAt, freshUntil: now + freshMs, keptUntil: now + Math.max(lifeMs, minFreshMs) };
    return this.#entries.set(key, entry, token.value.reveal().length);
  }
}

const isNamed = ({ subjects }: AccessToken, names: ReadonlySet<string>): boolean => names.size > 0 && subjects.some((subject) => names.has(subject));

const passing = new Set<string>(['broker_unavailable', 'provider_unavailable', 'credential_unavailable']);
/** Nothing that is asked again soon gives a login. Whoever gets a link to connect at may be back at once. */
const hasNoLink = (error: unknown): boolean => error instanceof GatewayError && error.code === 'subject_token_missing';
const isPassing = (error: unknown): boolean => !(error instanceof GatewayError) || passing.has(error.code);

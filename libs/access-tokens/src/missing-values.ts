import { BoundedCache, CacheBudget } from '@gatehouse/bounded-cache';
import { GatewayError } from '@gatehouse/errors';
import { ConnectError } from './connect-error.ts';

const maxCount = 50_000;
/** For so long at most a value that was entered is not noticed, where nobody says that it was. */
const pauseMs = 5_000;

interface Missing {
  readonly error: GatewayError;
  readonly until: number;
}

/** What people have not entered, of what a call does without: it is not asked about with every call. */
export class MissingValues {
  readonly #now: () => number;
  readonly #entries = new BoundedCache<Missing>(maxCount, new CacheBudget(maxCount));
  #entered = 0;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How often somebody entered something: what was asked for before that says nothing any more. */
  get entered(): number {
    return this.#entered;
  }

  /** Why there is no value, where that was said a moment ago. */
  of(key: string): GatewayError | undefined {
    const missing = this.#entries.get(key);
    return missing !== undefined && this.#now() < missing.until ? missing.error : undefined;
  }

  /** @param entered as it was before the value was asked for */
  add(key: string, error: unknown, entered: number): void {
    if (entered === this.#entered && error instanceof GatewayError && isNothing(error)) this.#entries.set(key, { error, until: this.#now() + pauseMs });
  }

  /** There is one after all. */
  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Somebody has entered a value, or connected an account. */
  endOf(owner: string): void {
    this.#entered += 1;
    this.#entries.deleteWhere(({ error }) => error instanceof ConnectError && (error.owner ?? owner) === owner);
  }
}

const isNothing = (error: GatewayError): boolean => (error instanceof ConnectError ? error.reason === 'not_connected' : error.code === 'connection_needs_person');

import { UnsealError } from '@gatehouse/sealing';
import { GatewayError } from '@gatehouse/errors';
import type { KeyPlace, RootKey } from './root-key.ts';

/** The root key, and those before it, which still open what they wrapped. */
export class RootKeys {
  readonly current: RootKey;
  readonly #previous: readonly RootKey[];

  constructor(current: RootKey, previous: readonly RootKey[] = []) {
    this.current = current;
    this.#previous = previous;
  }

  /** What this process can open. */
  get ids(): readonly string[] {
    return this.#all.map(({ id }) => id);
  }

  get isBeingReplaced(): boolean {
    return this.#previous.length > 0;
  }

  /** The one that every replica can open which knows only the key before. */
  get before(): RootKey {
    return this.#previous[0] ?? this.current;
  }

  /**
   * `wrappedBy` is the id of the key to try first, where it is known.
   * @throws UnsealError where no key opens it; GatewayError where one that might was not reached
   */
  async unwrap(place: KeyPlace, wrapped: Buffer, wrappedBy?: string | null): Promise<Buffer> {
    const errors: unknown[] = [];
    for (const rootKey of this.#all.toSorted((a, b) => Number(b.id === wrappedBy) - Number(a.id === wrappedBy))) {
      try {
        return await rootKey.unwrap(place, wrapped);
      } catch (error) {
        if (!(error instanceof UnsealError) && !(error instanceof GatewayError)) throw error;
        errors.push(error);
      }
    }
    throw errors.find((error) => error instanceof GatewayError) ?? errors[0];
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((rootKey) => rootKey.close()));
  }

  get #all(): readonly RootKey[] {
    return [this.current, ...this.#previous];
  }
}

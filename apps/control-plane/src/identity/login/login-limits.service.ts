import { type ErrorCode, GatewayError } from '@gatehouse/errors';
import { Injectable } from '@nestjs/common';
import { AttemptLimits } from './attempt-limits.ts';
import { countedAddress } from './client-address.ts';

const minutes = 60_000;

export interface Guess {
  readonly address: string;
  readonly account?: string;
}

/** Attempts at logging in. Those that succeed count for nothing, so that an office behind one address can begin its day. */
@Injectable()
export class LoginLimits {
  readonly #starts = new AttemptLimits({ count: 120, windowMs: minutes });
  readonly #failuresOfAddress = new AttemptLimits({ count: 30, windowMs: 15 * minutes });
  /** From one address at one account: whoever guesses is stopped, and the account's owner elsewhere is not. */
  readonly #failuresOfPair = new AttemptLimits({ count: 5, windowMs: 15 * minutes });
  /** From anywhere at one account. */
  readonly #failuresOfAccount = new AttemptLimits({ count: 50, windowMs: 15 * minutes });

  /** Beginning a login leaves something behind in the database. @throws GatewayError too_many_attempts */
  start(address: string): void {
    if (this.#starts.count(countedAddress(address))) throw new GatewayError('too_many_attempts');
  }

  /**
   * Something that could be guessed, such as a password. It counts before it is looked at, so that guesses at the same moment are no
   * more than one after the other; what was right, or was not looked at, counts for nothing.
   * @throws GatewayError too_many_attempts, and what `attempt` throws; `wrong` says which of that is a wrong guess
   */
  async guess<T>({ address, account }: Guess, wrong: ErrorCode, attempt: () => Promise<T>): Promise<T> {
    const counters = this.#countersOf(countedAddress(address), account);
    if (counters.some(([limits, key]) => limits.isExhausted(key))) throw new GatewayError('too_many_attempts');
    for (const [limits, key] of counters) limits.count(key);
    try {
      const result = await attempt();
      for (const [limits, key] of counters) limits.takeBack(key);
      if (account !== undefined) this.#failuresOfPair.forget(pairOf(countedAddress(address), account));
      return result;
    } catch (error) {
      const isWrong = error instanceof GatewayError && error.code === wrong;
      if (!isWrong) for (const [limits, key] of counters) limits.takeBack(key);
      throw error;
    }
  }

  #countersOf(from: string, account: string | undefined): (readonly [AttemptLimits, string])[] {
    const ofAddress = [this.#failuresOfAddress, from] as const;
    return account === undefined ? [ofAddress] : [ofAddress, [this.#failuresOfPair, pairOf(from, account)], [this.#failuresOfAccount, account]];
  }
}

const pairOf = (from: string, account: string): string => `${from} ${account}`;

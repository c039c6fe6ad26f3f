import { GatewayError } from '@gatehouse/errors';
import { Injectable } from '@nestjs/common';
import { AttemptLimits } from './attempt-limits.ts';
import { countedAddress } from './client-address.ts';

const minutes = 60_000;

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
   * Before anything is looked at that could be guessed.
   * @throws GatewayError too_many_attempts
   */
  check(address: string, account?: string): void {
    const from = countedAddress(address);
    const isBlocked = this.#failuresOfAddress.isExhausted(from)
      || (account !== undefined && (this.#failuresOfPair.isExhausted(`${from} ${account}`) || this.#failuresOfAccount.isExhausted(account)));
    if (isBlocked) throw new GatewayError('too_many_attempts');
  }

  failed(address: string, account?: string): void {
    const from = countedAddress(address);
    this.#failuresOfAddress.count(from);
    if (account === undefined) return;
    this.#failuresOfPair.count(`${from} ${account}`);
    this.#failuresOfAccount.count(account);
  }

  succeeded(address: string, account: string): void {
    this.#failuresOfPair.forget(`${countedAddress(address)} ${account}`);
  }
}

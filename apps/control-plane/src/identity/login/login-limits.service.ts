import { type ErrorCode, GatewayError } from '@gatehouse/errors';
import { Inject, Injectable } from '@nestjs/common';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import { Metrics } from '../../health/metrics.ts';
import { AttemptLimits } from './attempt-limits.ts';
import { countedAddress } from './client-address.ts';

const minutes = 60_000;

type LimitSettings = Pick<ControlPlaneSettings, 'LOGIN_STARTS_PER_MINUTE' | 'LOGIN_FAILURES_PER_ADDRESS' | 'LOGIN_FAILURES_PER_ACCOUNT' | 'LOGIN_FAILURES_PER_PAIR'>;

export interface Guess {
  readonly address: string;
  readonly account?: string;
}

/** Attempts at logging in. Those that succeed count for nothing, so that an office behind one address can begin its day. */
@Injectable()
export class LoginLimits {
  readonly #starts: AttemptLimits;
  readonly #failuresOfAddress: AttemptLimits;
  /** From one address at one account: whoever guesses is stopped, and the account's owner elsewhere is not. */
  readonly #failuresOfPair: AttemptLimits;
  /** From anywhere at one account. */
  readonly #failuresOfAccount: AttemptLimits;
  readonly #failedLogins: Metrics['failedLogins'];

  constructor(@Inject(settingsToken) settings: LimitSettings, { failedLogins }: Metrics) {
    const failures = (count: number): AttemptLimits => new AttemptLimits({ count, windowMs: 15 * minutes });
    this.#starts = new AttemptLimits({ count: settings.LOGIN_STARTS_PER_MINUTE, windowMs: minutes });
    this.#failuresOfAddress = failures(settings.LOGIN_FAILURES_PER_ADDRESS);
    this.#failuresOfPair = failures(settings.LOGIN_FAILURES_PER_PAIR);
    this.#failuresOfAccount = failures(settings.LOGIN_FAILURES_PER_ACCOUNT);
    this.#failedLogins = failedLogins;
  }

  /** Beginning a login leaves something behind in the database. @throws GatewayError too_many_attempts */
  start(address: string): void {
    if (this.#starts.count(countedAddress(address))) throw this.#tooMany('Too many logins were begun from your address.', 'login_starts');
  }

  /**
   * Something that could be guessed, such as a password. It counts before it is looked at, so that guesses at the same moment are no
   * more than one after the other; what was right, or was not looked at, counts for nothing.
   * @throws GatewayError too_many_attempts, and what `attempt` throws; `wrong` says which of that is a wrong guess
   */
  async guess<T>({ address, account }: Guess, wrong: ErrorCode, attempt: () => Promise<T>): Promise<T> {
    const counters = this.#countersOf(countedAddress(address), account);
    const exhausted = counters.find(([limits, key]) => limits.isExhausted(key));
    if (exhausted) throw this.#tooMany(exhausted[2], exhausted[3]);
    for (const [limits, key] of counters) limits.count(key);
    try {
      const result = await attempt();
      for (const [limits, key] of counters) limits.takeBack(key);
      if (account !== undefined) this.#failuresOfPair.forget(pairOf(countedAddress(address), account));
      return result;
    } catch (error) {
      const isWrong = error instanceof GatewayError && error.code === wrong;
      if (isWrong) this.#failedLogins.inc({ reason: wrong });
      if (!isWrong) for (const [limits, key] of counters) limits.takeBack(key);
      throw error;
    }
  }

  /** Each with what is said where it is exhausted. Of accounts that do not exist the same is said. */
  #countersOf(from: string, account: string | undefined): (readonly [AttemptLimits, string, string, string])[] {
    const ofAddress = [this.#failuresOfAddress, from, 'Too many logins failed from your address.', 'failures_of_address'] as const;
    if (account === undefined) return [ofAddress];
    return [
      ofAddress,
      [this.#failuresOfPair, pairOf(from, account), 'Too many logins with this e-mail address failed from where you are.', 'failures_of_pair'],
      [this.#failuresOfAccount, account, 'Too many logins with this e-mail address failed.', 'failures_of_account'],
    ];
  }

  #tooMany(detail: string, code: string): GatewayError {
    this.#failedLogins.inc({ reason: code });
    return new GatewayError('too_many_attempts', { detail: code, problems: [{ pointer: '', detail, code }] });
  }
}

const pairOf = (from: string, account: string): string => `${from} ${account}`;

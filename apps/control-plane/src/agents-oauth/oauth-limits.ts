import { AttemptLimits } from '../identity/login/attempt-limits.ts';
import { countedAddress } from '../identity/login/client-address.ts';

const minutes = 60_000;

/** Requests of one address in a window. Many agents of one office share theirs; nobody needs more than this. */
const limits = {
  authorize: { count: 300, windowMs: minutes },
  token: { count: 1_200, windowMs: minutes },
  /** Each leaves something behind for three months. */
  register: { count: 60, windowMs: 10 * minutes },
} as const;

export type LimitedEndpoint = keyof typeof limits;

/** How often the authorization server may be asked, per address; each control plane counts for itself. */
export class OAuthLimits {
  readonly #limits: Readonly<Record<LimitedEndpoint, AttemptLimits>>;

  constructor(now: () => number = Date.now) {
    this.#limits = { authorize: new AttemptLimits(limits.authorize, now), token: new AttemptLimits(limits.token, now), register: new AttemptLimits(limits.register, now) };
  }

  /** Counts a request. @returns after how many seconds to try again, where there were too many */
  retryAfterSeconds(endpoint: LimitedEndpoint, address: string): number | undefined {
    return this.#limits[endpoint].count(countedAddress(address)) ? limits[endpoint].windowMs / 1_000 : undefined;
  }
}

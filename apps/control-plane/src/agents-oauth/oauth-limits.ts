import type { ControlPlaneSettings } from '../environment.ts';
import { type AttemptLimit, AttemptLimits } from '../identity/login/attempt-limits.ts';
import { countedAddress } from '../identity/login/client-address.ts';

const minuteMs = 60_000;

export type LimitedEndpoint = 'authorize' | 'token' | 'register';

export type LimitSettings = Pick<ControlPlaneSettings, 'OAUTH_AUTHORIZATIONS_PER_MINUTE' | 'OAUTH_TOKEN_REQUESTS_PER_MINUTE' | 'OAUTH_REGISTRATIONS_PER_10_MINUTES'>;

/** A limit that somebody has met. */
export interface MetLimit {
  readonly retryAfterSeconds: number;
  /** Which one, for whoever reads the error. */
  readonly description: string;
}

/** How often the authorization server may be asked, per address, behind which a whole office may be; each control plane counts for itself. */
export class OAuthLimits {
  readonly #limits: Readonly<Record<LimitedEndpoint, { readonly limit: AttemptLimit; readonly what: string; readonly attempts: AttemptLimits }>>;

  constructor(settings: LimitSettings, now: () => number = Date.now) {
    const of = (what: string, limit: AttemptLimit) => ({ limit, what, attempts: new AttemptLimits(limit, now) });
    this.#limits = {
      authorize: of('logins', { count: settings.OAUTH_AUTHORIZATIONS_PER_MINUTE, windowMs: minuteMs }),
      token: of('requests for tokens', { count: settings.OAUTH_TOKEN_REQUESTS_PER_MINUTE, windowMs: minuteMs }),
      register: of('registrations', { count: settings.OAUTH_REGISTRATIONS_PER_10_MINUTES, windowMs: 10 * minuteMs }),
    };
  }

  /** Counts a request. @returns the limit, where it is one too many */
  count(endpoint: LimitedEndpoint, address: string): MetLimit | undefined {
    const { limit, what, attempts } = this.#limits[endpoint];
    if (!attempts.count(countedAddress(address))) return undefined;
    const minutes = limit.windowMs / minuteMs;
    return {
      retryAfterSeconds: limit.windowMs / 1_000,
      description: `too many ${what} from one address: ${limit.count} are taken in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}`,
    };
  }
}

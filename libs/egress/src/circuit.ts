export type CircuitState = 'open' | 'half-open' | 'closed';

/** What fails together: connections to an origin or, where there is a server, its answers from there. */
export interface CircuitSubject {
  readonly origin: string;
  /** Workspace and id. */
  readonly server?: string;
}

const longestOpenMs = 60_000;
/** Where a trial is under way there is no telling when it ends. */
const duringTrialMs = 1_000;

/** Counts failures in a row. After too many nothing may begin for a while; then one request at a time is tried. */
export class Circuit {
  readonly subject: CircuitSubject;
  #state: CircuitState = 'closed';
  #failures = 0;
  #lastFailureAt = 0;
  #openMs = 0;
  #openUntil = 0;
  /** The one request that is let through to see whether what failed is back. */
  #trial: object | undefined;

  constructor(subject: CircuitSubject) {
    this.subject = subject;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** When there was last something to remember of it. */
  get lastUsedAt(): number {
    return Math.max(this.#lastFailureAt, this.#openUntil);
  }

  /** For how long nothing may begin; 0 when something may. @param asTrial whether it would be the trial */
  refusedMs(now: number, asTrial: boolean): number {
    if (this.#state === 'closed') return 0;
    const leftMs = this.#openUntil - now;
    if (leftMs > 0) return leftMs;
    return asTrial && this.#trial !== undefined ? duringTrialMs : 0;
  }

  /** A request that may begin does; of a circuit that is not closed it is the trial. */
  begin(request: object): void {
    if (this.#state === 'closed') return;
    this.#trial = request;
    this.#state = 'half-open';
  }

  /** A request that was the trial is over, whatever came of it. @returns whether it was */
  endTrial(request: object): boolean {
    const isTrial = this.#trial === request;
    if (isTrial) this.#trial = undefined;
    return isTrial;
  }

  /** @param limits so many failures in a row open it, for so long; each trial that fails doubles that, up to a minute or `openMs`, whichever is longer */
  fail(now: number, isTrial: boolean, limits: { readonly failures: number; readonly openMs: number }): void {
    this.#failures += 1;
    this.#lastFailureAt = now;
    if (!isTrial && this.#failures < limits.failures) return;
    this.#openMs = isTrial ? Math.min(this.#openMs * 2, Math.max(longestOpenMs, limits.openMs)) : limits.openMs;
    this.#openUntil = now + this.#openMs;
    this.#state = 'open';
  }
}

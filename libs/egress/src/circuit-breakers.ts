import { type ErrorCode, GatewayError } from '@gatehouse/errors';

export type CircuitState = 'open' | 'half-open' | 'closed';

export interface CircuitBreakersOptions {
  /** Failures in a row that open a circuit; 0 = never. */
  readonly failures: number;
  /** How long a circuit stays open at first; each trial that fails doubles it, up to a minute or this, whichever is longer. */
  readonly openMs: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Called once per change. */
  readonly onChange?: (origin: string, state: CircuitState) => void;
}

/** One request on its way. Exactly one of the two is called, once. */
export class Attempt {
  readonly key: string;
  readonly origin: string;
  readonly #ended: (attempt: Attempt, error: GatewayError | undefined) => void;

  constructor(key: string, origin: string, ended: (attempt: Attempt, error: GatewayError | undefined) => void) {
    this.key = key;
    this.origin = origin;
    this.#ended = ended;
  }

  /** There was an answer, whatever it said. */
  succeeded(): void {
    this.#ended(this, undefined);
  }

  /** Only what is the upstream's fault counts. */
  failed(error: GatewayError): void {
    this.#ended(this, error);
  }
}

/** The origin failed so often that nothing is sent there for now. */
export class CircuitOpenError extends GatewayError {
  readonly retryAfterMs: number;

  constructor(origin: string, retryAfterMs: number) {
    super('upstream_circuit_open', { detail: origin });
    this.retryAfterMs = retryAfterMs;
  }
}

interface Circuit {
  readonly origin: string;
  state: CircuitState;
  failures: number;
  lastFailureAt: number;
  openMs: number;
  openUntil: number;
  /** The one request that is let through to see whether the origin is back. */
  trial: Attempt | undefined;
}

const longestOpenMs = 60_000;
/** An origin that has not failed for this long starts anew, and takes no memory. */
const forgetAfterMs = 600_000;
/** Where a trial is under way there is no telling when it ends. */
const duringTrialMs = 1_000;

// What else a request may fail with is the caller's doing (it left), the gateway's (no place, no header that can be written)
// or the operator's (an address that is not allowed).
const faults: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['upstream_unreachable', 'upstream_timeout', 'upstream_failed']);

/**
 * Keeps requests from origins that do not answer, which would all wait for the same timeout: after some failures in a row
 * they fail at once, and one at a time is let through to see whether the origin is back. Keys are those of `OriginPools`.
 */
export class CircuitBreakers {
  readonly #options: CircuitBreakersOptions;
  readonly #longestOpenMs: number;
  /** Only of origins that failed lately; the one whose failure is oldest comes first. */
  readonly #circuits = new Map<string, Circuit>();

  constructor(options: CircuitBreakersOptions) {
    this.#options = options;
    this.#longestOpenMs = Math.max(longestOpenMs, options.openMs);
  }

  /** Origins that failed lately. */
  get size(): number {
    this.#forget(this.#options.now());
    return this.#circuits.size;
  }

  /** Circuits that are open or half-open. */
  get openCount(): number {
    this.#forget(this.#options.now());
    let count = 0;
    for (const { state } of this.#circuits.values()) if (state !== 'closed') count += 1;
    return count;
  }

  /** Why a request could not begin now; asked before it waits for its turn, which may be long. */
  refusal(key: string): CircuitOpenError | undefined {
    if (this.#circuits.size === 0) return undefined;
    const circuit = this.#circuits.get(key);
    return circuit && this.#refusalOf(circuit);
  }

  /**
   * Begins a request to an origin.
   * @throws CircuitOpenError
   */
  begin(key: string, origin: string): Attempt {
    const attempt = new Attempt(key, origin, this.#ended);
    if (this.#circuits.size === 0) return attempt;
    this.#forget(this.#options.now());
    const circuit = this.#circuits.get(key);
    if (circuit === undefined || circuit.state === 'closed') return attempt;
    const refusal = this.#refusalOf(circuit);
    if (refusal) throw refusal;
    circuit.trial = attempt;
    this.#change(circuit, 'half-open');
    return attempt;
  }

  #refusalOf({ origin, state, openUntil, trial }: Circuit): CircuitOpenError | undefined {
    if (state === 'closed') return undefined;
    const leftMs = openUntil - this.#options.now();
    if (leftMs > 0) return new CircuitOpenError(origin, leftMs);
    return trial && new CircuitOpenError(origin, duringTrialMs);
  }

  readonly #ended = (attempt: Attempt, error: GatewayError | undefined): void => {
    if (error !== undefined) this.#failed(attempt, error);
    else if (this.#circuits.size > 0) this.#succeeded(attempt.key);
  };

  /** Also one that began before the circuit opened: the origin answers. */
  #succeeded(key: string): void {
    const circuit = this.#circuits.get(key);
    if (circuit === undefined) return;
    this.#circuits.delete(key);
    this.#change(circuit, 'closed');
  }

  #failed(attempt: Attempt, error: GatewayError): void {
    const { key, origin } = attempt;
    const circuit = this.#circuits.get(key);
    const isTrial = circuit?.trial === attempt;
    if (isTrial) circuit.trial = undefined;
    if (!faults.has(error.code) || this.#options.failures === 0) return;
    const now = this.#options.now();
    this.#forget(now);
    // One that began before the circuit opened says nothing new.
    if (circuit !== undefined && circuit.state !== 'closed' && !isTrial) return;
    const failing = circuit ?? closedCircuit(origin);
    failing.failures += 1;
    failing.lastFailureAt = now;
    this.#circuits.delete(key);
    this.#circuits.set(key, failing);
    if (isTrial) this.#open(failing, Math.min(failing.openMs * 2, this.#longestOpenMs), now);
    else if (failing.failures >= this.#options.failures) this.#open(failing, this.#options.openMs, now);
  }

  #open(circuit: Circuit, openMs: number, now: number): void {
    circuit.openMs = openMs;
    circuit.openUntil = now + openMs;
    this.#change(circuit, 'open');
  }

  #change(circuit: Circuit, state: CircuitState): void {
    // A trial whose caller left is followed by another one, which changes nothing.
    if (circuit.state === state) return;
    circuit.state = state;
    this.#options.onChange?.(circuit.origin, state);
  }

  #forget(now: number): void {
    for (const [key, circuit] of this.#circuits) {
      if (Math.max(circuit.lastFailureAt, circuit.openUntil) + forgetAfterMs > now) return;
      this.#circuits.delete(key);
      this.#change(circuit, 'closed');
    }
  }
}

const closedCircuit = (origin: string): Circuit => ({ origin, state: 'closed', failures: 0, lastFailureAt: 0, openMs: 0, openUntil: 0, trial: undefined });

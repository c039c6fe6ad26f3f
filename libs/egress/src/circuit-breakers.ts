import { type ErrorCode, GatewayError } from '@gatehouse/errors';
import { Circuit, type CircuitState, type CircuitSubject } from './circuit.ts';
import { isConnectFailure } from './upstream-error.ts';

export interface CircuitBreakersOptions {
  /** Failures in a row that open a circuit; 0 = never. */
  readonly failures: number;
  /** How long a circuit stays open at first; each trial that fails doubles it, up to a minute or this, whichever is longer. */
  readonly openMs: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Called once per change. */
  readonly onChange?: (subject: CircuitSubject, state: CircuitState) => void;
}

/** What a request is, as far as what comes of it is counted. */
export interface CircuitTarget {
  /** Of `OriginPools`: requests with the same one connect in the same way. */
  readonly key: string;
  readonly origin: string;
  /** Workspace and id of the server whose answers are counted; absent, connections alone are. */
  readonly server?: string | undefined;
  /** Whether it waits for nothing in particular: when it is answered says nothing. */
  readonly listens?: boolean;
  /** Whether an upstream might hang up because of its body, which is the caller's doing. */
  readonly hasLargeBody?: boolean;
}

interface Reports {
  readonly connected: (attempt: Attempt) => void;
  readonly ended: (attempt: Attempt, error: GatewayError | undefined) => void;
}

/** One request on its way. What is said first of its end counts. */
export class Attempt {
  readonly target: CircuitTarget;
  readonly #reports: Reports;
  #isConnected = false;
  #hasEnded = false;

  constructor(target: CircuitTarget, reports: Reports) {
    this.target = target;
    this.#reports = reports;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** It has a connection, which is known of the origin even where nobody waits for the answer any more. */
  connected(): void {
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#reports.connected(this);
  }

  /** There was an answer, whatever it said. */
  succeeded(): void {
    this.connected();
    this.#end(undefined);
  }

  /** Only what is the upstream's fault counts. */
  failed(error: GatewayError): void {
    this.#end(error);
  }

  #end(error: GatewayError | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#reports.ended(this, error);
  }
}

/** What a request is for failed so often that nothing is sent there for now. */
export class CircuitOpenError extends GatewayError {
  readonly retryAfterMs: number;

  constructor({ origin, server }: CircuitSubject, retryAfterMs: number) {
    super('upstream_circuit_open', { detail: server === undefined ? origin : `${origin} for ${server}` });
    this.retryAfterMs = retryAfterMs;
  }
}

/** What has not failed for this long starts anew, and takes no memory. */
const forgetAfterMs = 600_000;
/** Beyond, the one whose failure is oldest is forgotten: it takes its failures to be found open again. */
const maxCircuits = 20_000;

// What else a request may fail with is the caller's doing (it left), the gateway's (no place, no header that can be written)
// or the operator's (an address that is not allowed).
const faults: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['upstream_unreachable', 'upstream_timeout', 'upstream_failed']);

/**
 * Keeps requests from where they would all wait for the same timeout: after some failures in a row they fail at once, and one
 * at a time is let through. That no connection comes about is the same for whoever connects in the same way, so an origin has
 * one circuit for that. How long an answer may take each server says for itself, and which tools are slow is its own matter:
 * answers count per server, so that no server can close an origin to another, least of all to another workspace's.
 */
export class CircuitBreakers {
  readonly #options: CircuitBreakersOptions;
  /** Only of what failed lately; the one whose failure is oldest comes first. */
  readonly #circuits = new Map<string, Circuit>();
  readonly #reports: Reports = {
    connected: ({ target }) => this.#close(target.key),
    ended: (attempt, error) => this.#ended(attempt, error),
  };

  constructor(options: CircuitBreakersOptions) {
    this.#options = options;
  }

  /** Origins, and servers, that failed lately. */
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
  refusal(target: CircuitTarget): CircuitOpenError | undefined {
    if (this.#circuits.size === 0) return undefined;
    const now = this.#options.now();
    return refusalOf(this.#circuits.get(target.key), now, true) ?? refusalOf(this.#circuits.get(serverKey(target)), now, maySay(target));
  }

  /**
   * Begins a request.
   * @throws CircuitOpenError
   */
  begin(target: CircuitTarget): Attempt {
    const attempt = new Attempt(target, this.#reports);
    if (this.#circuits.size === 0) return attempt;
    this.#forget(this.#options.now());
    // Both before either is changed: a trial that does not begin would never end.
    const refusal = this.refusal(target);
    if (refusal) throw refusal;
    this.#change(this.#circuits.get(target.key), (circuit) => circuit.begin(attempt));
    if (maySay(target)) this.#change(this.#circuits.get(serverKey(target)), (circuit) => circuit.begin(attempt));
    return attempt;
  }

  #ended(attempt: Attempt, error: GatewayError | undefined): void {
    const { target } = attempt;
    // Also one that began before the circuit opened: the server answers.
    if (error === undefined) {
      if (this.#circuits.size > 0 && maySay(target)) this.#close(serverKey(target));
      return;
    }
    const { key, origin, server } = target;
    const isUnconnected = !attempt.isConnected && isConnectFailure(error);
    this.#failed(attempt, key, { origin }, isUnconnected);
    if (server !== undefined) this.#failed(attempt, serverKey(target), { origin, server }, !isUnconnected && isFault(target, error));
  }

  #failed(attempt: Attempt, key: string, subject: CircuitSubject, counts: boolean): void {
    const isTrial = this.#circuits.get(key)?.endTrial(attempt) === true;
    if (!counts || this.#options.failures === 0) return;
    const now = this.#options.now();
    this.#forget(now);
    const circuit = this.#circuits.get(key) ?? new Circuit(subject);
    // One that began before the circuit opened says nothing new.
    if (circuit.state !== 'closed' && !isTrial) return;
    this.#circuits.delete(key);
    this.#circuits.set(key, circuit);
    this.#change(circuit, () => circuit.fail(now, isTrial, this.#options));
    if (this.#circuits.size > maxCircuits) this.#close(this.#circuits.keys().next().value as string);
  }

  #close(key: string): void {
    const circuit = this.#circuits.get(key);
    if (circuit === undefined) return;
    this.#circuits.delete(key);
    if (circuit.state !== 'closed') this.#options.onChange?.(circuit.subject, 'closed');
  }

  /** A trial whose caller left is followed by another one, which changes nothing. */
  #change(circuit: Circuit | undefined, change: (circuit: Circuit) => void): void {
    if (circuit === undefined) return;
    const { state } = circuit;
    change(circuit);
    if (circuit.state !== state) this.#options.onChange?.(circuit.subject, circuit.state);
  }

  #forget(now: number): void {
    for (const [key, { lastUsedAt }] of this.#circuits) {
      if (lastUsedAt + forgetAfterMs > now) return;
      this.#close(key);
    }
  }
}

/** No origin has a NUL in it. */
const serverKey = ({ key, server = '' }: CircuitTarget): string => `${key}\0${server}`;

/** Whether what comes of it is said of a server. One that listens may take for ever: as a trial it would keep out all others. */
const maySay = ({ server, listens = false }: CircuitTarget): boolean => server !== undefined && !listens;

function isFault(target: CircuitTarget, { code }: GatewayError): boolean {
  return maySay(target) && faults.has(code) && !(target.hasLargeBody === true && code === 'upstream_failed');
}

function refusalOf(circuit: Circuit | undefined, now: number, asTrial: boolean): CircuitOpenError | undefined {
  const refusedMs = circuit?.refusedMs(now, asTrial) ?? 0;
  return circuit && refusedMs > 0 ? new CircuitOpenError(circuit.subject, refusedMs) : undefined;
}

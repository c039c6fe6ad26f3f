/** What of one origin may run and wait at once. */
export interface SlotLimits {
  readonly running: number;
  readonly waiting: number;
  /** Of what waits, in total. */
  readonly waitingBytes: number;
}

interface Waiting {
  readonly bytes: number;
  readonly start: () => void;
}

interface Gate {
  running: number;
  isStarting: boolean;
  waitingBytes: number;
  readonly waiting: Set<Waiting>;
}

/**
 * Admission per origin: so many requests run, some wait in order, more are turned away. undici's own queue has no bound and
 * keeps a request that was given up, with its body, until a connection is free.
 */
export class OriginSlots {
  readonly #limits: SlotLimits;
  readonly #gates = new Map<string, Gate>();

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** What runs and waits now, of all origins together. */
  get load(): { readonly running: number; readonly waiting: number } {
    let [running, waiting] = [0, 0];
    for (const gate of this.#gates.values()) {
      running += gate.running;
      waiting += gate.waiting.size;
    }
    return { running, waiting };
  }

  /**
   * Calls `start` now or when it is its turn; whoever was started calls `leave` when it is done.
   * @returns a function that gives up waiting (`undefined` when it was started at once), or `'full'`
   */
  enter(origin: string, bytes: number, start: () => void): (() => void) | 'full' | undefined {
    const gate = this.#gates.get(origin) ?? this.#open(origin);
    if (gate.running < this.#limits.running) {
      gate.running += 1;
      start();
      return undefined;
    }
    if (gate.waiting.size >= this.#limits.waiting || gate.waitingBytes + bytes > this.#limits.waitingBytes) return 'full';
    const waiting = { bytes, start };
    gate.waiting.add(waiting);
    gate.waitingBytes += bytes;
    return () => {
      if (gate.waiting.delete(waiting)) gate.waitingBytes -= bytes;
    };
  }

  leave(origin: string): void {
    const gate = this.#gates.get(origin);
    if (gate === undefined) return;
    gate.running -= 1;
    // What fails as it starts leaves while the loop is at it: a thousand of them must not be a thousand calls deep.
    if (gate.isStarting) return;
    if (gate.waiting.size > 0) this.#startWaiting(gate);
    if (gate.running === 0) this.#gates.delete(origin);
  }

  #startWaiting(gate: Gate): void {
    gate.isStarting = true;
    for (const waiting of gate.waiting) {
      if (gate.running >= this.#limits.running) break;
      gate.waiting.delete(waiting);
      gate.waitingBytes -= waiting.bytes;
      gate.running += 1;
      waiting.start();
    }
    gate.isStarting = false;
  }

  #open(origin: string): Gate {
    const gate = { running: 0, isStarting: false, waitingBytes: 0, waiting: new Set<Waiting>() };
    this.#gates.set(origin, gate);
    return gate;
  }
}

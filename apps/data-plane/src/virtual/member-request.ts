import { RelayedRequest } from '../bridges/relay/relayed-request.ts';
import type { IncomingRequest, Reply } from '../pipeline/request.ts';
import { whenOver } from './when-over.ts';

/** Who is to be told when a caller leaves. Its request is listened to once, however many members are asked for it. */
class Departure {
  readonly listeners = new Set<() => void>();
  #isOver = false;

  constructor(caller: IncomingRequest) {
    caller.onDisconnect(() => {
      this.#isOver = true;
      for (const listener of [...this.listeners]) listener();
    });
  }

  tell(listener: () => void): void {
    if (this.#isOver) listener();
    else this.listeners.add(listener);
  }
}

const departures = new WeakMap<IncomingRequest, Departure>();

function departureOf(caller: IncomingRequest): Departure {
  let departure = departures.get(caller);
  if (departure === undefined) departures.set(caller, (departure = new Departure(caller)));
  return departure;
}

/**
 * What is asked of members on behalf of the caller. It goes away with the caller's request, or before. No other data plane could
 * answer it, as it knows the caller's only: so it is never passed on, like one that was passed on already.
 */
export class MemberRequest extends RelayedRequest {
  readonly #caller: IncomingRequest;
  readonly #endsWithCaller: boolean;
  readonly #listeners = new Set<() => void>();
  readonly #onDeparture = (): void => this.leave();
  #hasLeft = false;

  constructor(caller: IncomingRequest, method: string, body: Buffer | undefined, endsWithCaller = true) {
    super({ method, target: caller.target, headers: caller.headers, body: body ?? noBody }, caller);
    this.#caller = caller;
    this.#endsWithCaller = endsWithCaller;
  }

  override onDisconnect(listener: () => void): void {
    if (this.#hasLeft) return listener();
    this.#listeners.add(listener);
    if (this.#endsWithCaller && this.#listeners.size === 1) this.#listen();
  }

  /** Nobody waits for it any more. */
  leave(): void {
    this.#hasLeft = true;
    const listeners = [...this.#listeners];
    this.#over();
    for (const listener of listeners) listener();
  }

  /** With the answer nobody has to be told any more. */
  async lastFor(answer: Promise<Reply>): Promise<Reply> {
    let isOpen = false;
    try {
      const reply = await answer;
      const { body } = reply;
      if (typeof body !== 'object') return reply;
      isOpen = true;
      return { ...reply, body: whenOver(body, () => this.#over()) };
    } finally {
      if (!isOpen) this.#over();
    }
  }

  #listen(): void {
    if (this.#caller instanceof MemberRequest) return this.#caller.onDisconnect(this.#onDeparture);
    departureOf(this.#caller).tell(this.#onDeparture);
  }

  #over(): void {
    this.#listeners.clear();
    if (this.#caller instanceof MemberRequest) this.#caller.#forget(this.#onDeparture);
    else departures.get(this.#caller)?.listeners.delete(this.#onDeparture);
  }

  #forget(listener: () => void): void {
    if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#over();
  }
}

const noBody = Buffer.alloc(0);

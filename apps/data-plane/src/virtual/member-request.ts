import { RelayedRequest } from '../bridges/relay/relayed-request.ts';
import type { IncomingRequest, Reply } from '../pipeline/request.ts';
import { whenOver } from '../pipeline/when-over.ts';

/** Who is to be told when somebody leaves. */
export interface Departures {
  /** The request of whoever may leave. */
  readonly request: IncomingRequest;
  onDisconnect(listener: () => void): void;
  forget(listener: () => void): void;
}

/** Of a caller: its request is listened to once, however many members are asked for it. */
export class CallerDepartures implements Departures {
  readonly request: IncomingRequest;
  #listeners: (() => void)[] | undefined;
  #hasLeft = false;

  constructor(request: IncomingRequest) {
    this.request = request;
  }

  onDisconnect(listener: () => void): void {
    if (this.#hasLeft) return listener();
    if (this.#listeners !== undefined) return void this.#listeners.push(listener);
    this.#listeners = [listener];
    this.request.onDisconnect(() => {
      this.#hasLeft = true;
      for (const told of this.#listeners?.splice(0) ?? []) told();
    });
  }

  forget(listener: () => void): void {
    remove(this.#listeners, listener);
  }
}

/**
 * What is asked of members on behalf of the caller. It goes away with the caller's request, or before. No other data plane could
 * answer it, as it knows the caller's only: so it is never passed on, like one that was passed on already.
 */
export class MemberRequest extends RelayedRequest implements Departures {
  override readonly wasCounted = false;
  readonly #caller: Departures;
  readonly #endsWithCaller: boolean;
  readonly #listeners: (() => void)[] = [];
  readonly #onDeparture = (): void => this.leave();
  #hasLeft = false;

  constructor(caller: Departures, method: string, body: Buffer | undefined, endsWithCaller = true) {
    const { request } = caller;
    super({ method, target: request.target, headers: request.headers, body: body ?? noBody }, request);
    this.#caller = caller;
    this.#endsWithCaller = endsWithCaller;
  }

  get request(): IncomingRequest {
    return this;
  }

  override onDisconnect(listener: () => void): void {
    if (this.#hasLeft) return listener();
    this.#listeners.push(listener);
    if (this.#endsWithCaller && this.#listeners.length === 1) this.#caller.onDisconnect(this.#onDeparture);
  }

  forget(listener: () => void): void {
    remove(this.#listeners, listener);
    if (this.#listeners.length === 0) this.#over();
  }

  /** Nobody waits for it any more. */
  leave(): void {
    this.#hasLeft = true;
    const listeners = [...this.#listeners];
    this.#over();
    for (const listener of listeners) listener();
  }

  /** With the answer nobody has to be told any more. */
  async lastFor<R extends Reply>(answer: Promise<R>): Promise<R> {
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

  #over(): void {
    this.#listeners.length = 0;
    this.#caller.forget(this.#onDeparture);
  }
}

function remove(listeners: (() => void)[] | undefined, listener: () => void): void {
  const at = listeners?.indexOf(listener) ?? -1;
  if (at !== -1) listeners?.splice(at, 1);
}

const noBody = Buffer.alloc(0);

import { RelayedRequest } from '../bridges/relay/relayed-request.ts';
import type { IncomingRequest } from '../pipeline/request.ts';

/**
 * A request to one member, on behalf of the caller's. It goes away with the caller's, or before. No other data plane could answer it,
 * as it knows the caller's only: so it is never passed on, like one that was passed on already.
 */
export class MemberRequest extends RelayedRequest {
  readonly #listeners = new Set<() => void>();
  #hasLeft = false;

  constructor(request: IncomingRequest, method: string, body: Buffer | undefined) {
    super({ method, target: request.target, headers: request.headers, body: body ?? Buffer.alloc(0) }, request);
  }

  override onDisconnect(listener: () => void): void {
    if (this.#hasLeft) return listener();
    this.#listeners.add(listener);
    super.onDisconnect(() => this.#call(listener));
  }

  /** Nobody waits for it any more. */
  leave(): void {
    this.#hasLeft = true;
    for (const listener of [...this.#listeners]) this.#call(listener);
  }

  #call(listener: () => void): void {
    if (this.#listeners.delete(listener)) listener();
  }
}

import { RelayedRequest } from '../bridges/relay/relayed-request.ts';
import type { IncomingRequest } from '../pipeline/request.ts';

/** What is asked of one member on behalf of the caller. It goes away with the caller's request, or before. */
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

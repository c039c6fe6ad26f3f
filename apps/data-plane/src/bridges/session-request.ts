import type { IncomingRequest } from '../pipeline/request.ts';

/**
 * Stands in for the caller's request where an exchange with an upstream belongs to a session: it goes on when a request is
 * answered, and ends when the session does.
 */
export class SessionRequest implements IncomingRequest {
  readonly method = '';
  readonly target = '';
  readonly headers: readonly string[] = [];
  #onEnd: (() => void) | undefined;
  #isEnded = false;

  readBody(): Promise<Buffer> {
    return Promise.resolve(Buffer.alloc(0));
  }

  onDisconnect(listener: () => void): void {
    if (this.#isEnded) listener();
    else this.#onEnd = listener;
  }

  end(): void {
    this.#isEnded = true;
    this.#onEnd?.();
    this.#onEnd = undefined;
  }
}

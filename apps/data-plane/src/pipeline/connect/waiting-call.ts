/** A call that goes on once its caller has connected an account. */
export class WaitingCall {
  readonly #onLeave: () => void;
  #continue: ((isWaiting: boolean) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #wasWoken = false;
  #hasLeft = false;

  /** @param onLeave called once, when it waits no more */
  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  /** Resolves after so long at most; at once where an account was connected meanwhile. @returns whether it still waits */
  pause(ms: number): Promise<boolean> {
    if (this.#hasLeft || this.#wasWoken) {
      this.#wasWoken = false;
      return Promise.resolve(!this.#hasLeft);
    }
    return new Promise((resolve) => {
      this.#continue = resolve;
      this.#timer = setTimeout(() => this.#over(true), ms).unref();
    });
  }

  /** There may be something to find now. */
  wake(): void {
    if (this.#continue === undefined) this.#wasWoken = true;
    else this.#over(true);
  }

  /** May be called again. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#onLeave();
    this.#over(false);
  }

  #over(isWaiting: boolean): void {
    clearTimeout(this.#timer);
    const resolve = this.#continue;
    this.#continue = undefined;
    resolve?.(isWaiting);
  }
}

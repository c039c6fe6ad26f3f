import { performance } from 'node:perf_hooks';

/** Told of each part that was closed: how long it took, and the error if it failed to. */
export type OnClosed = (name: string, tookMs: number, error?: unknown) => void;

/** What was started, to be closed in the reverse order. A part that fails to close does not keep the others open. */
export class ClosingStack {
  readonly #parts: { readonly name: string; readonly close: () => Promise<void> | void }[] = [];
  readonly #onClosed: OnClosed;

  constructor(onClosed: OnClosed) {
    this.#onClosed = onClosed;
  }

  add(name: string, close: () => Promise<void> | void): void {
    this.#parts.push({ name, close });
  }

  async close(): Promise<void> {
    for (let part = this.#parts.pop(); part; part = this.#parts.pop()) {
      const beganAt = performance.now();
      const took = (): number => Math.round(performance.now() - beganAt);
      try {
        await part.close();
        this.#onClosed(part.name, took());
      } catch (error) {
        this.#onClosed(part.name, took(), error);
      }
    }
  }
}

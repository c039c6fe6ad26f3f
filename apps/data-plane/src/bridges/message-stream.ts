import type { BodySink, StreamedBody } from '../pipeline/request.ts';

/** Counts what waits for a session's caller, over all its streams. While there is too much of it, the upstream pauses. */
export class Backlog {
  readonly #maxBytes: number;
  readonly #onRoom: () => void;
  #bytes = 0;

  /** @param onRoom called when what was full is no longer */
  constructor(maxBytes: number, onRoom: () => void) {
    this.#maxBytes = maxBytes;
    this.#onRoom = onRoom;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#maxBytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    const wasFull = this.isFull;
    this.#bytes -= bytes;
    if (wasFull && !this.isFull) this.#onRoom();
  }
}

/** An event stream of the gateway's own making: what is pushed goes out at once, or waits until the reader takes more. */
export class MessageStream implements StreamedBody {
  readonly #backlog: Backlog;
  readonly #onGone: () => void;
  #sink: BodySink | undefined;
  #waiting: Buffer[] = [];
  #isPaused = false;
  #isEnded = false;
  #isGone = false;

  /** @param onGone called once when the reader goes away before the stream has ended */
  constructor(backlog: Backlog, onGone: () => void) {
    this.#backlog = backlog;
    this.#onGone = onGone;
  }

  /** Whether something pushed now has a reader. */
  get isOpen(): boolean {
    return !this.#isEnded && !this.#isGone;
  }

  push(event: Buffer): void {
    if (!this.isOpen) return;
    // Never past what waits: room in the backlog may bring the next events while the first are still being taken.
    if (this.#sink !== undefined && !this.#isPaused && this.#waiting.length === 0) {
      this.#isPaused = !this.#sink.write(event);
    } else {
      this.#waiting.push(event);
      this.#backlog.add(event.length);
    }
  }

  /** After what is waiting. */
  end(): void {
    if (!this.isOpen) return;
    this.#isEnded = true;
    if (this.#waiting.length === 0) this.#endSink();
  }

  pipe(sink: BodySink): void {
    this.#sink = sink;
    this.resume();
  }

  resume(): void {
    if (this.#sink === undefined || this.#isGone) return;
    this.#isPaused = false;
    while (this.#waiting.length > 0 && !this.#isPaused) {
      const event = this.#waiting.shift() as Buffer;
      this.#isPaused = !this.#sink.write(event);
      this.#backlog.remove(event.length);
    }
    if (this.#isEnded && this.#waiting.length === 0) this.#endSink();
  }

  abort(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const event of waiting) this.#backlog.remove(event.length);
    // Whatever stands between here and the caller learns from it that nothing more comes.
    this.#sink?.end();
    if (!this.#isEnded) this.#onGone();
  }

  #endSink(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    // A late `resume` finds nothing left to do.
    this.#isGone = true;
    sink.end();
  }
}

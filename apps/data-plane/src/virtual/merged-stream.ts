import type { BodySink, StreamedBody } from '../pipeline/request.ts';

/**
 * Event streams of several members as one. Each writes whole events, so that none comes in the middle of another. It ends when all of
 * them have; one that fails is one that has ended: the others go on.
 */
export class MergedStream implements StreamedBody {
  readonly #sources = new Set<StreamedBody>();
  #sink: BodySink | undefined;
  #isComplete = false;
  #isOver = false;

  /** What comes before everything else. */
  readonly #first: Buffer | undefined;
  readonly #last: (() => Buffer) | undefined;

  constructor(first?: Buffer, last?: () => Buffer) {
    this.#first = first;
    this.#last = last;
  }

  get size(): number {
    return this.#sources.size;
  }

  add(source: StreamedBody): void {
    if (this.#isOver) return source.abort();
    this.#sources.add(source);
    if (this.#sink !== undefined) this.#begin(source, this.#sink);
  }

  /** No more are added. */
  complete(): void {
    this.#isComplete = true;
    this.#endIfOver();
  }

  pipe(sink: BodySink): void {
    this.#sink = sink;
    if (this.#first !== undefined) sink.write(this.#first);
    for (const source of [...this.#sources]) this.#begin(source, sink);
    this.#endIfOver();
  }

  resume(): void {
    for (const source of this.#sources) source.resume();
  }

  abort(): void {
    this.#isOver = true;
    const sources = [...this.#sources];
    this.#sources.clear();
    for (const source of sources) source.abort();
  }

  #begin(source: StreamedBody, sink: BodySink): void {
    const over = (): void => {
      this.#sources.delete(source);
      this.#endIfOver();
    };
    source.pipe({ write: (chunk) => this.#isOver || sink.write(chunk), end: over, fail: over });
  }

  #endIfOver(): void {
    if (this.#isOver || !this.#isComplete || this.#sources.size > 0 || this.#sink === undefined) return;
    this.#isOver = true;
    if (this.#last !== undefined) this.#sink.write(this.#last());
    this.#sink.end();
  }
}

import type { BodySink, StreamedBody } from '../pipeline/request.ts';

/**
 * A body that lets go of where it comes from once it is over. Behind an answer is the whole exchange, with what was sent for it;
 * whoever holds the answer for longer, holds nothing of that.
 */
export class ReleasedBody implements StreamedBody {
  #body: StreamedBody | undefined;
  #onOver: (() => void) | undefined;

  /** @param onOver called once: it ended, failed, or was aborted */
  constructor(body: StreamedBody, onOver: () => void) {
    this.#body = body;
    this.#onOver = onOver;
  }

  pipe(sink: BodySink): void {
    if (this.#body === undefined) return sink.end();
    this.#body.pipe({
      write: (chunk) => sink.write(chunk),
      end: () => {
        this.#over();
        sink.end();
      },
      fail: (error) => {
        this.#over();
        sink.fail(error);
      },
    });
  }

  resume(): void {
    this.#body?.resume();
  }

  abort(): void {
    const body = this.#body;
    this.#over();
    body?.abort();
  }

  #over(): void {
    const onOver = this.#onOver;
    this.#body = undefined;
    this.#onOver = undefined;
    onOver?.();
  }
}

import type { GatewayError } from '@gatehouse/errors';
import { EventBoundary } from '@gatehouse/mcp-protocol';
import type { BodySink, StreamedBody } from '../pipeline/request.ts';

const comment = Buffer.from(': keep-alive\n\n');

/**
 * Puts a comment into event streams that are silent, so that nothing between gateway and caller takes them for dead. One
 * timer serves all streams; a stream that is answered within a moment costs an entry in a set.
 */
export class KeepAliveComments {
  readonly #intervalMs: number;
  readonly #streams = new Set<CommentedSink>();
  #timer: NodeJS.Timeout | undefined;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  wrap(body: StreamedBody): StreamedBody {
    return {
      pipe: (sink) => {
        const commented = new CommentedSink(sink, () => this.#streams.delete(commented));
        this.#streams.add(commented);
        this.#timer ??= this.#start();
        body.pipe(commented);
      },
      resume: () => body.resume(),
      abort: () => body.abort(),
    };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Every stream that was silent for a whole interval gets a comment. */
  #start(): NodeJS.Timeout {
    const timer = setInterval(() => {
      for (const stream of this.#streams) stream.commentIfSilent();
    }, this.#intervalMs);
    return timer.unref();
  }
}

class CommentedSink implements BodySink {
  readonly #sink: BodySink;
  readonly #onOver: () => void;
  readonly #boundary = new EventBoundary();
  #silent = true;

  constructor(sink: BodySink, onOver: () => void) {
    this.#sink = sink;
    this.#onOver = onOver;
  }

  write(chunk: Buffer): boolean {
    this.#silent = false;
    this.#boundary.push(chunk);
    return this.#sink.write(chunk);
  }

  end(): void {
    this.#onOver();
    this.#sink.end();
  }

  fail(error: GatewayError): void {
    this.#onOver();
    this.#sink.fail(error);
  }

  commentIfSilent(): void {
    // Inside an event nothing may be put; the event's own next bytes come, or the idle timeout does.
    if (this.#silent && this.#boundary.atBoundary) this.#sink.write(comment);
    this.#silent = true;
  }
}

import { EventBoundary } from '@gatehouse/mcp-protocol';
import { type BodyFilter, mapBody } from '../pipeline/map-body.ts';
import type { BodySink, StreamedBody } from '../pipeline/request.ts';

const comment = Buffer.from(': keep-alive\n\n');

/**
 * Puts a comment into event streams that are silent, so that nothing between gateway and caller takes them for dead. One
 * timer serves all streams; a stream that is answered within a moment costs an entry in a set.
 */
export class KeepAliveComments {
  readonly #intervalMs: number;
  readonly #streams = new Set<CommentedStream>();
  #timer: NodeJS.Timeout | undefined;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Streams that are open now. */
  get size(): number {
    return this.#streams.size;
  }

  wrap(body: StreamedBody): StreamedBody {
    return mapBody(body, (sink) => {
      const stream = new CommentedStream(sink, (over) => this.#streams.delete(over));
      this.#streams.add(stream);
      this.#timer ??= this.#start();
      return stream;
    });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Every stream that was silent for a whole interval gets a comment. */
  #start(): NodeJS.Timeout {
    const timer = setInterval(() => {
      for (const stream of this.#streams) stream.commentIfSilent();
    }, this.#intervalMs);
    return timer.unref();
  }
}

class CommentedStream implements BodyFilter {
  readonly #sink: BodySink;
  readonly #onOver: (stream: CommentedStream) => void;
  readonly #boundary = new EventBoundary();
  #isSilent = true;
  /** Whether the caller took everything so far: one that does not read is not kept awake. */
  #isReading = true;

  constructor(sink: BodySink, onOver: (stream: CommentedStream) => void) {
    this.#sink = sink;
    this.#onOver = onOver;
  }

  write(chunk: Buffer): boolean {
    this.#isSilent = false;
    this.#boundary.push(chunk);
    return (this.#isReading = this.#sink.write(chunk));
  }

  resumed(): void {
    this.#isReading = true;
  }

  over(): void {
    this.#onOver(this);
  }

  commentIfSilent(): void {
    // Inside an event nothing may be put; the event's own next bytes come, or the idle timeout does.
    if (this.#isSilent && this.#isReading && this.#boundary.atBoundary) this.#isReading = this.#sink.write(comment);
    this.#isSilent = true;
  }
}

import { newSpanId, newTraceId } from './random-ids.ts';
import type { Sampler } from './sampler.ts';
import { Span, type SpanKind, type SpanSink } from './span.ts';
import type { TraceContext } from './trace-context.ts';

export interface TracerOptions {
  readonly sampler: Sampler;
  readonly sink: SpanSink;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Begins spans. Which one is whose child is said, and never guessed from what happens to run. */
export class Tracer {
  readonly now: () => number;
  readonly #sampler: Sampler;
  readonly #sink: SpanSink;

  constructor({ sampler, sink, now }: TracerOptions) {
    this.#sampler = sampler;
    this.#sink = sink;
    this.now = now;
  }

  /**
   * The first span of this process in a trace: whether it is kept is decided here.
   * @param parent in another process, where there is one
   */
  enter(parent: TraceContext | undefined, kind: SpanKind, name: string, startMs = this.now()): Span {
    const traceId = parent?.traceId ?? newTraceId();
    const isSampled = this.#sampler(parent, traceId);
    // What nobody keeps goes on as it came: a new id would be of a span that never was.
    const isPassedOn = parent !== undefined && !isSampled && !parent.isSampled;
    const context = { traceId, spanId: isPassedOn ? parent.spanId : newSpanId(), isSampled, isRandom: parent?.isRandom ?? false };
    return new Span(this.#sink, context, parent, true, kind, name, startMs);
  }

  /** A part of what this process does in a trace; that of one that is not kept is the same. */
  child(parent: Span, kind: SpanKind, name: string, startMs = this.now()): Span {
    if (!parent.isSampled) return parent;
    const { traceId, isSampled, isRandom } = parent;
    return new Span(this.#sink, { traceId, spanId: newSpanId(), isSampled, isRandom }, parent, false, kind, name, startMs);
  }
}

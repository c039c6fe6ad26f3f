import { formatTraceparent, type TraceContext } from './trace-context.ts';

/** Numbers as OTLP has them. */
export const spanKinds = { internal: 1, server: 2, client: 3 } as const;

export type SpanKind = keyof typeof spanKinds;

export type AttributeValue = string | number | boolean;

/** Takes spans that are over. */
export type SpanSink = (span: Span) => void;

/** One piece of work of a trace. One that is not kept is only passed on: nothing that is said of it costs anything. */
export class Span implements TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
  readonly isRandom: boolean;
  readonly parent: TraceContext | undefined;
  /** Whether the parent is of another process. */
  readonly hasRemoteParent: boolean;
  readonly kind: SpanKind;
  name: string;
  /** Milliseconds, monotonic. */
  readonly startMs: number;
  endMs: number | undefined;
  /** Names and values in turn. */
  readonly attributes: AttributeValue[] = [];
  link: TraceContext | undefined;
  hasFailed = false;
  readonly #sink: SpanSink;

  constructor(sink: SpanSink, context: TraceContext, parent: TraceContext | undefined, hasRemoteParent: boolean, kind: SpanKind, name: string, startMs: number) {
    this.#sink = sink;
    this.traceId = context.traceId;
    this.spanId = context.spanId;
    this.isSampled = context.isSampled;
    this.isRandom = context.isRandom;
    this.parent = parent;
    this.hasRemoteParent = hasRemoteParent;
    this.kind = kind;
    this.name = name;
    this.startMs = startMs;
  }

  get traceparent(): string {
    return formatTraceparent(this);
  }

  /** What is not known is not said. Values must be no secrets: they leave as they are. */
  set(name: string, value: AttributeValue | undefined): void {
    if (this.isSampled && value !== undefined) this.attributes.push(name, value);
  }

  /** @param type a code or a status, of which there are few (OpenTelemetry, recording errors) */
  fail(type: string): void {
    this.set('error.type', type);
    this.hasFailed = true;
  }

  /** Once; whatever is said of it after that is not heard. */
  end(atMs: number): void {
    if (!this.isSampled || this.endMs !== undefined) return;
    this.endMs = atMs;
    this.#sink(this);
  }
}

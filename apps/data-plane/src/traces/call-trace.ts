import { readTraceparent, type Span, type TraceContext, type Tracer } from '@gatehouse/service-runtime';
import type { MessageSummary } from '@gatehouse/mcp-protocol';
import { CallerHeaders, type PreparedServer } from '@gatehouse/upstream-request';
import type { CallRecord } from '../pipeline/call-record.ts';
import type { Call } from '../pipeline/read-call.ts';
import type { IncomingRequest } from '../pipeline/request.ts';
import { describeAnswered, errorType, nameOfAttempt } from './describe-spans.ts';
import { UpstreamAttempt } from './upstream-attempt.ts';

/**
 * One call of a caller's as a span, and what is asked for it as spans below: it is carried along with the call, and found nowhere else.
 * It is over when its answer is, as far as that is awaited (docs/traces.md).
 */
export class CallTrace {
  readonly tracer: Tracer;
  readonly #http: string;
  #span: Span;
  #tracestate: string | undefined;
  /** As the caller's message has it. */
  #traceparent: string | undefined;
  #underWay = 0;
  #record: CallRecord | undefined;

  constructor(tracer: Tracer, { method }: Pick<IncomingRequest, 'method'>, { traceparent, tracestate }: CallerHeaders, startMs: number) {
    this.tracer = tracer;
    this.#http = method;
    const parent = readTraceparent(traceparent);
    this.#span = tracer.enter(parent, 'server', method, startMs);
    this.#tracestate = parent === undefined ? undefined : tracestate;
  }

  get span(): Span {
    return this.#span;
  }

  /** What the message says of its trace goes before what its transport says, which is linked (OpenTelemetry, MCP, context propagation). */
  join(message: Pick<MessageSummary, 'traceparent' | 'tracestate'> | undefined): void {
    const said = message?.traceparent === undefined ? undefined : readTraceparent(message.traceparent);
    if (message === undefined || said === undefined) return;
    this.#traceparent = message.traceparent;
    const { parent, startMs } = this.#span;
    if (isSame(parent, said)) return;
    this.#span = this.tracer.enter(said, 'server', this.#http, startMs);
    this.#span.link = parent;
    this.#tracestate = message.tracestate;
  }

  /** A request to an upstream. @returns `undefined` where the context goes on as it came, as nobody keeps the trace */
  attempt(server: PreparedServer, call: Call, headers: Readonly<CallerHeaders>): UpstreamAttempt | undefined {
    const { isSampled, spanId, parent } = this.#span;
    if (!isSampled && spanId === parent?.spanId) return undefined;
    const span = this.tracer.child(this.#span, 'client', nameOfAttempt(call));
    const traced = Object.assign(new CallerHeaders(), headers, { traceparent: span.traceparent, tracestate: this.#tracestate });
    return new UpstreamAttempt(this, span, traced, this.#traceparent, { server, call });
  }

  /** What may have to be waited for, each time that it is; where it is at hand, it is no span. */
  waiting<A, T>(name: string, work: (argument?: A) => T | Promise<T>): (argument?: A) => T | Promise<T> {
    return (argument) => {
      const startMs = this.tracer.now();
      const result = work(argument);
      return result instanceof Promise ? this.#waited(name, startMs, result) : result;
    };
  }

  /** The answer of an attempt is awaited. */
  began(): void {
    this.#underWay += 1;
  }

  /** It is there, or will not be. */
  isOver(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0 && this.#record !== undefined) this.#end(this.#record);
  }

  /** The head of the caller's answer is known. */
  finish(record: CallRecord): void {
    this.#record = record;
    if (this.#underWay === 0) this.#end(record);
  }

  async #waited<T>(name: string, startMs: number, work: Promise<T>): Promise<T> {
    const span = this.tracer.child(this.#span, 'internal', name, startMs);
    try {
      return await work;
    } catch (error) {
      span.fail(errorType(error));
      throw error;
    } finally {
      span.end(this.tracer.now());
    }
  }

  #end(record: CallRecord): void {
    if (this.#span.isSampled) describeAnswered(this.#span, record, this.#http);
    this.#span.end(this.tracer.now());
  }
}

const isSame = (one: TraceContext | undefined, other: TraceContext): boolean => one?.traceId === other.traceId && one.spanId === other.spanId;

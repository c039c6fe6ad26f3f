import type { Span } from '@gatehouse/service-runtime';
import type { CallerHeaders, PreparedServer } from '@gatehouse/upstream-request';
import type { CallRecord } from '../pipeline/call-record.ts';
import type { ForwardedCall } from '../pipeline/forwarded-call.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import type { Call } from '../pipeline/read-call.ts';
import type { UpstreamResponse } from '../pipeline/request.ts';
import { whenOver } from '../pipeline/when-over.ts';
import type { CallTrace } from './call-trace.ts';
import { describeAttempt, errorType } from './describe-spans.ts';
import { withTraceparent } from './with-traceparent.ts';

/** One request to an upstream, with what redirects follow it, as a span that the upstream can continue. */
export class UpstreamAttempt {
  /** The caller's, with this span's context in the place of theirs: what may leave of it is decided like for theirs. */
  readonly headers: CallerHeaders;
  readonly #trace: CallTrace;
  readonly #span: Span;
  readonly #said: string | undefined;
  readonly #server: PreparedServer;
  readonly #call: Call;

  /** @param said the context that the caller's message names */
  constructor(trace: CallTrace, span: Span, headers: CallerHeaders, said: string | undefined, { server, call }: { readonly server: PreparedServer; readonly call: Call }) {
    this.#trace = trace;
    this.#span = span;
    this.headers = headers;
    this.#said = said;
    this.#server = server;
    this.#call = call;
  }

  /** @throws what sending throws */
  async send(gateway: Pick<Gateway, 'forward'>, forwarded: ForwardedCall, record: CallRecord): Promise<UpstreamResponse> {
    const sent = this.#said === undefined ? forwarded : this.#withOwnContext(forwarded, this.#said);
    // That of one that is not kept is the call's own.
    if (!this.#span.isSampled) return gateway.forward(sent, record);
    this.#trace.began();
    describeAttempt(this.#span, this.#server, this.#call, this.headers);
    try {
      return this.#answered(await gateway.forward(sent, record));
    } catch (error) {
      this.#over(errorType(error));
      throw error;
    }
  }

  /** What is awaited is the whole of an answer, and of a stream that only listens its head: the rest is what may happen some day. */
  #answered(response: UpstreamResponse): UpstreamResponse {
    const { status } = response;
    this.#span.set('http.response.status_code', status);
    if (status >= 400) this.#span.fail(String(status));
    if (!this.#call.listens) return { ...response, body: whenOver(response.body, (failed) => this.#over(failed?.code)) };
    this.#over(undefined);
    return response;
  }

  #over(failed: string | undefined): void {
    if (failed !== undefined) this.#span.fail(failed);
    this.#span.end(this.#trace.tracer.now());
    this.#trace.isOver();
  }

  /** Two that contradict each other would be two parents: what the message names goes with the header (P1, docs/decisions/0010-traces.md). */
  #withOwnContext(forwarded: ForwardedCall, said: string): ForwardedCall {
    const { outgoing, upstream } = forwarded;
    // Where a policy keeps the header back, nobody is told; and to an API nothing of the message is sent.
    if (upstream.transport === 'http' || !Buffer.isBuffer(outgoing.body) || !outgoing.headers.includes('traceparent')) return forwarded;
    const body = withTraceparent(outgoing.body, said, this.#span.traceparent);
    return { ...forwarded, outgoing: { ...outgoing, body } };
  }
}

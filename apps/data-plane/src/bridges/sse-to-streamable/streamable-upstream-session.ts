import { randomUUID } from 'node:crypto';
import { GatewayError, toGatewayError } from '@gatehouse/errors';
import { formatEvent, readEnvelopes, requestIds, type RpcEnvelope, type RpcId, type SessionOwner, withResponseId } from '@gatehouse/mcp-protocol';
import type { Admission } from '../../pipeline/admission.ts';
import type { ForwardedCall } from '../../pipeline/forwarded-call.ts';
import type { UpstreamRequest, UpstreamResponse } from '../../pipeline/request.ts';
import type { PreparedUpstream } from '@gatehouse/upstream-request';
import { discard, isAccepted, withoutContent } from '../answers.ts';
import type { BridgeContext, DescribeFailure } from '../bridge-context.ts';
import type { BridgeSession } from '../bridge-session.ts';
import { Backlog, MessageStream } from '../message-stream.ts';
import { readRefusal } from './read-refusal.ts';
import { UpstreamExchanges } from './upstream-exchanges.ts';
import { readAnnouncements, readAnswer, type StreamReading } from './upstream-messages.ts';

/** A legacy SSE caller's session with an upstream that speaks Streamable HTTP: all it says goes to the caller's one stream. */
export class StreamableUpstreamSession implements BridgeSession {
  readonly id = randomUUID();
  readonly owner: SessionOwner;
  readonly admission: Admission;
  readonly upstream: PreparedUpstream;
  readonly stream: MessageStream;
  /** The session lives as long as its caller listens. */
  readonly isBusy = true;
  readonly #context: BridgeContext;
  readonly #describe: DescribeFailure;
  readonly #backlog: Backlog;
  readonly #exchanges: UpstreamExchanges;
  #isListening = false;

  /** @param listening the request of the caller's whose answer is the stream */
  constructor(context: BridgeContext, listening: Pick<ForwardedCall, 'admission' | 'upstream' | 'call' | 'request'>, describe: DescribeFailure) {
    const { admission, upstream, call, request } = listening;
    this.owner = call.owner;
    this.admission = admission;
    this.upstream = upstream;
    this.#context = context;
    this.#describe = describe;
    this.#exchanges = new UpstreamExchanges(context, this, request);
    this.#backlog = new Backlog(context.bufferBytes, () => this.#exchanges.resume());
    this.stream = new MessageStream(this.#backlog, () => context.sessions.close(this));
  }

  /**
   * Passes a message on. What is asked is answered on the stream, so the post is only taken; anything else is taken when the
   * upstream has taken it: what follows must not overtake it, `notifications/initialized` least of all.
   * @throws GatewayError as `forward` does
   */
  async post(envelopes: readonly RpcEnvelope[], outgoing: UpstreamRequest): Promise<UpstreamResponse> {
    const unanswered = new Set<RpcId>(requestIds(envelopes));
    if (unanswered.size > 0) {
      const opens = envelopes.some((envelope) => envelope.kind === 'request' && envelope.method === 'initialize');
      void this.#answer(unanswered, opens, this.#exchanges.post(outgoing));
      return withoutContent(202);
    }
    const response = await this.#exchanges.post(outgoing);
    if (!isAccepted(response)) {
      if (response.status === 404) this.#context.sessions.close(this);
      return response;
    }
    discard(response.body);
    if (envelopes.some((envelope) => envelope.kind === 'notification' && envelope.method === 'notifications/initialized')) this.#listen();
    return withoutContent(202);
  }

  push(message: string): void {
    this.stream.push(formatEvent('message', message));
  }

  async close(): Promise<void> {
    this.stream.end();
    await this.#exchanges.end();
  }

  /** Of what was asked, only the ids: an answer may have to be waited for long after its exchange is over. */
  async #answer(unanswered: Set<RpcId>, opens: boolean, exchange: Promise<UpstreamResponse>): Promise<void> {
    try {
      const response = await exchange;
      if (!isAccepted(response)) return await this.#refused(unanswered, response);
      if (opens) this.#exchanges.keepSession(response);
      const { failure } = await readAnswer(response, this.#reading(unanswered), () => unanswered.size === 0);
      if (unanswered.size > 0) throw failure ?? new GatewayError('upstream_failed', { detail: 'the answer ended without a response' });
    } catch (error) {
      const failure = toGatewayError(error);
      this.#fail(unanswered, failure);
      // It broke off, and could not be taken up again for that.
      if (failure.code === 'session_not_found') this.#context.sessions.close(this);
    }
  }

  async #refused(unanswered: ReadonlySet<RpcId>, response: UpstreamResponse): Promise<void> {
    const { error, text } = await readRefusal(response, this.#exchanges.hasSession, this.#context.bufferBytes);
    if (text === undefined) this.#fail(unanswered, error);
    else for (const id of unanswered) this.push(withResponseId(text, id));
    if (error.code === 'session_not_found') this.#context.sessions.close(this);
  }

  #fail(ids: Iterable<RpcId>, error: GatewayError): void {
    for (const id of ids) this.push(this.#describe(error, id));
  }

  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    const ended = readAnnouncements(this.#reading(new Set()));
    // Rejected when the session is over while it waits.
    void ended.then((status) => status === 404 && this.#context.sessions.close(this), () => undefined);
  }

  #reading(unanswered: Set<RpcId>): StreamReading {
    const exchanges = this.#exchanges;
    return {
      maxLength: this.#context.bufferBytes,
      signal: exchanges.signal,
      listen: (lastEventId) => exchanges.listen(lastEventId),
      onMessage: (text) => {
        const envelopes = readEnvelopes(text);
        if (envelopes === undefined) return true;
        for (const envelope of envelopes) {
          if (envelope.kind !== 'response') continue;
          unanswered.delete(envelope.id);
          if (envelope.protocolVersion !== undefined) exchanges.keepProtocolVersion(envelope.protocolVersion);
        }
        this.push(text);
        return !this.#backlog.isFull;
      },
    };
  }
}

import { randomUUID } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import { endpointPath, type ServerSentEvent, type SessionOwner } from '@gatehouse/mcp-protocol';
import type { Admission } from '../../pipeline/admission.ts';
import type { ForwardedCall } from '../../pipeline/forwarded-call.ts';
import type { StreamedBody, UpstreamRequest, UpstreamResponse } from '../../pipeline/request.ts';
import type { PreparedUpstream } from '@gatehouse/upstream-request';
import { discard, isAccepted, isEventStream } from '../answers.ts';
import type { BridgeContext, DescribeFailure } from '../bridge-context.ts';
import type { BridgeSession } from '../bridge-session.ts';
import { readEvents } from '../read-messages.ts';
import { SessionRequest } from '../session-request.ts';
import { changeHeaders, toListen, toPath } from '../upstream-variants.ts';
import { CallerStreams } from './caller-streams.ts';

/** A session with an upstream that speaks HTTP+SSE (MCP 2024-11-05): one stream for all it says, one place to post to. */
export class SseUpstreamSession implements BridgeSession {
  readonly id = randomUUID();
  readonly owner: SessionOwner;
  readonly admission: Admission;
  readonly upstream: PreparedUpstream;
  readonly streams: CallerStreams;
  readonly #context: BridgeContext;
  readonly #stream = new SessionRequest();
  readonly #endpoint = Promise.withResolvers<string>();
  #body: StreamedBody | undefined;
  #isReady = false;
  #ended: GatewayError | undefined;

  constructor(context: BridgeContext, { admission, upstream, call }: Pick<ForwardedCall, 'admission' | 'upstream' | 'call'>, describe: DescribeFailure) {
    this.owner = call.owner;
    this.admission = admission;
    this.upstream = upstream;
    this.#context = context;
    this.streams = new CallerStreams(describe, context.bufferBytes, () => this.#body?.resume());
    // Whether anyone waits for the endpoint or not, a session may end without it.
    this.#endpoint.promise.catch(() => undefined);
  }

  get isBusy(): boolean {
    return !this.#isReady || this.streams.isBusy;
  }

  /**
   * Opens the upstream's stream and waits until it says where to post.
   * @returns the upstream's answer where that is no stream, for the caller
   * @throws GatewayError as `forward` does
   */
  async open(outgoing: UpstreamRequest): Promise<UpstreamResponse | undefined> {
    const response = await this.#context.dispatchStream(this.upstream, toListen(outgoing), this.#stream);
    if (!isAccepted(response)) return response;
    this.#body = response.body;
    if (this.#ended !== undefined || !isEventStream(response)) {
      response.body.abort();
      throw this.#ended ?? new GatewayError('upstream_failed', { detail: 'the answer to GET is not an event stream' });
    }
    void readEvents(response.body, this.#context.bufferBytes, (event) => this.#receive(event)).then(({ failure }) => this.end(failure ?? new GatewayError('upstream_failed')));
    const timer = setTimeout(() => this.end(new GatewayError('upstream_timeout', { detail: 'no endpoint event in time' })), outgoing.responseTimeoutMs).unref();
    await this.#endpoint.promise.finally(() => clearTimeout(timer));
    this.#isReady = true;
    return undefined;
  }

  /**
   * Posts a message of the caller's.
   * @returns the upstream's answer where it did not take the message, for the caller
   * @throws GatewayError as `forward` does
   */
  async send(outgoing: UpstreamRequest): Promise<UpstreamResponse | undefined> {
    const path = await this.#endpoint.promise;
    if (this.#ended !== undefined) throw this.#ended;
    // Sent whether or not the caller stays: going away does not take a message back.
    const response = await this.#context.dispatch(this.upstream, toPath(withoutSession(outgoing), path), new SessionRequest());
    if (!isAccepted(response)) {
      if (response.status === 404) this.end(new GatewayError('session_not_found', { detail: 'the upstream ended the session' }));
      return response;
    }
    discard(response.body);
    return undefined;
  }

  /** The upstream is no longer there, or not wanted any more. */
  end(error: GatewayError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#context.sessions.close(this);
    this.#endpoint.reject(error);
    this.streams.fail(error);
    this.#stream.end();
  }

  close(): Promise<void> {
    // Closing the stream is how HTTP+SSE ends a session; there is nothing to wait for.
    this.end(new GatewayError('session_not_found', { detail: 'the session was closed' }));
    return Promise.resolve();
  }

  #receive({ type, data }: ServerSentEvent): boolean {
    if (this.#ended !== undefined) return true;
    if (type === 'endpoint') this.#setEndpoint(data);
    else if (type === 'message') this.streams.deliver(data);
    return this.streams.wantsMore;
  }

  /** An endpoint on another origin would take the credentials there: it is not accepted. */
  #setEndpoint(endpoint: string): void {
    const path = endpointPath(endpoint, this.upstream.url);
    if (path !== undefined) this.#endpoint.resolve(path);
    else this.end(new GatewayError('upstream_failed', { detail: 'the endpoint event names another origin' }));
  }
}

/** The session is the bridge's own: its id says nothing to the upstream, and names the holder. */
const withoutSession = (outgoing: UpstreamRequest): UpstreamRequest => ({ ...outgoing, headers: changeHeaders(outgoing.headers, { 'mcp-session-id': undefined }) });

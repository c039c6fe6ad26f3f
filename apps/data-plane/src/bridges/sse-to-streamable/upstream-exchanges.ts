import { mapBody } from '../../pipeline/map-body.ts';
import type { StreamedBody, UpstreamRequest, UpstreamResponse } from '../../pipeline/request.ts';
import type { PreparedUpstream } from '@gatehouse/upstream-request';
import { discard } from '../answers.ts';
import type { BridgeContext } from '../bridge-context.ts';
import { SessionRequest } from '../session-request.ts';
import { changeHeaders, type HeaderChanges, toListen } from '../upstream-variants.ts';

/** A session that is over is not waited for any longer than this. */
const farewellMs = 5_000;

/** The exchanges of one session with a Streamable HTTP upstream, as a client of it has them (MCP 2025-11-25, transports). */
export class UpstreamExchanges {
  readonly #context: BridgeContext;
  readonly #upstream: PreparedUpstream;
  readonly #open = new Map<SessionRequest, StreamedBody | undefined>();
  readonly #end = new AbortController();
  #sessionId: string | undefined;
  #protocolVersion: string | undefined;
  /**
   * What the gateway sends of itself (the GET that listens or resumes, the DELETE) has no request of the caller's to be made
   * from: it carries the headers of the caller's newest message, credentials included, as they were then. They are the same
   * caller's, for the same upstream. But they may have expired or been replaced since: an upstream that refuses them is not
   * listened to any more, or not told of the end. Credentials that live for a short time, or are good for one request only,
   * would have to be obtained anew here.
   */
  #newest: UpstreamRequest | undefined;

  constructor(context: BridgeContext, upstream: PreparedUpstream) {
    this.#context = context;
    this.#upstream = upstream;
  }

  /** Aborted when the session is over. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  get hasSession(): boolean {
    return this.#sessionId !== undefined;
  }

  /** From the answer to `initialize`: the id that every later request names. */
  keepSession({ headers }: UpstreamResponse): void {
    const sessionId = headers['mcp-session-id'];
    if (typeof sessionId === 'string') this.#sessionId = sessionId;
  }

  keepProtocolVersion(version: string): void {
    this.#protocolVersion = version;
  }

  post(outgoing: UpstreamRequest): Promise<UpstreamResponse> {
    this.#newest = outgoing;
    const headers = changeHeaders(outgoing.headers, { accept: 'application/json, text/event-stream', ...this.#sessionHeaders() });
    return this.#exchange({ ...outgoing, headers }, false);
  }

  /** Asks for the upstream's own stream, or for the one that an event belonged to. */
  listen(lastEventId: string | undefined): Promise<UpstreamResponse> {
    const outgoing = this.#newest as UpstreamRequest;
    return this.#exchange(toListen(outgoing, { ...this.#sessionHeaders(), ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) }), true);
  }

  /** The caller takes more again. */
  resume(): void {
    for (const body of this.#open.values()) body?.resume();
  }

  /** Breaks off what is open and tells the upstream that the session is over. */
  async end(): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    for (const request of this.#open.keys()) request.end();
    if (this.#newest === undefined || this.#sessionId === undefined) return;
    const farewell = { ...toListen(this.#newest, { accept: undefined, ...this.#sessionHeaders() }), method: 'DELETE', responseTimeoutMs: farewellMs };
    // An upstream that cannot be told, or does not let its sessions be ended (405), ends them in its own time.
    await this.#context.dispatch(this.#upstream, farewell, new SessionRequest()).then(({ body }) => discard(body), () => undefined);
  }

  async #exchange(outgoing: UpstreamRequest, staysOpen: boolean): Promise<UpstreamResponse> {
    const request = new SessionRequest();
    const over = (): void => void this.#open.delete(request);
    this.#open.set(request, undefined);
    // One that belongs to a session which has ended meanwhile ends at once.
    if (this.#end.signal.aborted) request.end();
    try {
      const dispatch = staysOpen ? this.#context.dispatchStream : this.#context.dispatch;
      const response = await dispatch(this.#upstream, outgoing, request);
      this.#open.set(request, response.body);
      const body = mapBody(response.body, () => ({ write: (chunk, sink) => sink.write(chunk), over }));
      return { ...response, body: { ...body, abort: () => this.#abort(request, body) } };
    } catch (error) {
      over();
      throw error;
    }
  }

  /** Also of a body that nobody has begun to read: no filter sees its end. */
  #abort(request: SessionRequest, body: StreamedBody): void {
    this.#open.delete(request);
    body.abort();
  }

  #sessionHeaders(): HeaderChanges {
    return { 'mcp-session-id': this.#sessionId, ...(this.#protocolVersion !== undefined && { 'mcp-protocol-version': this.#protocolVersion }) };
  }
}

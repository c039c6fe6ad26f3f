import { GatewayError } from '@gatehouse/errors';
import type { StreamedBody, UpstreamRequest, UpstreamResponse } from '../../pipeline/request.ts';
import { discard } from '../answers.ts';
import type { BridgeContext } from '../bridge-context.ts';
import type { BridgeSession } from '../bridge-session.ts';
import type { OwnRequest } from '../compose-own-request.ts';
import { ReleasedBody } from '../released-body.ts';
import { SessionRequest } from '../session-request.ts';
import { changeHeaders } from '../upstream-variants.ts';

/** An upstream is given this long to hear that a session is over. */
const farewellMs = 5_000;

type Session = Pick<BridgeSession, 'owner' | 'admission' | 'upstream'>;

/**
 * The exchanges of one session with a Streamable HTTP upstream, as a client of it has them (MCP 2025-11-25, transports). Nothing of
 * a message stays here: what the gateway sends of itself (the GET that listens or resumes, the DELETE) is composed each time.
 */
export class UpstreamExchanges {
  readonly #context: Pick<BridgeContext, 'dispatch' | 'dispatchStream' | 'composeOwn'>;
  readonly #session: Session;
  readonly #open = new Map<SessionRequest, StreamedBody | undefined>();
  readonly #end = new AbortController();
  /** The caller's, on whose behalf the gateway listens: its headers are there while it is open, and no longer (P6). */
  #listening: OwnRequest['listening'];
  #sessionId: string | undefined;
  #protocolVersion: string | undefined;

  /** @param listening the request of the caller's that is open as long as the session */
  constructor(context: Pick<BridgeContext, 'dispatch' | 'dispatchStream' | 'composeOwn'>, session: Session, listening: OwnRequest['listening']) {
    this.#context = context;
    this.#session = session;
    this.#listening = listening;
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
    const headers = changeHeaders(outgoing.headers, {
      accept: 'application/json, text/event-stream',
      'mcp-session-id': this.#sessionId,
      ...(this.#protocolVersion !== undefined && { 'mcp-protocol-version': this.#protocolVersion }),
    });
    return this.#exchange({ ...outgoing, headers }, false);
  }

  /** Asks for the upstream's own stream, or for the one that an event belonged to. */
  async listen(lastEventId: string | undefined): Promise<UpstreamResponse> {
    const outgoing = await this.#compose({ method: 'GET', lastEventId, listening: this.#listening });
    // Its caller may have left meanwhile: what it lent goes nowhere any more.
    if (this.#end.signal.aborted) throw new GatewayError('session_not_found', { detail: 'the session was closed' });
    return this.#exchange(outgoing, true);
  }

  /** The caller takes more again. */
  resume(): void {
    for (const body of this.#open.values()) body?.resume();
  }

  /** Breaks off what is open and tells the upstream that the session is over. */
  async end(): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    this.#listening = undefined;
    for (const request of this.#open.keys()) request.end();
    if (this.#sessionId === undefined) return;
    try {
      // Its caller is gone, and with it what was the caller's: an upstream that goes by that will not hear of it.
      const farewell = await this.#compose({ method: 'DELETE' });
      const { body } = await this.#context.dispatch(this.#session.upstream, { ...farewell, responseTimeoutMs: farewellMs }, new SessionRequest());
      discard(body);
    } catch {
      // An upstream that cannot be told, or does not let its sessions be ended (405), ends them in its own time.
    }
  }

  #compose(own: Pick<OwnRequest, 'method' | 'lastEventId' | 'listening'>): Promise<UpstreamRequest> {
    return this.#context.composeOwn(this.#session, { ...own, upstreamSession: this.#sessionId, protocolVersion: this.#protocolVersion });
  }

  async #exchange(outgoing: UpstreamRequest, staysOpen: boolean): Promise<UpstreamResponse> {
    const request = new SessionRequest();
    const over = (): void => void this.#open.delete(request);
    this.#open.set(request, undefined);
    // One that belongs to a session which has ended meanwhile ends at once.
    if (this.#end.signal.aborted) request.end();
    try {
      const dispatch = staysOpen ? this.#context.dispatchStream : this.#context.dispatch;
      const response = await dispatch(this.#session.upstream, outgoing, request);
      const body = new ReleasedBody(response.body, over);
      this.#open.set(request, body);
      return { ...response, body };
    } catch (error) {
      over();
      throw error;
    }
  }
}

import { firstModernRevision, type LegacyClient, type SessionOwner } from '@gatehouse/mcp-protocol';
import { CallerHeaders, type PreparedServer } from '@gatehouse/upstream-request';
import { nameHeaderOf, withModernMeta } from '@gatehouse/virtual-servers';
import { withinLimits } from '../limits/within-limits.ts';
import type { AdmittedCall } from '../pipeline/admitted-call.ts';
import { answerCall } from '../pipeline/answer-call.ts';
import { CallRecord } from '../pipeline/call-record.ts';
import { openConnectSession } from '../pipeline/connect/connect-session.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import { type Call, listenMethod } from '../pipeline/read-call.ts';
import type { Reply } from '../pipeline/request.ts';
import type { MemberMessage } from './member-message.ts';
import { type Departures, MemberRequest } from './member-request.ts';
import type { Member } from './members.ts';
import { headerOf } from './read-reply.ts';
import type { MemberSession, VirtualSession } from './virtual-session.ts';

const bothTypes = 'application/json, text/event-stream';

const messageOf = ({ httpMethod, method, name, id = null }: MemberMessage, era: Call['era']): Call['message'] => (httpMethod === 'POST' ? { era, method, name, id } : undefined);

const listens = ({ httpMethod, method }: MemberMessage): boolean => httpMethod === 'GET' || method === listenMethod;

/** A message to a member, as a call of its own through the second half of the pipeline. */
export class MemberLine {
  readonly #gateway: Gateway;
  readonly #admitted: AdmittedCall;
  readonly #clientOf: () => LegacyClient;
  readonly #session: VirtualSession | undefined;
  readonly #departures: Departures;

  constructor(gateway: Gateway, admitted: AdmittedCall, clientOf: () => LegacyClient, session: VirtualSession | undefined, departures: Departures) {
    this.#gateway = gateway;
    this.#admitted = admitted;
    this.#clientOf = clientOf;
    this.#session = session;
    this.#departures = departures;
  }

  /** Whether it has limits: most have none. */
  isLimited({ server }: Member): boolean {
    return this.#gateway.callLimits.limiter.limitsOf(server.limits) !== undefined;
  }

  /**
   * What is said to a member for one request of the caller's, as one call within the limits of the member: sessions that are opened for
   * it too, and however often it is sent.
   * @param message as it is in the caller's own era
   * @throws LimitError before anything is sent, and as `work` does
   */
  within<R extends Reply>({ server }: Member, message: MemberMessage, record = new CallRecord(this.#gateway.now()), work: () => Promise<R>): Promise<R> {
    const { route, call: asked } = this.#admitted;
    const body = message.text === undefined ? undefined : Buffer.from(message.text);
    const call: Call = { ...asked, method: message.httpMethod, body, listens: listens(message), message: messageOf(message, asked.era) };
    const request = new MemberRequest(this.#departures, message.httpMethod, body);
    return request.lastFor(withinLimits(this.#gateway, { ...this.#admitted, route: { ...route, name: server.name }, server, call, request, headers: this.#headersFor(undefined, message) }, record, work));
  }

  /** @throws GatewayError as `answerCall` does */
  send(session: MemberSession | undefined, member: Member, message: MemberMessage, record = new CallRecord(this.#gateway.now())): Promise<Reply> {
    const { route } = this.#admitted;
    const { server } = member;
    const isModern = session?.era === 'modern';
    const text = isModern && this.#admitted.call.era === 'legacy' && message.text !== undefined ? withModernMeta(message.text, { protocolVersion: firstModernRevision, clientInfo: this.#clientOf().clientInfo }) : message.text;
    const body = text === undefined ? undefined : Buffer.from(text);
    const upstreamSession = session?.era === 'legacy' ? session.sessionId : undefined;
    const call: Call = {
      method: message.httpMethod,
      era: isModern ? 'modern' : 'legacy',
      body,
      listens: listens(message),
      message: messageOf(message, isModern ? 'modern' : 'legacy'),
      owner: this.#ownerOf(server),
      upstreamSession,
      connectSession: server.connects && session?.era === 'legacy' && this.#session !== undefined ? { id: this.#session.id, client: this.#clientOf(), upstream: upstreamSession ?? null } : undefined,
      connectResponse: message.isCall === true ? this.#admitted.call.connectResponse : undefined,
    };
    // That a session is over is said when its caller has left, too.
    const request = new MemberRequest(this.#departures, message.httpMethod, body, message.httpMethod !== 'DELETE');
    return request.lastFor(answerCall(this.#gateway, { ...this.#admitted, route: { ...route, name: server.name }, server, call, request, headers: this.#headersFor(session, message) }, record));
  }

  /** What the protocol says with this message; everything else of the caller's headers is the member's policy's to say. */
  #headersFor(session: MemberSession | undefined, { httpMethod, method, name, lastEventId, revision, isCall }: MemberMessage): CallerHeaders {
    const { headers, call } = this.#admitted;
    const isModern = session?.era === 'modern';
    const own = {
      accept: httpMethod === 'GET' ? 'text/event-stream' : bothTypes,
      contentType: 'application/json',
      protocolVersion: session?.era === 'legacy' ? session.protocolVersion : isModern ? (revision ?? (call.era === 'modern' ? headers.protocolVersion : firstModernRevision)) : undefined,
      sessionId: undefined,
      lastEventId,
      mcpMethod: isModern ? method : undefined,
      mcpName: isModern && name !== undefined ? nameHeaderOf(name) : undefined,
      // They mirror arguments of this very call.
      mcpParams: isModern && isCall === true ? headers.mcpParams : undefined,
    };
    return Object.assign(new CallerHeaders(), headers, own);
  }

  /** It came sealed for the caller, as from the member's own URL. */
  sessionIdOf(reply: Reply, { server }: Member): string | undefined {
    const sealed = headerOf(reply, 'mcp-session-id');
    if (sealed === undefined) return undefined;
    const { sessions } = this.#gateway.callContext;
    const owner = this.#ownerOf(server);
    return (server.connects ? openConnectSession(sessions, owner, sealed)?.upstream : sessions.open('mcp-session', owner, sealed)) ?? undefined;
  }

  #ownerOf({ workspace, id, upstream }: PreparedServer): SessionOwner {
    return { workspace, serverId: id, upstreamUrl: upstream.url, callerId: this.#admitted.caller.id };
  }
}

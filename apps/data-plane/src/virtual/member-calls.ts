import { GatewayError, toGatewayError } from '@gatehouse/errors';
import { lastLegacyRevision, type LegacyClient, type RpcId } from '@gatehouse/mcp-protocol';
import { version } from '@gatehouse/service-runtime';
import type { AdmittedCall } from '../pipeline/admitted-call.ts';
import type { CallRecord } from '../pipeline/call-record.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import type { Reply } from '../pipeline/request.ts';
import { MemberLine } from './member-line.ts';
import { type MemberMessage, toListen, toSubscribe } from './member-message.ts';
import { CallerDepartures, type Departures, MemberRequest } from './member-request.ts';
import type { Member } from './members.ts';
import { type OpenedMember, openMember } from './open-member.ts';
import { OwnId } from './own-id.ts';
import { drop, isModernError, readText } from './read-reply.ts';
import { patienceMs } from './virtual-call.ts';
import { memberSessionOf, type MemberSession, modernSession, type VirtualSession } from './virtual-session.ts';
import { whenOver } from '../pipeline/when-over.ts';

export interface MemberReply {
  readonly reply: Reply;
  readonly session: MemberSession;
  /** Of what was asked. */
  readonly id: RpcId;
}

type MessageFor = MemberMessage | ((session: MemberSession) => MemberMessage);

const nothing: Reply = { status: 200, headers: [], body: undefined };

/** Refused: the member does not know the session, or may never have heard of the modern era. Then nothing was done. */
type Sent = { readonly isRefused: false; readonly reply: Reply } | { readonly isRefused: true; readonly reply: Reply | undefined };

/** Calls members for one call of a virtual server's caller: each in its own era, in the session that there is with it. */
export class MemberCalls {
  readonly #gateway: Gateway;
  readonly #admitted: AdmittedCall;
  readonly #clientOf: () => LegacyClient;
  readonly session: VirtualSession | undefined;
  readonly #departures: Departures;
  readonly #line: MemberLine;

  /** @param clientOf read where a member is begun with */
  constructor(gateway: Gateway, admitted: AdmittedCall, clientOf: () => LegacyClient, session: VirtualSession | undefined, departures: Departures = new CallerDepartures(admitted.request)) {
    this.#gateway = gateway;
    this.#departures = departures;
    this.#admitted = admitted;
    this.#clientOf = clientOf;
    this.session = session;
    this.#line = new MemberLine(gateway, admitted, clientOf, session, departures);
  }

  /** Who the client says it is. */
  get client(): LegacyClient {
    return this.#clientOf();
  }

  /**
   * A member is waited for so long: others have answered already.
   * @throws GatewayError upstream_timeout, and as `work` does
   */
  async patiently<T>(work: (calls: MemberCalls) => Promise<T>, ms: number): Promise<T> {
    const request = new MemberRequest(this.#departures, this.#admitted.request.method, undefined);
    const calls = new MemberCalls(this.#gateway, { ...this.#admitted, request }, this.#clientOf, this.session, request);
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(new GatewayError('upstream_timeout', { detail: 'a member of a virtual server' }));
      request.leave();
    }, ms);
    try {
      return await Promise.race([work(calls), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Sends a message in the session with the member; in another one where the member has forgotten it, as then nothing was done.
   * Of a member over its limits nothing is opened for it either.
   * @param messageFor what is sent in a session of that era
   * @throws LimitError, and as the member's pipeline does
   */
  async send(member: Member, messageFor: MessageFor, record?: CallRecord): Promise<MemberReply> {
    if (!this.#line.isLimited(member)) return this.#send(member, messageFor, record);
    const asked = typeof messageFor === 'function' ? messageFor(this.#callersOwn()) : messageFor;
    const { sent, ...reply } = await this.#line.within(member, asked, record, async () => {
      const { reply: answer, ...rest } = await this.#send(member, messageFor, record);
      return { ...answer, sent: rest };
    });
    return { ...sent, reply };
  }

  async #send(member: Member, messageFor: MessageFor, record: CallRecord | undefined): Promise<MemberReply> {
    const message = (session: MemberSession): MemberMessage => (typeof messageFor === 'function' ? messageFor(session) : messageFor);
    // The most of all calls: between two of the modern era nothing has to be known or kept.
    const isModern = this.#admitted.call.era === 'modern' && this.#gateway.virtual.sessions.eraOf(member.server.id) === 'modern' && typeof messageFor !== 'function';
    if (isModern) return this.#sendModern(member, messageFor, record);
    const key = this.#keyOf(member);
    const session = await this.#sessionWith(member, key);
    const first = await this.#sendIn(session, member, message(session), record, key);
    if (!first.isRefused) return { reply: first.reply, session, id: message(session).id ?? null };
    if (key !== undefined) this.#gateway.virtual.sessions.forget(key, session);
    const another = await this.#enter(member, key);
    // It knows the modern era very well, and has refused this message.
    if (session.era === 'modern' && another.era === 'modern' && first.reply !== undefined) return { reply: first.reply, session, id: message(session).id ?? null };
    if (first.reply !== undefined) drop(first.reply);
    const second = await this.#sendIn(another, member, message(another), record, key);
    if (second.reply === undefined) throw new GatewayError('session_not_found', { detail: 'the member has forgotten a session that was opened just now' });
    return { reply: second.reply, session: another, id: message(another).id ?? null };
  }

  /**
   * Begins with a member because the caller has asked for that: a call as at the member's own URL. A legacy client says itself when it is done with it.
   * @param text the caller's own `initialize` or `server/discover`
   * @throws LimitError, and as the member's pipeline does
   */
  async open(member: Member, text: string): Promise<OpenedMember> {
    if (!this.#line.isLimited(member)) return this.#open(member, text);
    const asked: MemberMessage = { httpMethod: 'POST', method: this.#admitted.call.message?.method, text };
    const { opened } = await this.#line.within(member, asked, undefined, async () => ({ ...nothing, opened: await this.#open(member, text) }));
    return opened;
  }

  #open(member: Member, text?: string): Promise<OpenedMember> {
    const eras = this.#eras(member);
    const send = (message: MemberMessage, session: MemberSession | undefined): Promise<Reply> => this.#line.send(session, member, message);
    return openMember({ eras, client: this.client, text: eras[0] === this.#admitted.call.era ? text : undefined, maxBytes: this.#gateway.limits.filteredBytes, send, sessionIdOf: (reply) => this.#line.sessionIdOf(reply, member) });
  }

  /** What a member can do, for a client without sessions; one that is opened for it is used by its next calls. */
  async discover(member: Member, text: string): Promise<OpenedMember> {
    const opened = await this.open(member, text);
    const { session } = opened;
    if (member.server.operations !== undefined) return opened;
    this.#gateway.virtual.sessions.found(member.server.id, session);
    if (session.era === 'modern') return opened;
    const key = this.#keyOf(member);
    await this.#sayInitialized(member, session);
    if (key !== undefined) this.#gateway.virtual.sessions.set(key, session);
    else if (session.sessionId !== undefined) drop(await this.#line.send(session, member, { httpMethod: 'DELETE' }));
    return opened;
  }

  /**
   * Opens a stream on which a member says what changes there: of one without sessions, by asking for it.
   * @param message for a member of the caller's era
   */
  listen(member: Member, message: MemberMessage): Promise<MemberReply> {
    const { era } = this.#admitted.call;
    return this.send(member, (session) => (session.era === era ? message : session.era === 'legacy' ? toListen : toSubscribe));
  }

  /** Says that it is over to a member that has a session, and forgets it. */
  async end(member: Member): Promise<void> {
    const key = this.#keyOf(member);
    const opened = key === undefined ? undefined : this.#gateway.virtual.sessions.forget(key);
    const session = opened ?? (this.session && memberSessionOf(this.session, member.server));
    if (session?.era === 'legacy' && session.sessionId !== undefined) drop(await this.#line.send(session, member, { httpMethod: 'DELETE' }));
  }

  /** Whether there is a session with it, without opening one. */
  known(member: Member): MemberSession | undefined {
    const key = this.#keyOf(member);
    return (key === undefined ? undefined : this.#gateway.virtual.sessions.get(key)) ?? (this.session && memberSessionOf(this.session, member.server));
  }

  async #sendModern(member: Member, message: MemberMessage, record: CallRecord | undefined): Promise<MemberReply> {
    const reply = await this.#line.send(modernSession, member, message, record);
    // It may be another server by now: the next that is refused is asked what it is.
    if (reply.status === 400) this.#gateway.virtual.sessions.lose(member.server.id);
    return { reply, session: modernSession, id: message.id ?? null };
  }

  async #sessionWith(member: Member, key: string | undefined): Promise<MemberSession> {
    const { call } = this.#admitted;
    // There the gateway answers itself, whatever the era is.
    if (member.server.operations !== undefined) return this.#callersOwn();
    const known = this.known(member);
    if (known !== undefined) return known;
    // Most that are asked in the modern way understand it; the others say so, and it is remembered.
    if (call.era === 'modern' && member.server.upstream.transport !== 'sse' && this.#gateway.virtual.sessions.eraOf(member.server.id) !== 'legacy') return modernSession;
    return this.#enter(member, key);
  }

  /** As the caller itself speaks. */
  #callersOwn(): MemberSession {
    const { call, headers } = this.#admitted;
    return call.era === 'modern' ? modernSession : { era: 'legacy', sessionId: undefined, protocolVersion: headers.protocolVersion ?? lastLegacyRevision };
  }

  async #enter(member: Member, key: string | undefined): Promise<MemberSession> {
    const begin = async (calls: MemberCalls): Promise<MemberSession> => {
      const { session } = await calls.#open(member);
      // Before anything else of the session: what follows must not overtake it.
      if (session.era === 'legacy') await calls.#sayInitialized(member, session);
      return session;
    };
    // Other calls wait for it too.
    const open = async (): Promise<MemberSession> => {
      const session = await this.patiently(begin, patienceMs(this.#gateway));
      if (this.#admitted.call.era === 'modern') this.#gateway.virtual.sessions.found(member.server.id, session);
      return session;
    };
    return key === undefined ? open() : this.#gateway.virtual.sessions.enter(key, open);
  }

  async #sayInitialized(member: Member, session: MemberSession): Promise<void> {
    drop(await this.#line.send(session, member, { httpMethod: 'POST', method: 'notifications/initialized', text: '{"jsonrpc":"2.0","method":"notifications/initialized"}' }));
  }

  /** By whom a session is shared. Callers that nobody can tell apart share none: it lasts for one call. */
  #keyOf({ server }: Member): string | undefined {
    const { server: virtual, caller } = this.#admitted;
    if (this.session !== undefined) return `${this.session.id}\0${server.id}\0${server.fingerprint}`;
    return caller.kind === 'anonymous' ? undefined : `${virtual.id}\0${server.id}\0${server.fingerprint}\0${caller.id}`;
  }

  /** Which to try, in this order. */
  #eras({ server }: Member): readonly ('legacy' | 'modern')[] {
    if (server.upstream.transport === 'sse') return ['legacy'];
    if (server.operations !== undefined) return [this.#admitted.call.era];
    return this.#admitted.call.era === 'modern' && this.#gateway.virtual.sessions.eraOf(server.id) !== 'legacy' ? ['modern', 'legacy'] : ['legacy', 'modern'];
  }

  /** A session that lasts for one call is over with its answer. */
  #endingAfter(reply: Reply, member: Member, session: MemberSession): Reply {
    const { body } = reply;
    if (typeof body === 'object') return { ...reply, body: whenOver(body, () => this.#close(member, session)) };
    this.#close(member, session);
    return reply;
  }

  #close(member: Member, session: MemberSession): void {
    if (session.era === 'legacy' && session.sessionId !== undefined) this.#line.send(session, member, { httpMethod: 'DELETE' }).then(drop, () => undefined);
  }

  /** @param key of the session; without one it lasts for this message */
  async #sendIn(session: MemberSession, member: Member, message: MemberMessage, record: CallRecord | undefined, key: string | undefined): Promise<Sent> {
    if (key !== undefined || session.era === 'modern' || member.server.operations !== undefined) return this.#ask(session, member, message, record);
    try {
      const sent = await this.#ask(session, member, message, record);
      return sent.isRefused ? sent : { ...sent, reply: this.#endingAfter(sent.reply, member, session) };
    } catch (error) {
      this.#close(member, session);
      throw error;
    }
  }

  async #ask(session: MemberSession, member: Member, message: MemberMessage, record: CallRecord | undefined): Promise<Sent> {
    const own = this.#ownIdFor(session, member, message);
    const reply = await this.#line.send(session, member, own?.message ?? message, record).catch((error: unknown) => {
      if (toGatewayError(error).code === 'session_not_found') return undefined;
      throw own?.restoreError(error) ?? error;
    });
    if (reply === undefined) return { isRefused: true, reply };
    if (member.server.operations !== undefined) return { isRefused: false, reply };
    if (session.era === 'legacy') {
      if (reply.status === 404 && session.sessionId !== undefined) return { isRefused: true, reply };
      return { isRefused: false, reply: own === undefined ? reply : await own.restore(reply, this.#gateway.limits.filteredBytes) };
    }
    if (reply.status < 300) this.#gateway.virtual.sessions.found(member.server.id, modernSession);
    if (reply.status !== 400) return { isRefused: false, reply };
    // It is read, as it may yet be the caller's answer when another message has gone out.
    const text = await readText(reply.body, this.#gateway.limits.filteredBytes);
    const read = { ...reply, headers: ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(text))], body: text };
    return isModernError(text) ? { isRefused: false, reply: read } : { isRefused: true, reply: read };
  }

  /** The caller's own ids are for its own session, and for its own calls. */
  #ownIdFor(session: MemberSession, { server }: Member, message: MemberMessage): OwnId | undefined {
    const { text, id = null, isCall } = message;
    if (session.era === 'modern' || server.operations !== undefined || text === undefined || id === null) return undefined;
    return this.session !== undefined && isCall === true ? undefined : new OwnId({ ...message, text });
  }
}

export const unknownClient = { protocolVersion: lastLegacyRevision, capabilities: {}, clientInfo: { name: 'gatehouse', version } } satisfies LegacyClient;

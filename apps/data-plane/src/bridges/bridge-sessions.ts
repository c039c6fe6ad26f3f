import { anonymousCaller } from '@gatehouse/agent-auth';
import { rpcErrorCodes, type RpcId, type SessionOwner } from '@gatehouse/mcp-protocol';
import { MessageError } from '../pipeline/message-error.ts';
import type { BridgeSession } from './bridge-session.ts';

export interface BridgeSessionLimits {
  readonly max: number;
  /** Of one identified caller with one server. Callers without a name are many: with one server, they share a half of `max`. */
  readonly maxPerOwner: number;
  /** Unused for longer, a session is closed: the id its caller has is no longer good either. */
  readonly idleMs: number;
}

const sweepMs = 10_000;

/** The sessions that this process holds. Each is a connection to an upstream, so there is a bound to them. */
export class BridgeSessions {
  readonly #limits: BridgeSessionLimits;
  readonly #isServed: (session: BridgeSession) => boolean;
  /** The one unused for longest comes first, here and in each set below. */
  readonly #lastUses = new Map<BridgeSession, number>();
  readonly #byId = new Map<string, BridgeSession>();
  readonly #byOwner = new Map<string, Set<BridgeSession>>();
  readonly #closing = new Set<Promise<void>>();
  #sweep: NodeJS.Timeout | undefined;

  /** @param isServed whether the configuration of this moment still has a place for a session */
  constructor(limits: BridgeSessionLimits, isServed: (session: BridgeSession) => boolean) {
    this.#limits = limits;
    this.#isServed = isServed;
  }

  get size(): number {
    return this.#byId.size;
  }

  /**
   * Takes a session in. Where its owner, or everyone together, has as many as there may be, the one that waited longest for
   * another request gives way: most clients never say that they are done. Its caller would find it gone and initialize again.
   * @throws MessageError when all of them are in use
   */
  add(session: BridgeSession, requestId: RpcId, now = Date.now()): void {
    const ownerKey = ownerKeyOf(session.owner);
    const own = this.#byOwner.get(ownerKey) ?? new Set();
    const isAnonymous = session.owner.callerId === anonymousCaller.id;
    if (isAnonymous && own.size >= Math.ceil(this.#limits.max / 2)) this.#makeRoom(own, requestId, 'Callers without a name have too many sessions with this server in use.');
    if (!isAnonymous && own.size >= this.#limits.maxPerOwner) this.#makeRoom(own, requestId, 'This caller has too many sessions with this server in use.');
    if (this.#byId.size >= this.#limits.max) this.#makeRoom(this.#lastUses.keys(), requestId, 'This data plane has too many sessions in use.');
    this.#byId.set(session.id, session);
    this.#byOwner.set(ownerKey, own.add(session));
    this.#lastUses.set(session, now);
    this.#sweep ??= setInterval(() => this.sweep(), sweepMs).unref();
  }

  /** The owner's session of that id and kind, which is used now. */
  find<S extends BridgeSession>(kind: abstract new (...parts: never[]) => S, id: string, owner: SessionOwner, now = Date.now()): S | undefined {
    const session = this.#byId.get(id);
    const ownerKey = ownerKeyOf(owner);
    if (!(session instanceof kind) || ownerKeyOf(session.owner) !== ownerKey) return undefined;
    this.#lastUses.delete(session);
    this.#lastUses.set(session, now);
    const own = this.#byOwner.get(ownerKey);
    own?.delete(session);
    own?.add(session);
    return session;
  }

  /** Closes a session and forgets it. May be called again. */
  close(session: BridgeSession): void {
    this.#byId.delete(session.id);
    this.#lastUses.delete(session);
    const ownerKey = ownerKeyOf(session.owner);
    const own = this.#byOwner.get(ownerKey);
    own?.delete(session);
    if (own?.size === 0) this.#byOwner.delete(ownerKey);
    const closing = session.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /**
   * Closes what was not used for too long, and what is no longer served: requests to a server that is gone, or of a caller that
   * may not come any more, are refused by the pipeline, but a stream that is open already makes none.
   */
  sweep(now = Date.now()): void {
    for (const [session, lastUse] of this.#lastUses) {
      if (now - lastUse >= this.#limits.idleMs || !this.#isServed(session)) this.close(session);
    }
  }

  /** Closes all and waits until their upstreams have been told. */
  async closeAll(): Promise<void> {
    clearInterval(this.#sweep);
    for (const session of [...this.#byId.values()]) this.close(session);
    await Promise.all(this.#closing);
  }

  #makeRoom(sessions: Iterable<BridgeSession>, requestId: RpcId, problem: string): void {
    for (const session of sessions) {
      if (!session.isBusy) return this.close(session);
    }
    throw new MessageError('too_many_sessions', rpcErrorCodes.gatewayError, requestId, problem);
  }
}

const ownerKeyOf = ({ workspace, serverId, upstreamUrl, callerId }: SessionOwner): string => [workspace, serverId, upstreamUrl, callerId].join('\0');

import { BoundedCache, CacheBudget } from '@gatehouse/bounded-cache';
import type { ConnectError } from '@gatehouse/access-tokens';
import { connectNotifications, EventBoundary, formatEvent } from '@gatehouse/mcp-protocol';
import type { Caller } from '@gatehouse/agent-auth';
import { Backlog, MessageStream } from '../../bridges/message-stream.ts';
import { mapBody } from '../map-body.ts';
import type { BodySink, StreamedBody } from '../request.ts';
import { WaitingCall } from './waiting-call.ts';

/** Somebody has connected an account. */
export interface ConnectedEvent {
  /** The app, or the server that was discovered. */
  readonly owner: string;
  readonly linkId: string;
  /** Absent for a shared connection. */
  readonly person?: string | undefined;
}

/** Whoever may hear of it, by what their link was for. */
interface Waiting {
  readonly server: string;
  readonly caller: string;
  /** What they may be connecting, as far as it is known. */
  readonly owners: readonly string[] | undefined;
  readonly wake: (linkId: string) => void;
}

const maxLinks = 50_000;
/** Two short events: a stream that nobody reads holds no more. */
const maxStreamBytes = 65_536;
/** Streams that hear of it. */
const maxStreams = 20_000;
/** Each is a request that is open, and asks for its token again and again. */
const maxCalls = 2_000;
const maxCallsOfCaller = 16;

/**
 * Who waits for an account to be connected: streams that only listen, and calls that go on afterwards. An event says that it is;
 * it may be lost, so that nothing depends on it alone.
 */
export class PendingConnections {
  readonly #streams = new Set<Waiting>();
  /** By caller and server, then by what each has brought back: sent twice, only the second waits. */
  readonly #calls = new Map<string, Map<string, Waiting & { readonly call: WaitingCall }>>();
  #callCount = 0;
  /** Whom a link was given to, by its id: the callers of other systems have no person's id. */
  readonly #links = new BoundedCache<string>(maxLinks, new CacheBudget(maxLinks));

  get size(): number {
    return this.#streams.size + this.#callCount;
  }

  /** Remembers whom a link was given to. */
  issued({ linkId }: ConnectError, server: string, { id }: Caller): void {
    this.#links.set(linkId, keyOf(server, id));
  }

  /** A stream that says when an account was connected, and then ends: the next one can be the upstream's own. */
  open({ owner }: ConnectError, server: string, { id: caller }: Caller): StreamedBody {
    const stream: MessageStream = new MessageStream(new Backlog(maxStreamBytes, () => undefined), () => void this.#streams.delete(waiting));
    const waiting: Waiting = {
      server,
      caller,
      owners: ownersOf(owner),
      wake: (linkId) => {
        this.#streams.delete(waiting);
        stream.push(eventsOf(linkId));
        stream.end();
      },
    };
    // Beyond this many, a stream is only one that hears nothing.
    if (this.#streams.size < maxStreams) this.#streams.add(waiting);
    return stream;
  }

  /**
   * The upstream's own stream, on which the same is said between two of its events, and which goes on.
   * @param owners what its caller is connected with
   */
  watch(owners: readonly string[], server: string, { id: caller }: Caller, body: StreamedBody): StreamedBody {
    return mapBody(body, (sink) => {
      const told = new ToldBetweenEvents(sink);
      const waiting: Waiting = { server, caller, owners, wake: (linkId) => told.tell(eventsOf(linkId)) };
      if (this.#streams.size < maxStreams) this.#streams.add(waiting);
      return { write: (chunk) => told.write(chunk), over: () => void this.#streams.delete(waiting) };
    });
  }

  /**
   * A call that waits, until it leaves; one that brings back the same as another that waits takes its place.
   * @param state what its client has brought back
   * @returns `undefined` where too many wait already
   */
  enter(error: ConnectError, server: string, caller: Caller, state: string): WaitingCall | undefined {
    const key = keyOf(server, caller.id);
    this.#calls.get(key)?.get(state)?.call.leave();
    const ofCaller = this.#calls.get(key) ?? new Map<string, Waiting & { readonly call: WaitingCall }>();
    if (this.#callCount >= maxCalls || ofCaller.size >= maxCallsOfCaller) return undefined;
    const call = new WaitingCall(() => this.#remove(key, state));
    this.#calls.set(key, ofCaller.set(state, { server, caller: caller.id, owners: ownersOf(error.owner), wake: () => call.wake(), call }));
    this.#callCount += 1;
    this.issued(error, server, caller);
    return call;
  }

  /** Called once for each account that was connected anywhere. */
  connected({ linkId, owner, person }: ConnectedEvent): void {
    const link = this.#links.get(linkId);
    const personId = person === undefined ? undefined : `person:${person}`;
    const calls = [...this.#calls.values()].flatMap((ofCaller) => [...ofCaller.values()]);
    for (const { server, caller, owners, wake } of [...this.#streams, ...calls]) {
      // One person may be about to connect several.
      const isTheirs = caller === personId && (owners?.includes(owner) ?? true);
      if (isTheirs || keyOf(server, caller) === link) wake(linkId);
    }
    this.#links.delete(linkId);
  }

  #remove(key: string, state: string): void {
    const ofCaller = this.#calls.get(key);
    ofCaller?.delete(state);
    if (ofCaller?.size === 0) this.#calls.delete(key);
    this.#callCount -= 1;
  }
}

/** Passes a stream's bytes on, and puts something of ours where one event ends and the next has not begun. */
class ToldBetweenEvents {
  readonly #sink: BodySink;
  readonly #boundary = new EventBoundary();
  #waiting: Buffer[] = [];

  constructor(sink: BodySink) {
    this.#sink = sink;
  }

  write(chunk: Buffer): boolean {
    this.#boundary.push(chunk);
    const wantsMore = this.#sink.write(chunk);
    return this.#flush() && wantsMore;
  }

  tell(events: Buffer): void {
    this.#waiting.push(events);
    this.#flush();
  }

  #flush(): boolean {
    if (!this.#boundary.atBoundary) return true;
    const waiting = this.#waiting;
    this.#waiting = [];
    // All of them, also where no more is wanted for now: they are small.
    return waiting.map((events) => this.#sink.write(events)).every(Boolean);
  }
}

const eventsOf = (linkId: string): Buffer => Buffer.concat(connectNotifications(linkId).map((message) => formatEvent('message', message)));
const ownersOf = (owner: string | undefined): readonly string[] | undefined => (owner === undefined ? undefined : [owner]);
const keyOf = (server: string, caller: string): string => `${server} ${caller}`;

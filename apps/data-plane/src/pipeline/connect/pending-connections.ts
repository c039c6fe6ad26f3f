import { BoundedCache, CacheBudget } from '@gatehouse/bounded-cache';
import { connectNotifications, EventBoundary, formatEvent } from '@gatehouse/mcp-protocol';
import type { Caller } from '@gatehouse/agent-auth';
import { Backlog, MessageStream } from '../../bridges/message-stream.ts';
import { mapBody } from '../map-body.ts';
import type { BodySink, StreamedBody } from '../request.ts';

/** Somebody has connected an account. */
export interface ConnectedEvent {
  readonly linkId: string;
  /** Absent for a shared connection. */
  readonly person?: string | undefined;
}

interface Waiting {
  readonly server: string;
  readonly caller: string;
  readonly wake: (linkId: string) => void;
}

const maxLinks = 50_000;
/** Two short events: a stream that nobody reads holds no more. */
const maxStreamBytes = 65_536;
/** Ends of streams and of waiting may be this many. */
const maxWaiting = 20_000;

/**
 * Who waits for an account to be connected: streams that only listen, and calls that go on afterwards. An event says that it is;
 * it may be lost, so that nothing depends on it alone.
 */
export class PendingConnections {
  readonly #waiting = new Set<Waiting>();
  /** Whom a link was given to, by its id: the callers of other systems have no person's id. */
  readonly #links = new BoundedCache<string>(maxLinks, new CacheBudget(maxLinks));

  get size(): number {
    return this.#waiting.size;
  }

  /** Remembers whom a link was given to. */
  issued(linkId: string, server: string, { id }: Caller): void {
    this.#links.set(linkId, keyOf(server, id));
  }

  /** A stream that says when an account was connected, and then ends: the next one can be the upstream's own. */
  open(server: string, { id: caller }: Caller): StreamedBody {
    const stream: MessageStream = new MessageStream(new Backlog(maxStreamBytes, () => undefined), () => void this.#waiting.delete(waiting));
    const waiting: Waiting = {
      server,
      caller,
      wake: (linkId) => {
        this.#waiting.delete(waiting);
        stream.push(eventsOf(linkId));
        stream.end();
      },
    };
    // Beyond this many, a stream is only one that hears nothing.
    if (this.#waiting.size < maxWaiting) this.#waiting.add(waiting);
    return stream;
  }

  /** The upstream's own stream, on which the same is said between two of its events, and which goes on. */
  watch(server: string, { id: caller }: Caller, body: StreamedBody): StreamedBody {
    return mapBody(body, (sink) => {
      const told = new ToldBetweenEvents(sink);
      const waiting: Waiting = { server, caller, wake: (linkId) => told.tell(eventsOf(linkId)) };
      if (this.#waiting.size < maxWaiting) this.#waiting.add(waiting);
      return { write: (chunk) => told.write(chunk), over: () => void this.#waiting.delete(waiting) };
    });
  }

  /** Resolves when the caller has connected an account, or the time is over, or the caller has left. */
  wait(server: string, { id: caller }: Caller, timeoutMs: number, onDisconnect: (listener: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.size >= maxWaiting) return resolve();
      const over = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        resolve();
      };
      const timer = setTimeout(over, timeoutMs).unref();
      const waiting: Waiting = { server, caller, wake: over };
      this.#waiting.add(waiting);
      onDisconnect(over);
    });
  }

  /** Called once for each account that was connected anywhere. */
  connected({ linkId, person }: ConnectedEvent): void {
    const link = this.#links.get(linkId);
    const personId = person === undefined ? undefined : `person:${person}`;
    for (const { server, caller, wake } of [...this.#waiting]) {
      if (caller === personId || keyOf(server, caller) === link) wake(linkId);
    }
    this.#links.delete(linkId);
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
const keyOf = (server: string, caller: string): string => `${server} ${caller}`;

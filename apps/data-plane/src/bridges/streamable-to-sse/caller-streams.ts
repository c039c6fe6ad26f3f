import type { GatewayError } from '@gatehouse/errors';
import { formatEvent, readEnvelopes, type RpcId } from '@gatehouse/mcp-protocol';
import type { DescribeFailure } from '../bridge-context.ts';
import { Backlog, MessageStream } from '../message-stream.ts';
import { PendingPosts, type RequestEnvelope } from './pending-posts.ts';

/**
 * The streams on which the caller of one session listens, and which of them a message of the upstream goes to: answers and
 * progress to the POST that asked, everything else to the stream of a GET, or where there is none to the POST that waits longest
 * (MCP 2025-11-25, transports: each message on one stream only).
 */
export class CallerStreams {
  readonly #backlog: Backlog;
  readonly #posts: PendingPosts;
  /** The newest last: a caller whose line broke comes again before the old stream is found to be dead. */
  readonly #listeners = new Set<MessageStream>();
  /** Messages for which there was no stream yet. */
  #unclaimed: Buffer[] = [];

  constructor(describe: DescribeFailure, maxWaitingBytes: number, onRoom: () => void) {
    this.#posts = new PendingPosts(describe);
    this.#backlog = new Backlog(maxWaitingBytes, onRoom);
  }

  get isBusy(): boolean {
    return this.#posts.size > 0 || this.#listeners.size > 0;
  }

  /** False while too much waits for the caller. */
  get wantsMore(): boolean {
    return !this.#backlog.isFull;
  }

  /** @throws MessageError for ids that are waited for already */
  openPost(requests: readonly RequestEnvelope[], timeoutMs: number): MessageStream {
    // A caller that goes away does not cancel what it asked (MCP 2025-11-25): the id stays taken until the answer is there.
    const stream = new MessageStream(this.#backlog, () => undefined);
    this.#posts.add(requests, stream, timeoutMs);
    if (this.#listeners.size === 0) this.#claim(stream);
    return stream;
  }

  openListener(): MessageStream {
    const stream = new MessageStream(this.#backlog, () => this.#listeners.delete(stream));
    this.#listeners.add(stream);
    this.#claim(stream);
    return stream;
  }

  forget(ids: readonly RpcId[]): void {
    for (const id of ids) this.#posts.forget(id);
  }

  /** An answer that nobody waits for any more (it was cancelled, or took too long) concerns nobody. */
  deliver(text: string): void {
    const envelopes = readEnvelopes(text);
    if (envelopes === undefined) return;
    this.#posts.refresh();
    const event = formatEvent('message', text);
    const answered = envelopes.flatMap((envelope) => (envelope.kind === 'response' ? [envelope.id] : []));
    if (answered.length > 0) return this.#posts.answer(answered, event);
    // Progress that comes on another stream than the answer may come too late.
    const progress = envelopes.find((envelope) => envelope.kind === 'notification' && envelope.progressToken !== null);
    const about = progress?.kind === 'notification' ? this.#posts.streamOf(progress.progressToken) : undefined;
    const stream = about ?? [...this.#listeners].at(-1) ?? this.#posts.oldestStream;
    if (stream !== undefined) stream.push(event);
    else this.#keep(event);
  }

  /** The upstream is gone: what was asked fails, and every stream ends. */
  fail(error: GatewayError): void {
    this.#posts.failAll(error);
    for (const stream of this.#listeners) stream.end();
    this.#listeners.clear();
  }

  #keep(event: Buffer): void {
    this.#unclaimed.push(event);
    this.#backlog.add(event.length);
  }

  #claim(stream: MessageStream): void {
    const unclaimed = this.#unclaimed;
    this.#unclaimed = [];
    for (const event of unclaimed) stream.push(event);
    // Only now: room in the backlog may bring the next messages at once.
    this.#backlog.remove(unclaimed.reduce((bytes, event) => bytes + event.length, 0));
  }
}

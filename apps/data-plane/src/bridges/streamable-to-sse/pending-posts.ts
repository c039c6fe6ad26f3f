import { GatewayError } from '@gatehouse/errors';
import { formatEvent, type RpcEnvelope, rpcErrorCodes, type RpcId } from '@gatehouse/mcp-protocol';
import { MessageError } from '../../pipeline/message-error.ts';
import type { DescribeFailure } from '../bridge-context.ts';
import type { MessageStream } from '../message-stream.ts';

export type RequestEnvelope = Extract<RpcEnvelope, { kind: 'request' }>;

interface Post {
  readonly stream: MessageStream;
  /** What has not been answered yet; several for a batch. */
  readonly ids: Set<RpcId>;
  readonly progressTokens: ReadonlySet<RpcId>;
  readonly timer: NodeJS.Timeout;
}

/** The POSTs that wait for an answer. Answers come on one stream for all of them and are told apart by id. */
export class PendingPosts {
  readonly #describe: DescribeFailure;
  /** The oldest first. */
  readonly #posts = new Set<Post>();
  // A number and a string that look alike are two ids (JSON-RPC 2.0 section 4), and so they are two keys of a map.
  readonly #byId = new Map<RpcId, Post>();

  constructor(describe: DescribeFailure) {
    this.#describe = describe;
  }

  get size(): number {
    return this.#posts.size;
  }

  /** The stream of the POST whose progress it is. */
  streamOf(progressToken: RpcId): MessageStream | undefined {
    for (const { stream, progressTokens } of this.#posts) if (stream.isOpen && progressTokens.has(progressToken)) return stream;
    return undefined;
  }

  /** The stream of the oldest POST whose caller is still there. */
  get oldestStream(): MessageStream | undefined {
    for (const { stream } of this.#posts) if (stream.isOpen) return stream;
    return undefined;
  }

  /**
   * Waits for the answers to these requests, as long as the upstream says something in time.
   * @throws MessageError for an id that is being waited for already: its answer could not be told from the other's
   */
  add(requests: readonly RequestEnvelope[], stream: MessageStream, timeoutMs: number): void {
    const ids = requests.map(({ id }) => id);
    const wanted = new Set<RpcId>(ids);
    const duplicate = ids.find((id) => this.#byId.has(id)) ?? (wanted.size < ids.length ? ids[0] : undefined);
    if (duplicate !== undefined) {
      throw new MessageError('invalid_request', rpcErrorCodes.invalidRequest, duplicate, 'A request with this id is waiting for its answer already.');
    }
    const progressTokens = new Set(requests.map(({ progressToken }) => progressToken).filter((token) => token !== null));
    const timer = setTimeout(() => this.#fail(post, new GatewayError('upstream_timeout')), timeoutMs).unref();
    const post: Post = { stream, ids: wanted, progressTokens, timer };
    this.#posts.add(post);
    for (const id of wanted) this.#byId.set(id, post);
  }

  answer(ids: readonly RpcId[], event: Buffer): void {
    const post = ids.map((id) => this.#byId.get(id)).find((candidate) => candidate !== undefined);
    post?.stream.push(event);
    for (const id of ids) this.forget(id);
  }

  /** Nobody waits for this one any more; a POST that has nothing else to wait for ends. */
  forget(id: RpcId): void {
    const post = this.#byId.get(id);
    if (post === undefined) return;
    this.#byId.delete(id);
    post.ids.delete(id);
    if (post.ids.size === 0) this.#end(post);
  }

  /** The upstream is alive: its time begins anew. */
  refresh(): void {
    for (const { timer } of this.#posts) timer.refresh();
  }

  failAll(error: GatewayError): void {
    for (const post of [...this.#posts]) this.#fail(post, error);
  }

  #fail(post: Post, error: GatewayError): void {
    for (const id of post.ids) post.stream.push(formatEvent('message', this.#describe(error, id)));
    this.#end(post);
  }

  #end(post: Post): void {
    clearTimeout(post.timer);
    this.#posts.delete(post);
    for (const id of post.ids) this.#byId.delete(id);
    post.stream.end();
  }
}

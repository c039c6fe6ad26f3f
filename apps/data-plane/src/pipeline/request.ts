import type { SigningCredential } from '@gatehouse/app-auth';
import type { GatewayError } from '@gatehouse/errors';
import type { Admission } from './admission.ts';
import type { AnswerStream } from './answer-stream.ts';

/*
 * What crosses between the transports and the pipeline: plain data, no HTTP library. Headers are flat lists as they were on
 * the wire: name, value, name, value, …
 */

/** A request as it came in. */
export interface IncomingRequest {
  readonly method: string;
  /** Request target: path and query. */
  readonly target: string;
  readonly headers: readonly string[];
  /** @throws GatewayError body_too_large, caller_disconnected */
  readBody(limitBytes: number): Promise<Buffer>;
  /** Whether another data plane has passed it on, within the limits of its server. */
  readonly wasCounted?: boolean;
  /** In the place of `readBody`, where a body may be passed on as it comes; absent where it has come as a whole. */
  readonly upload?: Upload;
  /** Calls back once, when the caller goes away before it has its whole answer; at once where it is gone already. */
  onDisconnect(listener: () => void): void;
}

/** A body that nobody has read yet. */
export interface Upload {
  /** 0 = there is none, `undefined` = not said before it has come. */
  readonly announcedBytes: number | undefined;
  /** The body as it comes; one that goes on beyond `maxBytes` fails with body_too_large. */
  stream(maxBytes: number): UploadStream;
}

/** A request as it goes to an upstream. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Another path with the query credentials of this one, each exactly once; absent where there are none. */
  readonly withCredentials?: ((path: string) => string) | undefined;
  readonly headers: string[];
  /** What signs it, each time that it is sent, when nothing of it changes any more; absent where nothing does. */
  readonly signatures?: readonly SigningCredential[] | undefined;
  readonly body: Buffer | UploadStream | undefined;
  /** Whether it waits for what may happen some day. */
  readonly listens: boolean;
  readonly responseTimeoutMs: number;
  /** 0 = unbounded */
  readonly idleTimeoutMs: number;
}

/** Takes the pieces of a body. `write` answers false when it wants no more for now; `resume` of the body goes on. */
export interface BodySink {
  write(chunk: Buffer): boolean;
  end(): void;
  fail(error: GatewayError): void;
}

/** A body that arrives in pieces, or has arrived whole. */
export interface StreamedBody {
  pipe(sink: BodySink): void;
  resume(): void;
  /** Ends the exchange with the upstream; nothing more arrives. */
  abort(): void;
}

/** A request's body on its way through: what was read of it is not there a second time. */
export interface UploadStream extends StreamedBody {
  readonly announcedBytes: number | undefined;
  /** Whether somebody has begun to read it. */
  readonly isTaken: boolean;
}

export interface UpstreamResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: StreamedBody;
}

export interface Reply {
  readonly status: number;
  readonly headers: string[];
  readonly body: string | StreamedBody | undefined;
  /** Whether the body is a stream of server-sent events. */
  readonly isEventStream?: boolean;
  /** Whose stream it is: once what let its caller in is withdrawn, the stream ends. */
  readonly admission?: Admission;
  /** Whether its body says what happens, for as long as its caller listens: no call is under way. */
  readonly onlyListens?: boolean;
  /** Where the body is the stream of a session, on which answers come to what was posted elsewhere. */
  readonly answers?: AnswerStream;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Admission } from '../pipeline/admission.ts';
import type { IncomingRequest, Reply } from '../pipeline/request.ts';
import { answerClientError, refuseTunnel } from './answer-client-error.ts';
import { Deadlines } from './deadlines.ts';
import { NodeRequest } from './node-request.ts';
import { OpenStreams } from './open-streams.ts';
import { writeReply } from './write-reply.ts';

export interface HttpServerOptions {
  readonly maxHeaderBytes: number;
  /** How long a caller may leave an answer unread. */
  readonly stalledTimeoutMs: number;
  /** How long a caller may take for a body, or between two pieces of one that is passed on as it comes; a minute when absent. */
  readonly bodyTimeoutMs?: number;
  handle(request: IncomingRequest): Promise<Reply>;
  /** Told of each request before anything else. */
  observe?(message: IncomingMessage, response: ServerResponse): void;
  /** Whether answers should end their connection, because the process is going. */
  isDraining(): boolean;
  /** Whether a caller that was let in still is. */
  isAdmitted(admission: Admission): boolean;
}

export interface HttpServer {
  readonly server: Server;
  readonly streams: OpenStreams;
}

/** The callers' side of the pipeline on `node:http`: no framework, no per-request wiring. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const streams = new OpenStreams((admission) => options.isAdmitted(admission));
  // Where an answer has begun, the parser's complaint about the next request must not be written into it.
  const answering = new AnswersBegun();
  const server = createServer({
    // Node answers 431 beyond this; the pipeline's own limits are below it.
    maxHeaderSize: options.maxHeaderBytes + 8_192,
    insecureHTTPParser: false,
    keepAliveTimeout: 65_000,
    headersTimeout: 20_000,
    // A body may be long in coming as long as it does: `NodeRequest` bounds it.
    requestTimeout: 0,
    noDelay: true,
  });
  // Node drops headers beyond this without a word; the pipeline counts them and says so.
  server.maxHeadersCount = 0;
  const requests = { deadlines: new Deadlines(), bodyTimeoutMs: options.bodyTimeoutMs ?? 60_000 };
  const answer = (message: IncomingMessage, response: ServerResponse, waitsToContinue: boolean): void => {
    // A response that cannot be written is over by its 'close'; nobody is left to tell.
    response.on('error', () => undefined);
    options.observe?.(message, response);
    const request = new NodeRequest(message, response, requests, waitsToContinue);
    options
      .handle(request)
      .then((reply) => {
        if (options.isDraining()) reply.headers.push('connection', 'close');
        answering.add(message.socket, response);
        writeReply(request, response, reply, options.stalledTimeoutMs);
        streams.add(response, reply, options.isDraining());
      })
      // Whatever goes wrong with one answer is its own end, never the process's.
      .catch(() => response.destroy());
  };
  server.on('request', (message: IncomingMessage, response: ServerResponse) => answer(message, response, false));
  // Nobody is told to send a body that will not be read.
  server.on('checkContinue', (message: IncomingMessage, response: ServerResponse) => answer(message, response, true));
  server.on('connect', refuseTunnel);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => answerClientError(error, socket, answering.has(socket)));
  return { server, streams };
}

/** Answers that have begun and are not over, by connection: a pipelining caller may have several. */
class AnswersBegun {
  readonly #counts = new WeakMap<Duplex, number>();

  has(socket: Duplex): boolean {
    return (this.#counts.get(socket) ?? 0) > 0;
  }

  add(socket: Duplex, response: ServerResponse): void {
    this.#counts.set(socket, (this.#counts.get(socket) ?? 0) + 1);
    response.on('close', () => this.#counts.set(socket, (this.#counts.get(socket) ?? 1) - 1));
  }
}

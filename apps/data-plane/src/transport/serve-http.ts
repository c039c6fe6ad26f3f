import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { IncomingRequest, Reply, StreamedBody } from '../pipeline/request.ts';
import { answerClientError } from './answer-client-error.ts';
import { NodeRequest } from './node-request.ts';
import { writeReply } from './write-reply.ts';

export interface HttpServerOptions {
  readonly maxHeaderBytes: number;
  /** How long a caller may leave an answer unread. */
  readonly stalledTimeoutMs: number;
  handle(request: IncomingRequest): Promise<Reply>;
  /** Whether answers should end their connection, because the process is going. */
  isDraining(): boolean;
}

export interface HttpServer {
  readonly server: Server;
  /** Ends, in order, every stream that only listens: those would outlive any drain. */
  endListeningStreams(): void;
}

/** The callers' side of the pipeline on `node:http`: no framework, no per-request wiring. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const listening = new Set<() => void>();
  // Where an answer has begun, the parser's complaint about the next request must not be written into it.
  const answering = new AnswersBegun();
  const server = createServer({
    // Node answers 431 beyond this; the pipeline's own limits are below it.
    maxHeaderSize: options.maxHeaderBytes + 8_192,
    insecureHTTPParser: false,
    keepAliveTimeout: 65_000,
    headersTimeout: 20_000,
    requestTimeout: 60_000,
    noDelay: true,
  });
  // Node drops headers beyond this without a word; the pipeline counts them and says so.
  server.maxHeadersCount = 0;
  server.on('request', (message: IncomingMessage, response: ServerResponse) => {
    // A response that cannot be written is over by its 'close'; nobody is left to tell.
    response.on('error', () => undefined);
    options
      .handle(new NodeRequest(message, response))
      .then((reply) => {
        if (options.isDraining()) reply.headers.push('connection', 'close');
        answering.add(message.socket, response);
        writeReply(message, response, reply, options.stalledTimeoutMs);
        if ((message.method === 'GET' || reply.onlyListens) && typeof reply.body === 'object') trackListening(listening, response, reply.body, options.isDraining());
      })
      // Whatever goes wrong with one answer is its own end, never the process's.
      .catch(() => response.destroy());
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => answerClientError(error, socket, answering.has(socket)));
  return {
    server,
    endListeningStreams: () => {
      for (const end of listening) end();
    },
  };
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

function trackListening(listening: Set<() => void>, response: ServerResponse, body: StreamedBody, isDraining: boolean): void {
  const end = (): void => {
    // In this order: what is aborted first would break the answer off.
    response.end();
    body.abort();
  };
  if (isDraining) return end();
  listening.add(end);
  response.on('close', () => listening.delete(end));
}

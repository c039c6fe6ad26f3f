import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { GatewayError } from '@gatehouse/errors';
import type { BodySink, IncomingRequest, Reply, StreamedBody } from '../pipeline/request.ts';

export interface HttpServerOptions {
  readonly maxHeaderBytes: number;
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
    void options.handle(new NodeRequest(message, response)).then((reply) => {
      if (options.isDraining()) reply.headers.push('connection', 'close');
      writeReply(message, response, reply);
      if (message.method === 'GET' && typeof reply.body === 'object') trackListening(listening, response, reply.body);
    });
  });
  server.on('clientError', answerClientError);
  return {
    server,
    endListeningStreams: () => {
      for (const end of listening) end();
    },
  };
}

class NodeRequest implements IncomingRequest {
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(message: IncomingMessage, response: ServerResponse) {
    this.#message = message;
    this.#response = response;
  }

  get method(): string {
    return this.#message.method ?? '';
  }

  get target(): string {
    return this.#message.url ?? '';
  }

  get headers(): readonly string[] {
    return this.#message.rawHeaders;
  }

  readBody(limitBytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const message = this.#message;
      const chunks: Buffer[] = [];
      let bytes = 0;
      let ended = false;
      message.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= limitBytes) chunks.push(chunk);
        else {
          message.pause();
          chunks.length = 0;
          reject(new GatewayError('body_too_large'));
        }
      });
      message.on('end', () => {
        ended = true;
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
      });
      // 'close' follows 'end' too: an error and its stack are made only where the request broke off.
      const onGone = (): void => void (ended || reject(new GatewayError('caller_disconnected')));
      message.on('error', onGone);
      message.on('close', onGone);
    });
  }

  onDisconnect(listener: () => void): void {
    const response = this.#response;
    response.on('close', () => {
      if (!response.writableFinished) listener();
    });
  }
}

function writeReply(message: IncomingMessage, response: ServerResponse, { status, headers, body }: Reply): void {
  if (response.destroyed) {
    if (typeof body === 'object') body.abort();
    return;
  }
  response.writeHead(status, headers);
  if (typeof body === 'object') pipeBody(body, response);
  else response.end(body);
  // What was not read of the request would be taken for the next one; a short rest is read away, a long one ends the connection.
  if (!message.complete) message.resume();
}

function trackListening(listening: Set<() => void>, response: ServerResponse, body: StreamedBody): void {
  const end = (): void => {
    response.end();
    body.abort();
  };
  listening.add(end);
  response.on('close', () => listening.delete(end));
}

function pipeBody(body: StreamedBody, response: ServerResponse): void {
  response.on('drain', () => body.resume());
  // The first piece waits until `pipe` returns: an answer that is here as a whole then leaves in one write, head and all.
  let first: Buffer | undefined;
  let isPiping = true;
  const sink: BodySink = {
    write: (chunk) => {
      if (isPiping && first === undefined) {
        first = chunk;
        return true;
      }
      writeFirst();
      return response.write(chunk);
    },
    end: () => {
      response.end(first);
      first = undefined;
    },
    // The head is out: all that can still be said is that the answer is not whole.
    fail: () => void (response.writableEnded || response.destroy()),
  };
  const writeFirst = (): void => {
    if (first !== undefined) response.write(first);
    first = undefined;
  };
  body.pipe(sink);
  isPiping = false;
  if (response.writableEnded) return;
  // A stream's head goes out now, its first event may be long in coming.
  if (first === undefined) response.flushHeaders();
  else writeFirst();
}

/** What the parser refuses never becomes a request; it is answered here, and the connection ends. */
function answerClientError(error: NodeJS.ErrnoException, socket: import('node:stream').Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const failure = new GatewayError(error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'invalid_request');
  const body = JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32600, message: failure.publicMessage, data: { code: failure.code } } });
  const reason = failure.status === 431 ? 'Request Header Fields Too Large' : 'Bad Request';
  socket.end(`HTTP/1.1 ${failure.status} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

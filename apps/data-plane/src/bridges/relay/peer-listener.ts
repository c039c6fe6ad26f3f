import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { drainServer } from '@gatehouse/service-runtime';
import type { IncomingRequest, Reply } from '../../pipeline/request.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../transport/serve-http.ts';
import { isRelay } from './answer-relay.ts';

export interface PeerListenerOptions extends HttpServerOptions {
  readonly host: string;
  /** 0 = a free one */
  readonly port: number;
}

/** Where other data planes find one of several workers: behind the public port that these share, any of them may answer. */
export class PeerListener {
  readonly #options: PeerListenerOptions;
  readonly #http: HttpServer;

  /** @param options `handle` gets what data planes pass on, and nothing else */
  constructor(options: PeerListenerOptions) {
    this.#options = options;
    this.#http = createHttpServer({ ...options, handle: (request) => (isRelay(request) ? options.handle(request) : refuse(request)) });
  }

  /** Resolves with the port. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    // Else the primary process would hold this port too, for all workers.
    this.#http.server.listen({ host, port, exclusive: true });
    await once(this.#http.server, 'listening');
    return (this.#http.server.address() as AddressInfo).port;
  }

  /** @param timeoutMs for what is in flight */
  async close(timeoutMs: number): Promise<void> {
    this.#http.streams.endListening();
    await drainServer(this.#http.server, { timeoutMs, quietMs: 0 });
  }
}

const refuse = (_request: IncomingRequest): Promise<Reply> => Promise.resolve({ status: 404, headers: ['content-length', '0'], body: undefined });

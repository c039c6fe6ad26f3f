import { randomUUID } from 'node:crypto';
import { WebStandardStreamableHTTPServerTransport, type EventStore, type McpServer } from '@modelcontextprotocol/server';

/** Streamable HTTP with sessions, as revisions up to 2025-11-25 have it. */
export class LegacySessions {
  readonly #createServer: () => McpServer;
  readonly #eventStore: EventStore | undefined;
  readonly #open = new Map<string, WebStandardStreamableHTTPServerTransport>();

  constructor(createServer: () => McpServer, eventStore?: EventStore) {
    this.#createServer = createServer;
    this.#eventStore = eventStore;
  }

  async fetch(request: Request): Promise<Response> {
    const sessionId = request.headers.get('mcp-session-id');
    if (sessionId === null) return this.#openSession(request);
    const transport = this.#open.get(sessionId);
    return transport === undefined ? sessionNotFound() : transport.handleRequest(request);
  }

  /** As a server that was started anew: its streams end too. */
  async forget(): Promise<void> {
    const transports = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(transports.map((transport) => transport.close()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((transport) => transport.close()));
  }

  /** A first request that is not `initialize` is answered with 400 by the transport and leaves no session. */
  async #openSession(request: Request): Promise<Response> {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void this.#open.set(id, transport),
      onsessionclosed: (id) => void this.#open.delete(id),
      ...(this.#eventStore === undefined ? {} : { eventStore: this.#eventStore, retryInterval: 500 }),
    });
    await this.#createServer().connect(transport);
    return transport.handleRequest(request);
  }
}

function sessionNotFound(): Response {
  const error = { code: -32001, message: 'Session not found' };
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 404 });
}

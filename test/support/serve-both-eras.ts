import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { localhostHostValidation, localhostOriginValidation, toNodeHandler, type NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest, type EventStore, type McpServer, type ServerNotifier } from '@modelcontextprotocol/server';
import { LegacySessions } from './legacy-sessions.ts';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

export interface BothErasOptions {
  /** Called once per legacy session and once per modern request; `changes` reaches modern subscribers. */
  createServer: (changes: ServerNotifier) => McpServer;
  port?: number;
  /** One era, and nothing known of the other. */
  only?: 'legacy' | 'modern';
  /** Makes legacy streams resumable. */
  eventStore?: EventStore;
  /** Called with each request before the protocol sees it. */
  onRequest?: (request: IncomingMessage) => void;
}

export interface RunningUpstream {
  url: string;
  /** Of what serves sessions: none of those that were opened is known any more. */
  forgetSessions?(): Promise<void>;
  close(): Promise<void>;
}

/** Serves one MCP server at `/mcp`: sessions for revisions up to 2025-11-25, stateless for 2026-07-28. */
export async function serveBothEras(options: BothErasOptions): Promise<RunningUpstream> {
  const build = (): McpServer => options.createServer(modern.notify);
  const modern = createMcpHandler(build, { legacy: 'reject' });
  const legacy = new LegacySessions(build, options.eventStore);
  const handle = toNodeHandler({
    fetch: async (request, extra) =>
      (options.only === undefined ? await isLegacyRequest(request) : options.only === 'legacy') ? legacy.fetch(request) : modern.fetch(request, extra),
  });
  const hasLocalHost = localhostHostValidation();
  const hasLocalOrigin = localhostOriginValidation();

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    options.onRequest?.(request);
    if (request.url?.split('?')[0] !== '/mcp') return void response.writeHead(404).end();
    if (!hasLocalHost(request, response) || !hasLocalOrigin(request, response)) return;
    void handle(request as NodeIncomingMessageLike, response);
  };
  const server = createServer(answer);
  const port = await listenOnLoopback(server, options.port);
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    forgetSessions: () => legacy.forget(),
    close: async () => {
      await Promise.all([modern.close(), legacy.close()]);
      await closeHttpServer(server);
    },
  };
}

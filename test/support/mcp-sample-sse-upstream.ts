import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { z } from 'zod';
import { closeHttpServer, listenOnLoopback } from './listen.ts';
import type { SampleUpstream } from './mcp-sample-upstream.ts';
import { SampleUpstreamLog, sampleToolDescriptions, textContent } from './sample-tools.ts';

/** The same tools over HTTP+SSE of 2024-11-05: `GET /sse` opens the stream, `POST /messages` speaks on it. */
export async function startSampleSseUpstream({ port = 0 } = {}): Promise<SampleUpstream> {
  const log = new SampleUpstreamLog();
  const sessions = new Map<string, SSEServerTransport>();

  const open = async (response: ServerResponse): Promise<void> => {
    const transport = new SSEServerTransport('/messages', response);
    sessions.set(transport.sessionId, transport);
    response.once('close', () => sessions.delete(transport.sessionId));
    await createSampleServer(log).connect(transport);
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    log.record(request);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (request.method === 'GET' && pathname === '/sse') return open(response);
    const session = sessions.get(searchParams.get('sessionId') ?? '');
    if (request.method !== 'POST' || session === undefined) return void response.writeHead(404).end();
    await session.handlePostMessage(request, response);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => void response.destroy(error as Error));
  });
  const taken = await listenOnLoopback(server, port);
  return { url: `http://127.0.0.1:${taken}/sse`, log, close: () => closeHttpServer(server) };
}

function createSampleServer(log: SampleUpstreamLog): McpServer {
  const server = new McpServer({ name: 'gatehouse-sample-sse-upstream', version: '1.0.0' });
  server.registerTool(
    'echo',
    { description: sampleToolDescriptions.echo, inputSchema: { text: z.string() } },
    ({ text }) => textContent(text),
  );
  server.registerTool('whoami', { description: sampleToolDescriptions.whoami }, ({ requestInfo }) =>
    textContent(JSON.stringify(requestInfo?.headers ?? {})),
  );
  server.registerTool('slow', { description: sampleToolDescriptions.slow }, async ({ signal }) =>
    textContent(await log.holdSlowCall(signal)),
  );
  return server;
}

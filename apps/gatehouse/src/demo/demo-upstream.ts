import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { localhostHostValidation, localhostOriginValidation, type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { answerDemoApi } from './demo-api.ts';
import { createDemoServer } from './demo-tools.ts';
import { keyHeader } from './describe-request.ts';

export interface DemoUpstream {
  readonly url: string;
  close(): Promise<void>;
}

export interface DemoUpstreamOptions {
  /** Without this key in X-Api-Key every request is refused. */
  readonly key: string;
  /** The port it should have, if that is free. */
  readonly preferredPort?: number | undefined;
}

/** A tool server as there are many: MCP of both eras at `/mcp`, the same as REST at `/api`, behind an API key. */
export async function startDemoUpstream({ key, preferredPort }: DemoUpstreamOptions): Promise<DemoUpstream> {
  const mcp = createMcpHandler(createDemoServer);
  const expected = digest(key);
  const handle = toNodeHandler({
    fetch: async (request, extra) => {
      if (!timingSafeEqual(digest(request.headers.get(keyHeader) ?? ''), expected)) {
        return Response.json({ error: `${keyHeader} is missing or wrong` }, { status: 401 });
      }
      if (new URL(request.url).pathname === '/mcp') return mcp.fetch(request, extra);
      return answerDemoApi(request) ?? Response.json({ error: 'not found' }, { status: 404 });
    },
  });
  const hasLocalHost = localhostHostValidation();
  const hasLocalOrigin = localhostOriginValidation();
  const server = createServer((request, response) => {
    if (hasLocalHost(request, response) && hasLocalOrigin(request, response)) void handle(request as NodeIncomingMessageLike, response);
  });
  const port = await listen(server, preferredPort ?? 0).catch(() => listen(server, 0));
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: async () => {
      await mcp.close();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { packageBin } from '../package-file.ts';
import { textOf, type McpClient, type Target } from './mcp-client.ts';

const clientInfo = { name: 'gatehouse-test-client', version: '1.0.0' };

interface ConnectedClient {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(call: { name: string; arguments: Record<string, string> }): Promise<object>;
  close(): Promise<void>;
}

type Connect = (target: Target) => Promise<ConnectedClient>;

export const sdkClients: McpClient[] = [
  sdkClient('SDK 1.32, Streamable HTTP', 'mcp', '2025-11-25', ({ url, headers }) =>
    connectLegacy(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } })),
  ),
  sdkClient('SDK 1.32, HTTP+SSE', 'sse', '2025-11-25', ({ url, headers }) =>
    connectLegacy(new SSEClientTransport(new URL(url), { requestInit: { headers } })),
  ),
  sdkClient('SDK 2.4, legacy', 'mcp', '2025-11-25', (target) => connectModern(target, 'legacy')),
  sdkClient('SDK 2.4, negotiating', 'mcp', '2026-07-28', (target) => connectModern(target, 'auto')),
  sdkClient('mcp-remote, Streamable HTTP', 'mcp', '2025-11-25', (target) => connectRemote(target, 'http-only')),
  sdkClient('mcp-remote, HTTP+SSE', 'sse', '2025-11-25', (target) => connectRemote(target, 'sse-only')),
];

function sdkClient(name: string, endpoint: 'mcp' | 'sse', revision: string, connect: Connect): McpClient {
  const withClient = async <T>(target: Target, use: (client: ConnectedClient) => Promise<T>): Promise<T> => {
    const client = await connect(target);
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  };
  return {
    name,
    endpoint,
    revision,
    listTools: (target) => withClient(target, async (client) => (await client.listTools()).tools.map((tool) => tool.name)),
    callTool: (target, tool, args) =>
      withClient(target, async (client) => textOf(await client.callTool({ name: tool, arguments: args }))),
  };
}

async function connectLegacy(transport: Transport): Promise<ConnectedClient> {
  const client = new Client(clientInfo);
  await client.connect(transport);
  return client;
}

async function connectModern({ url, headers }: Target, mode: 'legacy' | 'auto'): Promise<ConnectedClient> {
  const client = new ModernClient(clientInfo, { versionNegotiation: { mode } });
  await client.connect(new ModernTransport(new URL(url), { requestInit: { headers } }));
  return client;
}

/** `mcp-remote` between a stdio client and the server, as desktop clients run it. */
async function connectRemote({ url, headers }: Target, strategy: 'http-only' | 'sse-only'): Promise<ConnectedClient> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-remote-'));
  const headerFlags = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [packageBin('mcp-remote'), url, '--allow-http', '--transport', strategy, '--silent', ...headerFlags],
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, MCP_REMOTE_CONFIG_DIR: folder },
  });
  const client = await connectLegacy(transport);
  const close = async (): Promise<void> => {
    await client.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { listTools: () => client.listTools(), callTool: (call) => client.callTool(call), close };
}

import { createServer } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startConformanceUpstream } from '../support/conformance-upstream.ts';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { closeHttpServer, listenOnLoopback } from '../support/listen.ts';
import { textOf } from '../support/mcp-clients/mcp-client.ts';
import type { RunningUpstream } from '../support/serve-both-eras.ts';

let dataPlane: InProcessDataPlane;
let streamable: RunningUpstream;
let sse: RunningUpstream;

beforeAll(async () => {
  [streamable, sse] = await Promise.all([startConformanceUpstream(), startTalkativeSseUpstream()]);
  dataPlane = await startInProcessDataPlane();
  await dataPlane.publish({ name: 'streamable', upstream: { url: streamable.url } }, { name: 'sse', upstream: { url: sse.url, transport: 'sse' } });
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([streamable.close(), sse.close()]);
});

const crossings: [name: string, transport: () => Transport][] = [
  ['Streamable HTTP → HTTP+SSE', () => new StreamableHTTPClientTransport(new URL(`${dataPlane.url}/mcp/default/sse`))],
  ['HTTP+SSE → Streamable HTTP', () => new SSEClientTransport(new URL(`${dataPlane.url}/sse/default/streamable`))],
];

describe.each(crossings)('%s', (_, transport) => {
  it('brings what the server asks of its client, and the answer back', async () => {
    await using connected = await connect(transport());
    const { client } = connected;
    client.setRequestHandler(CreateMessageRequestSchema, () => ({ model: 'm', role: 'assistant' as const, content: { type: 'text' as const, text: 'a model’s answer' } }));
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept' as const, content: { username: 'ada' } }));
    expect(textOf(await client.callTool({ name: 'test_sampling', arguments: { prompt: 'p' } }))).toContain('a model’s answer');
    expect(textOf(await client.callTool({ name: 'test_elicitation', arguments: { message: 'm' } }))).toContain('ada');
  });

  it('brings what the server announces', async () => {
    await using connected = await connect(transport());
    const changed = new Promise<void>((resolve) => connected.client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()));
    await connected.client.callTool({ name: 'test_trigger_tool_change' });
    await changed;
  });

  it('brings what the server logs, in order', async () => {
    await using connected = await connect(transport());
    const { client } = connected;
    await client.setLoggingLevel('debug');
    const logged: unknown[] = [];
    const complete = new Promise<void>((resolve) => {
      client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
        if (logged.push(params.data) === 3) resolve();
      });
    });
    await client.callTool({ name: 'test_tool_with_logging' });
    await complete;
    expect(logged).toEqual(['Tool execution started', 'Tool processing data', 'Tool execution completed']);
  });

  it('brings the progress of a call before its answer', async () => {
    const line = transport();
    await using connected = await connect(line);
    const seen: string[] = [];
    const { onmessage } = line;
    line.onmessage = (message, extra) => {
      seen.push('result' in message ? 'answer' : 'method' in message ? `${message.method} ${String(message.params?.['progress'])}` : 'other');
      onmessage?.(message, extra);
    };
    await connected.client.callTool({ name: 'test_tool_with_progress' }, undefined, { onprogress: () => undefined });
    expect(seen).toEqual([...[0, 50, 100].map((progress) => `notifications/progress ${progress}`), 'answer']);
  });

  it('keeps calls at the same time apart', async () => {
    await using connected = await connect(transport());
    const call = (): Promise<object> => connected.client.callTool({ name: 'test_tool_with_progress' });
    expect((await Promise.all([call(), call(), call()])).map(textOf)).toEqual(Array.from({ length: 3 }, () => 'Reported progress three times.'));
  });
});

it('an answer whose stream the server closes is fetched by Last-Event-ID (MCP 2025-11-25, resumability)', async () => {
  await using connected = await connect(new SSEClientTransport(new URL(`${dataPlane.url}/sse/default/streamable`)));
  expect(textOf(await connected.client.callTool({ name: 'test_reconnection' }))).toBe('The answer came after the stream was closed.');
});

async function connect(transport: Transport): Promise<AsyncDisposable & { client: Client }> {
  const client = new Client({ name: 'spec', version: '1' }, { capabilities: { sampling: {}, elicitation: {} } });
  await client.connect(transport);
  return { client, [Symbol.asyncDispose]: () => client.close() };
}

/** Tools of the conformance upstream's names, over HTTP+SSE. */
async function startTalkativeSseUpstream(): Promise<RunningUpstream> {
  const sessions = new Map<string, SSEServerTransport>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (pathname === '/messages') return void sessions.get(searchParams.get('sessionId') ?? '')?.handlePostMessage(request, response);
    const transport = new SSEServerTransport('/messages', response);
    sessions.set(transport.sessionId, transport);
    void createTalkativeServer().connect(transport);
  });
  const port = await listenOnLoopback(server);
  return { url: `http://127.0.0.1:${port}/sse`, close: () => closeHttpServer(server) };
}

function createTalkativeServer(): McpServer {
  const mcp = new McpServer({ name: 'talkative', version: '1' }, { capabilities: { tools: { listChanged: true }, logging: {} } });
  const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] });
  mcp.registerTool('test_sampling', {}, async () => {
    const { content } = await mcp.server.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: 'p' } }], maxTokens: 9 });
    return text(JSON.stringify(content));
  });
  mcp.registerTool('test_elicitation', {}, async () => {
    const requestedSchema = { type: 'object' as const, properties: { username: { type: 'string' as const } } };
    return text(JSON.stringify((await mcp.server.elicitInput({ message: 'm', requestedSchema })).content));
  });
  mcp.registerTool('test_trigger_tool_change', {}, () => {
    mcp.sendToolListChanged();
    return text('changed');
  });
  mcp.registerTool('test_tool_with_logging', {}, async () => {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) await mcp.sendLoggingMessage({ level: 'info', data });
    return text('logged');
  });
  mcp.registerTool('test_tool_with_progress', {}, async ({ _meta, sendNotification }) => {
    for (const progress of [0, 50, 100]) {
      if (_meta?.progressToken === undefined) continue;
      await sendNotification({ method: 'notifications/progress', params: { progressToken: _meta.progressToken, progress, total: 100 } });
    }
    return text('Reported progress three times.');
  });
  return mcp;
}

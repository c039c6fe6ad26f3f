import type { ServerResponse } from 'node:http';
import type { RecordedRequest } from './recording-upstream.ts';

interface RpcMessage {
  id?: string | number;
  method?: string;
  params?: { protocolVersion?: string; _meta?: Record<string, unknown> };
}

const versionKey = 'io.modelcontextprotocol/protocolVersion';
const serverInfo = { name: 'recording-upstream', version: '1.0.0' };
const tool = { name: 'inspect', description: 'Shows the request that reached the upstream', inputSchema: { type: 'object' } };

/** The least that both eras' clients need to list and call one tool, which shows the request it came in. */
export function answerAsMcp(request: RecordedRequest, response: ServerResponse): void {
  const message = parseMessage(request);
  if (message === undefined) return void response.writeHead(request.method === 'POST' ? 400 : 405).end();
  if (message.id === undefined) return void response.writeHead(202).end();
  const isModern = message.params?._meta?.[versionKey] !== undefined;
  const result = resultOf(message, request);
  const outcome =
    result === undefined
      ? { error: { code: -32601, message: 'Method not found' } }
      : { result: isModern ? { resultType: 'complete', ...result } : result };
  const status = isModern && result === undefined ? 404 : 200;
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...outcome }));
}

function parseMessage(request: RecordedRequest): RpcMessage | undefined {
  try {
    return JSON.parse(request.body.toString()) as RpcMessage;
  } catch {
    return undefined;
  }
}

function resultOf(message: RpcMessage, request: RecordedRequest): Record<string, unknown> | undefined {
  const cache = { ttlMs: 0, cacheScope: 'private' };
  switch (message.method) {
    case 'initialize':
      return { protocolVersion: message.params?.protocolVersion, capabilities: { tools: {} }, serverInfo };
    case 'server/discover':
      return { supportedVersions: [message.params?._meta?.[versionKey]], capabilities: { tools: {} }, ...cache };
    case 'tools/list':
      return { tools: [tool], ...cache };
    case 'tools/call':
      return { content: [{ type: 'text', text: describe(request) }] };
    default:
      return undefined;
  }
}

function describe({ method, url, rawHeaders, body }: RecordedRequest): string {
  return JSON.stringify({ method, url, rawHeaders, body: body.toString() });
}

import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/*
 * A stream on which a client is told what changes is silent for hours, and is no call: in the legacy era a GET (MCP 2025-11-25,
 * transports), in the modern one the answer to a POST (MCP 2026-07-28, subscriptions).
 */

const revision = '2026-07-28';
const event = (message: object): string => `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
const acknowledged = event({ method: 'notifications/subscriptions/acknowledged', params: { notifications: { toolsListChanged: true } } });
const changed = event({ method: 'notifications/tools/list_changed', params: {} });

let upstream: RecordingUpstream;
/** What the upstream has open. */
let open: { readonly method: string; readonly response: ServerResponse }[];

beforeAll(async () => {
  upstream = await startRecordingUpstream();
});
afterAll(() => upstream.close());
beforeEach(() => {
  open = [];
  upstream.handle((request, response) => {
    const method = methodOf(request);
    if (method !== 'GET' && method !== 'subscriptions/listen' && method !== 'tools/call') return answerAsMcp(request, response);
    open.push({ method, response });
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(acknowledged);
  });
});

const methodOf = ({ method, body }: RecordedRequest): string => (method === 'GET' ? 'GET' : (JSON.parse(body.toString()) as { method: string }).method);

async function start(): Promise<InProcessDataPlane> {
  const dataPlane = await startInProcessDataPlane({ GATEHOUSE_CONNECTIONS_PER_ORIGIN: '1' });
  await dataPlane.publish({ name: 'orders', upstream: { url: upstream.url, timeouts: { streamIdleSeconds: 0.2 } } });
  await dataPlane.publish({ name: 'all', type: 'virtual', members: [{ server: 'orders', prefix: 'o_' }] });
  return dataPlane;
}

const ask = ({ url }: InProcessDataPlane, server: string, method: string, params: object = {}): Promise<Response> => {
  const name = 'name' in params ? { 'mcp-name': String(params.name) } : {};
  return fetch(`${url}/mcp/default/${server}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': revision, 'mcp-method': method, ...name },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: { ...params, _meta: { 'io.modelcontextprotocol/protocolVersion': revision, 'io.modelcontextprotocol/clientInfo': { name: 'spec', version: '1' }, 'io.modelcontextprotocol/clientCapabilities': {} } },
    }),
  });
};
const ways: [string, string, (dataPlane: InProcessDataPlane, server: string) => Promise<Response>][] = [
  ['GET', 'orders', ({ url }, server) => fetch(`${url}/mcp/default/${server}`, { headers: { accept: 'text/event-stream' } })],
  ['subscriptions/listen', 'orders', (dataPlane, server) => ask(dataPlane, server, 'subscriptions/listen', { notifications: { toolsListChanged: true } })],
  ['subscriptions/listen', 'all', (dataPlane, server) => ask(dataPlane, server, 'subscriptions/listen', { notifications: { toolsListChanged: true } })],
];
const opened = (method: string): Promise<ServerResponse> =>
  vi.waitFor(() => {
    const found = open.find((stream) => stream.method === method);
    if (found === undefined) throw new Error(`no ${method} has come`);
    return found.response;
  });

describe.each(ways)('a stream that only listens, by %s of the server %s', (method, server, listen) => {
  it('takes no connection from calls, and outlives the silence after which they are given up', async () => {
    const dataPlane = await start();
    const listening = await listen(dataPlane, server);
    const stream = await opened(method);
    const call = await ask(dataPlane, 'orders', 'tools/call', { name: 'inspect' });
    expect(call.status).toBe(200);
    await expect(call.text()).rejects.toThrow();
    stream.write(changed);
    const heard = listening.text();
    stream.end();
    expect(await heard).toContain('notifications/tools/list_changed');
    await dataPlane.close();
  });

  it('ends in order and at once when its data plane goes, which waits for calls', async () => {
    const dataPlane = await start();
    const calls = await ask(dataPlane, 'orders', 'tools/list');
    expect(calls.status).toBe(200);
    const listening = await listen(dataPlane, server);
    await opened(method);
    const closed = dataPlane.close();
    expect(await listening.text()).toContain('data: ');
    await closed;
  });
});

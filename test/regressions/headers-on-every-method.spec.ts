import type { ServerResponse } from 'node:http';
import { EventStreamReader } from '@gatehouse/mcp-protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type InProcessDataPlane, type SpecServer, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { headerPairs, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* ContextForge #6447: headers were forwarded on tools/call, and not on resources/read. Here there is one way out, for all of them. */

interface Message {
  readonly id?: number;
  readonly method?: string;
}

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let stream: ServerResponse | undefined;

const policies: Record<string, Pick<SpecServer, 'appAuth' | 'headerPolicy'>> = {
  stored: { appAuth: { type: 'bearer', token: 'stored' }, headerPolicy: { mode: 'mappings', mappings: [{ source: 'X-Tenant' }, { source: 'X-Tenant', target: 'X-Org' }], restricted: ['x-internal-*'] } },
  passthrough: { appAuth: { type: 'passthrough' }, headerPolicy: { mode: 'all', restricted: ['x-internal-*'] } },
};
/** What a caller sends with every request. */
const sent = { 'x-tenant': 'acme', authorization: 'Bearer callers', cookie: 'session=1', 'x-internal-id': '7', 'x-forwarded-user': 'ceo' };
/** What of it, and of the gateway's, is to arrive with every request. */
const arrives: Record<string, [string, string][]> = {
  stored: [['X-Tenant', 'acme'], ['X-Org', 'acme'], ['Authorization', 'Bearer stored']],
  passthrough: [['x-tenant', 'acme'], ['authorization', 'Bearer callers']],
};
/** What of the gateway's own still arrives once the caller is gone, and its headers with it. */
const remains: Record<string, [string, string][]> = { stored: [['Authorization', 'Bearer stored']], passthrough: [] };
const protocol = /^(host|connection|content-length|content-type|accept|accept-language|accept-encoding|sec-.*|user-agent|mcp-.*|last-event-id)$/;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane();
  for (const [name, policy] of Object.entries(policies)) {
    await dataPlane.publish({ name: `streamable-${name}`, upstream: { url: upstream.url }, ...policy }, { name: `sse-${name}`, upstream: { url: `${upstream.origin}/sse`, transport: 'sse' }, ...policy });
  }
  upstream.handle(answer);
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});
beforeEach(() => void (upstream.requests.length = 0));

/** An upstream of both transports. */
function answer({ method, url, body }: RecordedRequest, response: ServerResponse): void {
  const { id, method: asked } = (body.length > 0 ? JSON.parse(body.toString()) : {}) as Message;
  const text = JSON.stringify({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-06-18' } });
  if (method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(url.startsWith('/sse') ? 'event: endpoint\ndata: /messages\n\n' : ': listening\n\n');
    if (url.startsWith('/sse')) stream = response;
  } else if (url.startsWith('/messages')) {
    response.writeHead(202).end();
    if (id !== undefined) stream?.write(`event: message\ndata: ${text}\n\n`);
  } else if (id === undefined) response.writeHead(method === 'DELETE' ? 200 : 202).end();
  else response.writeHead(200, { 'content-type': 'application/json', ...(asked === 'initialize' && { 'mcp-session-id': 's1' }) }).end(text);
}

const send = (target: string, message: object | undefined, headers: Record<string, string> = {}, method = 'POST'): Promise<Response> =>
  fetch(new URL(target, dataPlane.url), {
    method,
    headers: { ...(message && { 'content-type': 'application/json' }), accept: 'application/json, text/event-stream', ...sent, ...headers },
    ...(message && { body: JSON.stringify({ jsonrpc: '2.0', ...message }) }),
  });

/** `GET`, `DELETE`, or what a POST asks for. */
const asked = ({ method, body }: RecordedRequest): string => (method === 'POST' ? ((JSON.parse(body.toString()) as Message).method ?? 'a response') : method);

/** That these requests have arrived, each with all of its headers and no other. */
async function expectArrived(policy: string, ...expected: string[]): Promise<void> {
  await vi.waitFor(() => expect(upstream.requests.map(asked).sort()).toEqual(expected.sort()));
  for (const request of upstream.requests) expect([asked(request), ...othersOf(request)]).toEqual([asked(request), ...(arrives[policy] ?? [])]);
}

const othersOf = (request: RecordedRequest): [string, string][] => headerPairs(request).filter(([name]) => !protocol.test(name));

const named = ['tools/list', 'tools/call', 'resources/list', 'resources/read', 'resources/subscribe', 'prompts/list', 'prompts/get', 'completion/complete', 'logging/setLevel', 'ping', 'anything/else'];
const params = { name: 'n', uri: 'file:///a', arguments: {} };
const version = '2026-07-28';
const modern = { ...params, _meta: { 'io.modelcontextprotocol/protocolVersion': version } };
const nameOf = (method: string): string | undefined => (/^(tools\/call|prompts\/get)$/.test(method) ? 'n' : method.startsWith('resources/read') ? 'file:///a' : undefined);

describe.each(Object.keys(policies))('headers, %s, arrive', (policy) => {
  it.each(named)('with %s', async (method) => {
    expect((await send(`/mcp/default/streamable-${policy}`, { id: 1, method, params })).status).toBe(200);
    await expectArrived(policy, method);
  });

  it.each(named)('with %s of the modern era', async (method) => {
    const name = nameOf(method);
    const headers = { 'mcp-protocol-version': version, 'mcp-method': method, ...(name !== undefined && { 'mcp-name': name }) };
    expect((await send(`/mcp/default/streamable-${policy}`, { id: 1, method, params: modern }, headers)).status).toBe(200);
    await expectArrived(policy, method);
  });

  it('with initialize, in a session, with its stream, its answers and its end', async () => {
    const path = `/mcp/default/streamable-${policy}`;
    const session = (await send(path, { id: 0, method: 'initialize', params })).headers.get('mcp-session-id') ?? '';
    const headers = { 'mcp-session-id': session };
    expect((await send(path, { method: 'notifications/initialized' }, headers)).status).toBe(202);
    expect((await send(path, { id: 1, method: 'tools/call', params }, headers)).status).toBe(200);
    await (await send(path, undefined, headers, 'GET')).body?.cancel();
    expect((await send(path, undefined, headers, 'DELETE')).status).toBe(200);
    await expectArrived(policy, 'initialize', 'notifications/initialized', 'tools/call', 'GET', 'DELETE');
  });

  it('over HTTP+SSE, with the stream and each message', async () => {
    const { post, close } = await listen(`/sse/default/sse-${policy}`);
    for (const [index, method] of ['initialize', ...named].entries()) expect((await post({ id: index, method, params })).status).toBe(202);
    await expectArrived(policy, 'GET', 'initialize', ...named);
    await close();
  });

  it('from Streamable HTTP to HTTP+SSE', async () => {
    const path = `/mcp/default/sse-${policy}`;
    const opened = await send(path, { id: 0, method: 'initialize', params });
    const headers = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    await opened.text();
    for (const [index, method] of named.entries()) await (await send(path, { id: index + 1, method, params }, headers)).text();
    await send(path, undefined, headers, 'DELETE');
    await expectArrived(policy, 'GET', 'initialize', ...named);
  });

  it('from HTTP+SSE to Streamable HTTP, also with what the gateway asks of itself', async () => {
    const { next, post, close } = await listen(`/sse/default/streamable-${policy}`);
    await post({ id: 0, method: 'initialize', params });
    await next();
    await post({ method: 'notifications/initialized' });
    for (const [index, method] of named.entries()) {
      await post({ id: index + 1, method, params });
      await next();
    }
    await expectArrived(policy, 'initialize', 'notifications/initialized', 'GET', ...named);
    upstream.requests.length = 0;
    await close();
    await vi.waitFor(() => expect(upstream.requests.map(asked)).toEqual(['DELETE']));
    expect(upstream.requests.flatMap(othersOf)).toEqual(remains[policy]);
  });
});

interface Listening {
  readonly next: () => Promise<unknown>;
  readonly post: (message: object) => Promise<Response>;
  readonly close: () => Promise<void>;
}

async function listen(path: string): Promise<Listening> {
  const caller = new AbortController();
  const response = await fetch(new URL(path, dataPlane.url), { headers: { accept: 'text/event-stream', ...sent }, signal: caller.signal });
  const events = eventsOf(response);
  const endpoint = (await events.next()).value ?? '';
  return {
    next: async () => (await events.next()).value,
    post: (message) => send(endpoint, message),
    close: async () => {
      caller.abort();
      await events.next().catch(() => undefined);
    },
  };
}

async function* eventsOf(response: Response): AsyncGenerator<string, void> {
  const reader = new EventStreamReader(1_000_000);
  for await (const chunk of response.body ?? []) for (const { data } of reader.push(chunk as Uint8Array)) yield data;
}

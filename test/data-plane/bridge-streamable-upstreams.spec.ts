import { EventStreamReader } from '@gatehouse/mcp-protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { headerValue, type RecordedRequest, type RecordingHandler, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* HTTP+SSE callers of an upstream that speaks Streamable HTTP, wire by wire. */

interface Message {
  id?: unknown;
  method?: string;
  result?: unknown;
  error?: { code?: number; message?: string; data?: { code?: string; server?: string } };
}

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let ana: string;
let ben: string;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane({ GATEHOUSE_BRIDGE_BUFFER_BYTES: '131072' });
  const appAuth = { type: 'api-key', name: 'key', in: 'query', value: 'kept&key' } as const;
  await dataPlane.publish({ name: 'orders', upstream: { url: `${upstream.origin}/mcp?tenant=1` }, agentAuth: { type: 'api-key' }, appAuth });
  [ana, ben] = [await dataPlane.addServiceAccount('ana'), await dataPlane.addServiceAccount('ben')];
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});
beforeEach(() => {
  upstream.requests.length = 0;
  dataPlane.log.length = 0;
  upstream.handle(answer());
});

const messageIn = ({ body }: RecordedRequest): Message => (body.length > 0 ? (JSON.parse(body.toString()) as Message) : {});

/** A Streamable HTTP server with a session and no stream of its own; `on` answers a method otherwise. */
function answer(on: Record<string, RecordingHandler> = {}): RecordingHandler {
  return (request, response) => {
    const { id, method } = messageIn(request);
    const handler = on[method ?? request.method];
    if (handler) return handler(request, response);
    if (request.method === 'GET') return void response.writeHead(405).end();
    if (id === undefined) return void response.writeHead(request.method === 'DELETE' ? 200 : 202).end();
    const session = method === 'initialize' ? { 'mcp-session-id': 'upstream-session-1' } : {};
    response.writeHead(200, { 'content-type': 'application/json', ...session });
    return void response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-06-18' } }, null, 2));
  };
}

interface OpenStream {
  /** Where the stream says to post. */
  endpoint: string;
  next(): Promise<Message>;
  /** Resolves when the stream has ended in order. */
  ended(): Promise<void>;
  close(): void;
  post(message: object, key?: string, headers?: Record<string, string>): Promise<Response>;
}

async function listen(key = ana): Promise<OpenStream> {
  const caller = new AbortController();
  const response = await fetch(`${dataPlane.url}/sse/default/orders`, { headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream' }, signal: caller.signal });
  const events = eventsOf(response);
  const first = (await events.next()).value;
  expect(first?.type).toBe('endpoint');
  const endpoint = `${dataPlane.url}${first?.data ?? ''}`;
  return {
    endpoint,
    next: async () => JSON.parse((await events.next()).value?.data ?? 'null') as Message,
    ended: async () => expect((await events.next()).done).toBe(true),
    close: () => caller.abort(),
    post: (message, poster = key, headers = {}) =>
      fetch(endpoint, { method: 'POST', headers: { authorization: `Bearer ${poster}`, 'content-type': 'application/json', ...headers }, body: JSON.stringify({ jsonrpc: '2.0', ...message }) }),
  };
}

async function* eventsOf(response: Response): AsyncGenerator<{ type: string; data: string }, void> {
  const reader = new EventStreamReader(1_000_000);
  for await (const chunk of response.body ?? []) yield* reader.push(chunk as Uint8Array);
}

async function initialized(): Promise<OpenStream> {
  const stream = await listen();
  expect((await stream.post({ id: 0, method: 'initialize', params: {} })).status).toBe(202);
  expect(await stream.next()).toEqual({ jsonrpc: '2.0', id: 0, result: { protocolVersion: '2025-06-18' } });
  return stream;
}

const ping = { id: 1, method: 'ping' };
const codeOf = async (response: Response): Promise<unknown> => [response.status, ((await response.json()) as Message).error?.data?.code];
const nextOf = async (method: string): Promise<RecordedRequest> => {
  for (;;) {
    const request = await upstream.nextRequest();
    if (request.method === method) return request;
  }
};

describe('a session', () => {
  it('is the upstream’s own: opened, listened to and ended with the stored credential', async () => {
    const stream = await initialized();
    const asked = nextOf('GET');
    expect((await stream.post({ method: 'notifications/initialized' })).status).toBe(202);
    await asked;
    const ended = nextOf('DELETE');
    stream.close();
    await ended;
    const seen = upstream.requests.map((request) => [request.method, request.url, headerValue(request, 'mcp-session-id'), headerValue(request, 'mcp-protocol-version')]);
    const path = '/mcp?tenant=1&key=kept%26key';
    expect(seen).toEqual([
      ['POST', path, undefined, undefined],
      ['POST', path, 'upstream-session-1', '2025-06-18'],
      ['GET', path, 'upstream-session-1', '2025-06-18'],
      ['DELETE', path, 'upstream-session-1', '2025-06-18'],
    ]);
    expect(headerValue(upstream.requests[0] as RecordedRequest, 'accept')).toBe('application/json, text/event-stream');
  });

  it('ends with its stream', async () => {
    const stream = await initialized();
    const ended = nextOf('DELETE');
    stream.close();
    await ended;
    expect(await codeOf(await stream.post(ping))).toEqual([404, 'session_not_found']);
  });

  it('is none for another caller', async () => {
    const stream = await initialized();
    expect(await codeOf(await stream.post(ping, ben))).toEqual([404, 'session_not_found']);
    stream.close();
  });

  it('takes what the upstream was asked with it', async () => {
    const stream = await initialized();
    const closed = new Promise<void>((resolve) => upstream.handle(answer({ ping: (_request, response) => void response.on('close', resolve) })));
    const asked = nextOf('POST');
    await stream.post(ping);
    await asked;
    stream.close();
    await closed;
  });

  it('ends, and says so, when the upstream does not know it any more', async () => {
    const stream = await initialized();
    upstream.handle(answer({ ping: (_request, response) => void response.writeHead(404).end() }));
    expect((await stream.post(ping)).status).toBe(202);
    expect(await stream.next()).toMatchObject({ id: 1, error: { data: { code: 'session_not_found', server: 'default/orders' } } });
    await stream.ended();
    expect(await codeOf(await stream.post(ping))).toEqual([404, 'session_not_found']);
  });
});

describe('a message', () => {
  it('that asks is taken at once, while the upstream still works', async () => {
    const stream = await initialized();
    const work = new Promise<() => void>((resolve) =>
      upstream.handle(answer({ ping: (_request, response) => resolve(() => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{}}')) })),
    );
    expect((await stream.post(ping)).status).toBe(202);
    (await work)();
    expect(await stream.next()).toMatchObject({ id: 1, result: {} });
    stream.close();
  });

  it('that only tells is taken when the upstream has taken it, and refused when it has not', async () => {
    const stream = await initialized();
    upstream.handle((_request, response) => void response.writeHead(401).end());
    expect(await codeOf(await stream.post({ method: 'notifications/a' }))).toEqual([502, 'upstream_rejected_credentials']);
    stream.close();
  });

  it('of the modern era is a method nobody knows here, so that its sender falls back', async () => {
    const stream = await listen();
    const discover = { id: 'p', method: 'server/discover', params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } };
    const response = await stream.post(discover, ana, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'server/discover' });
    expect(response.status).toBe(202);
    expect(await stream.next()).toMatchObject({ id: 'p', error: { code: -32601 } });
    expect(upstream.requests.filter(({ method }) => method === 'POST')).toEqual([]);
    stream.close();
  });

  it('of the upstream’s own is heard on the stream', async () => {
    const stream = await initialized();
    upstream.handle(
      answer({
        GET: (_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"jsonrpc":"2.0","method":"notifications/a"}\n\n'),
      }),
    );
    await stream.post({ method: 'notifications/initialized' });
    expect(await stream.next()).toMatchObject({ method: 'notifications/a' });
    stream.close();
  });
});

describe('an upstream that ends its streams at once and asks for no pause (`retry: 0`)', () => {
  const endsAtOnce: RecordingHandler = (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: 1\nretry: 0\ndata: {"jsonrpc":"2.0","method":"notifications/a"}\n\n');

  it.each([
    ['an answer', ping],
    ['announcements', { method: 'notifications/initialized' }],
  ])('is not asked for %s without one', async (_, message) => {
    const stream = await initialized();
    upstream.handle(answer({ ping: endsAtOnce, GET: endsAtOnce }));
    const asked = nextOf('GET');
    await stream.post(message);
    await asked;
    const before = upstream.requests.length;
    await new Promise((resolve) => void setTimeout(resolve, 800));
    expect(upstream.requests.length - before).toBe(0);
    stream.close();
  });
});

describe('a caller that reads slowly', () => {
  it('gets everything in the end, in order, though no more than a little of it waits here', async () => {
    const stream = await initialized();
    const padding = 'x'.repeat(50_000);
    upstream.handle(
      answer({
        ping: (_request, response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          for (let index = 0; index < 400; index += 1) response.write(`data: {"jsonrpc":"2.0","method":"notifications/${index}","params":"${padding}"}\n\n`);
          response.end('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
        },
      }),
    );
    await stream.post(ping);
    // What is answered at the same time finds its place in the same stream.
    await stream.post({ id: 2, method: 'tools/list' });
    const methods: string[] = [];
    const answered = new Set<unknown>();
    while (answered.size < 2) {
      const { id, method } = await stream.next();
      if (method === undefined) answered.add(id);
      else methods.push(method);
    }
    expect(methods).toEqual(Array.from({ length: 400 }, (_, index) => `notifications/${index}`));
    stream.close();
  });
});

describe('an upstream that goes wrong', () => {
  it.each<[string, RecordingHandler, object]>([
    ['refuses the stored credential', (_request, response) => void response.writeHead(401).end(), { data: { code: 'upstream_rejected_credentials', server: 'default/orders' } }],
    ['redirects', (_request, response) => void response.writeHead(307, { location: 'https://evil.example/' }).end(), { data: { code: 'upstream_redirected' } }],
    ['fails', (_request, response) => void response.writeHead(500).end('<h1>secret</h1>'), { data: { code: 'upstream_failed' } }],
    ['hangs up', (_request, response) => void response.destroy(), { data: { code: 'upstream_failed' } }],
    ['takes the request and does not answer', (_request, response) => void response.writeHead(202).end(), { data: { code: 'upstream_failed' } }],
    ['ends its stream without an answer', (_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': nothing\n\n'), { data: { code: 'upstream_failed' } }],
    [
      'breaks its stream off',
      (_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': nothing\n\n', () => response.destroy()),
      { data: { code: 'upstream_failed' } },
    ],
    [
      'says with a JSON-RPC error what is wrong',
      (_request, response) => void response.writeHead(400, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":null,"error":{"code":-32099,"message":"its own words"}}'),
      { code: -32099, message: 'its own words' },
    ],
  ])('%s: the caller hears it on its stream, and may go on', async (_, handler, error) => {
    const stream = await initialized();
    upstream.handle(answer({ ping: handler }));
    expect((await stream.post(ping)).status).toBe(202);
    const told = await stream.next();
    expect(told).toMatchObject({ id: 1, error });
    expect(JSON.stringify(told)).not.toContain('secret');
    if (told.error?.data) expect(dataPlane.log.join('')).toContain(`"outcome":"${String(told.error.data.code)}"`);
    expect(dataPlane.log.join('')).not.toMatch(/kept(&|%26)key/);
    await stream.post({ id: 2, method: 'tools/list' });
    expect(await stream.next()).toMatchObject({ id: 2, result: {} });
    stream.close();
  });
});

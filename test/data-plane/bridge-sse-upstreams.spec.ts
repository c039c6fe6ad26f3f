import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { EventStreamReader } from '@gatehouse/mcp-protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { headerValue, type RecordingHandler, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* Streamable HTTP callers of an upstream that speaks HTTP+SSE, wire by wire. */

interface Message {
  id?: unknown;
  method?: string;
  params?: { index?: number };
  result?: unknown;
  error?: { data?: { code?: string; server?: string } };
}

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let ana: string;
let ben: string;
/** The streams the upstream has given out, the newest last. */
let streams: ServerResponse[];

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane({ GATEHOUSE_BRIDGE_MAX_SESSIONS_PER_CALLER: '2', GATEHOUSE_BRIDGE_BUFFER_BYTES: '131072' });
  const target = { url: `${upstream.origin}/base/sse?tenant=1`, transport: 'sse' } as const;
  await dataPlane.publish(
    { name: 'orders', upstream: target, agentAuth: { type: 'api-key' }, appAuth: { type: 'api-key', name: 'key', in: 'query', value: 'stored&key' } },
    { name: 'other', upstream: target, agentAuth: { type: 'api-key' } },
    { name: 'hurried', upstream: { ...target, timeouts: { responseSeconds: 0.1 } }, agentAuth: { type: 'api-key' } },
  );
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});
beforeEach(async () => {
  // A caller of its own for each test: none finds another's sessions.
  const name = crypto.randomUUID();
  [ana, ben] = [await dataPlane.addServiceAccount(`ana-${name}`), await dataPlane.addServiceAccount(`ben-${name}`)];
  streams = [];
  upstream.requests.length = 0;
  upstream.handle(answerInitialize());
});

/** An HTTP+SSE server that answers `initialize`; the test says everything else. */
function answerInitialize(endpoint = '/messages?s=1'): RecordingHandler {
  return ({ method, body }, response) => {
    if (method === 'GET') {
      streams.push(response);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`event: endpoint\ndata: ${endpoint}\n\n`);
      return;
    }
    response.writeHead(202).end('Accepted');
    const { id, method: rpcMethod } = JSON.parse(body.toString()) as Message;
    if (rpcMethod === 'initialize') say({ id, result: { protocolVersion: '2024-11-05' } });
  };
}

const say = (message: object, stream = streams.at(-1)): void => void stream?.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);

interface Sent {
  key?: string;
  session?: string | undefined;
  server?: string;
  method?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const send = (message: object | undefined, { key = ana, session, server = 'orders', method = 'POST', headers, signal }: Sent = {}): Promise<Response> =>
  fetch(`${dataPlane.url}/mcp/default/${server}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...(session && { 'mcp-session-id': session }), ...headers },
    ...(message && { body: JSON.stringify({ jsonrpc: '2.0', ...message }) }),
    ...(signal && { signal }),
  });

async function* messagesOf(response: Response): AsyncGenerator<Message, void> {
  const reader = new EventStreamReader(1_000_000);
  for await (const chunk of response.body ?? []) for (const { data } of reader.push(chunk as Uint8Array)) yield JSON.parse(data) as Message;
}
const allOf = async (response: Response): Promise<Message[]> => {
  const all: Message[] = [];
  for await (const message of messagesOf(response)) all.push(message);
  return all;
};

async function open(sent: Sent = {}): Promise<string> {
  const response = await send({ id: 0, method: 'initialize', params: {} }, sent);
  expect(await allOf(response)).toEqual([{ jsonrpc: '2.0', id: 0, result: { protocolVersion: '2024-11-05' } }]);
  return response.headers.get('mcp-session-id') ?? '';
}

const outcomeOf = async (response: Response): Promise<unknown> => [response.status, ((await response.json()) as Message).error?.data?.code];
const ping = { id: 1, method: 'ping' };

describe('a session', () => {
  it('is opened with the stored credential in every request, and its id says nothing of the upstream', async () => {
    const session = await open();
    expect(upstream.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /base/sse?tenant=1&key=stored%26key', 'POST /messages?s=1&key=stored%26key']);
    expect(upstream.requests.map((request) => headerValue(request, 'accept'))).toEqual(['text/event-stream', 'application/json, text/event-stream']);
    expect(Buffer.from(session, 'base64url').toString('latin1')).not.toContain(dataPlane.url);
    await send({ method: 'notifications/initialized' }, { session });
    expect(upstream.requests.map((request) => headerValue(request, 'mcp-session-id'))).toEqual([undefined, undefined, undefined]);
  });

  it.each<[string, object, Record<string, string>]>([
    ['a request', ping, {}],
    ['a notification', { method: 'notifications/initialized' }, {}],
    [
      'a modern message, so that its sender falls back',
      { id: 1, method: 'server/discover', params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } },
      { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'server/discover' },
    ],
  ])('is required for %s', async (_, message, headers) => {
    expect(await outcomeOf(await send(message, { headers }))).toEqual([400, 'session_required']);
    expect(upstream.requests).toEqual([]);
  });

  it.each<[string, () => Sent]>([
    ['another caller', () => ({ key: ben })],
    ['another caller’s GET', () => ({ key: ben, method: 'GET' })],
    ['another server', () => ({ server: 'other' })],
  ])('is none for %s', async (_, sent) => {
    const session = await open();
    const posted = upstream.requests.length;
    expect(await outcomeOf(await send(sent().method === 'GET' ? undefined : ping, { ...sent(), session }))).toEqual([404, 'session_not_found']);
    expect(upstream.requests.length).toBe(posted);
  });

  it('is closed by DELETE, and its upstream’s stream with it', async () => {
    const session = await open();
    const closed = once(streams[0] as ServerResponse, 'close');
    expect((await send(undefined, { session, method: 'DELETE' })).status).toBe(200);
    await closed;
    expect(await outcomeOf(await send(ping, { session }))).toEqual([404, 'session_not_found']);
  });

  it('makes room for a newer one of the same caller when nobody waits for anything of it', async () => {
    const [first, second] = [await open(), await open()];
    const listening = await send(undefined, { session: first, method: 'GET' });
    await open();
    expect(await outcomeOf(await send(ping, { session: second }))).toEqual([404, 'session_not_found']);
    expect((await send({ method: 'notifications/initialized' }, { session: first })).status).toBe(202);
    await listening.body?.cancel();
  });

  it('is refused where all that the caller may have are in use', async () => {
    const sessions = [await open(), await open()];
    const listening = await Promise.all(sessions.map((session) => send(undefined, { session, method: 'GET' })));
    expect(await outcomeOf(await send({ id: 0, method: 'initialize' }))).toEqual([429, 'too_many_sessions']);
    await open({ key: ben });
    for (const stream of listening) await stream.body?.cancel();
  });

  it('is not left behind by a caller that goes away while it is opened', async () => {
    const opened = new Promise<ServerResponse>((resolve) => upstream.handle((_request, response) => resolve(response.writeHead(200, { 'content-type': 'text/event-stream' }))));
    const caller = new AbortController();
    const sent = send({ id: 0, method: 'initialize' }, { signal: caller.signal });
    const stream = await opened;
    stream.flushHeaders();
    const closed = once(stream, 'close');
    caller.abort();
    await expect(sent).rejects.toThrow();
    await closed;
  });

  it('ends with its upstream’s stream: what was asked fails, and the id is good for nothing', async () => {
    const session = await open();
    const listening = await send(undefined, { session, method: 'GET' });
    const asked = await send(ping, { session });
    streams[0]?.destroy();
    expect(await allOf(asked)).toMatchObject([{ id: 1, error: { data: { code: 'upstream_failed', server: 'default/orders' } } }]);
    expect(await allOf(listening)).toEqual([]);
    expect(await outcomeOf(await send(ping, { session }))).toEqual([404, 'session_not_found']);
  });

  it('ends when the upstream does not know it any more', async () => {
    const session = await open();
    upstream.handle((_request, response) => void response.writeHead(404).end());
    expect((await send(ping, { session })).status).toBe(404);
    expect(await outcomeOf(await send(ping, { session }))).toEqual([404, 'session_not_found']);
  });
});

describe('what is asked', () => {
  it('is answered by id, whichever comes first', async () => {
    const session = await open();
    const [one, two] = [await send({ ...ping, id: 1 }, { session }), await send({ ...ping, id: '1' }, { session })];
    say({ id: '1', result: 'two' });
    say({ id: 1, result: 'one' });
    expect([await allOf(one), await allOf(two)]).toMatchObject([[{ result: 'one' }], [{ result: 'two' }]]);
  });

  it('cannot have the id of something that is not answered yet', async () => {
    const session = await open();
    const first = await send(ping, { session });
    expect(await outcomeOf(await send(ping, { session }))).toEqual([400, 'invalid_request']);
    say({ id: 1, result: {} });
    expect(await allOf(first)).toHaveLength(1);
  });

  it('in a batch is answered on one stream (MCP 2025-03-26)', async () => {
    const session = await open();
    const body = JSON.stringify([{ jsonrpc: '2.0', id: 1, method: 'a' }, { jsonrpc: '2.0', method: 'b' }, { jsonrpc: '2.0', id: 2, method: 'c' }]);
    const response = await fetch(`${dataPlane.url}/mcp/default/orders`, { method: 'POST', headers: { authorization: `Bearer ${ana}`, 'content-type': 'application/json', 'mcp-session-id': session }, body });
    say({ id: 2, result: 2 });
    say({ id: 1, result: 1 });
    expect((await allOf(response)).map(({ id }) => id)).toEqual([2, 1]);
  });

  it('and cancelled is waited for no longer', async () => {
    const session = await open();
    const asked = await send(ping, { session });
    expect((await send({ method: 'notifications/cancelled', params: { requestId: 1 } }, { session })).status).toBe(202);
    expect(await allOf(asked)).toEqual([]);
    const again = await send(ping, { session });
    expect(again.status).toBe(200);
    await again.body?.cancel();
  });

  it('fails when the upstream says nothing in time', async () => {
    const session = await open({ server: 'hurried' });
    expect(await allOf(await send(ping, { session, server: 'hurried' }))).toMatchObject([{ id: 1, error: { data: { code: 'upstream_timeout' } } }]);
    expect((await send({ method: 'notifications/initialized' }, { session, server: 'hurried' })).status).toBe(202);
  });

  it('and is still answered to nobody when its caller has gone: going away cancels nothing', async () => {
    const session = await open();
    const caller = new AbortController();
    await send(ping, { session, signal: caller.signal });
    caller.abort();
    expect(upstream.requests.some(({ body }) => body.includes('cancelled'))).toBe(false);
    expect(await outcomeOf(await send(ping, { session }))).toEqual([400, 'invalid_request']);
  });
});

describe('what the upstream says of itself', () => {
  it('waits for a stream that it can go to', async () => {
    const session = await open();
    say({ method: 'notifications/a' });
    say({ id: 7, method: 'roots/list' });
    const heard = messagesOf(await send(undefined, { session, method: 'GET' }));
    expect([(await heard.next()).value, (await heard.next()).value]).toMatchObject([{ method: 'notifications/a' }, { id: 7, method: 'roots/list' }]);
    await heard.return();
  });

  it('goes with what was asked first where nobody listens otherwise', async () => {
    const session = await open();
    const [one, two] = [await send({ ...ping, id: 1 }, { session }), await send({ ...ping, id: 2 }, { session })];
    say({ method: 'notifications/a' });
    say({ id: 1, result: {} });
    say({ id: 2, result: {} });
    expect([await allOf(one), await allOf(two)]).toMatchObject([[{ method: 'notifications/a' }, { id: 1 }], [{ id: 2 }]]);
  });
});

describe('a caller that reads slowly', () => {
  it('gets everything in the end, in order, though no more than a little of it waits here', async () => {
    const session = await open();
    const listening = await send(undefined, { session, method: 'GET' });
    const padding = 'x'.repeat(50_000);
    for (let index = 0; index < 400; index += 1) say({ method: 'notifications/a', params: { index, padding } });
    say({ method: 'notifications/last' });
    // The socket that is written to holds what nobody takes from it; the gateway has paused long before.
    await send({ method: 'notifications/initialized' }, { session });
    let next = 0;
    for await (const { method, params } of messagesOf(listening)) {
      if (method === 'notifications/last') break;
      expect(params?.index).toBe(next);
      next += 1;
    }
    expect(next).toBe(400);
  });

  it('and does not listen at all hears it with the next answer', async () => {
    const session = await open();
    for (let index = 0; index < 10; index += 1) say({ method: 'notifications/a', params: { index, padding: 'x'.repeat(50_000) } });
    const asked = await send(ping, { session });
    say({ id: 1, result: {} });
    expect((await allOf(asked)).map(({ params, id }) => params?.index ?? `answer ${String(id)}`)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 'answer 1']);
  });

  it('cannot be given a message that is larger than what may wait: the session fails', async () => {
    const session = await open();
    const asked = await send(ping, { session });
    say({ id: 1, result: 'x'.repeat(200_000) });
    expect(await allOf(asked)).toMatchObject([{ id: 1, error: { data: { code: 'upstream_failed' } } }]);
  });
});

describe('an upstream that is not as it should be', () => {
  const initialize = { id: 0, method: 'initialize' };

  it.each([
    ['posts to another origin', 'https://evil.example/messages'],
    ['posts to another port of its host', 'http://127.0.0.1:1/messages'],
  ])('%s: nothing is posted', async (_, endpoint) => {
    upstream.handle(answerInitialize(endpoint));
    expect(await outcomeOf(await send(initialize))).toEqual([502, 'upstream_failed']);
    expect(upstream.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it.each<[string, RecordingHandler, number, string]>([
    ['refuses the stored credential', (_request, response) => void response.writeHead(401).end(), 502, 'upstream_rejected_credentials'],
    ['redirects', (_request, response) => void response.writeHead(302, { location: 'https://evil.example/' }).end(), 502, 'upstream_redirected'],
    ['has no stream', (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('hello'), 502, 'upstream_failed'],
    ['ends its stream before it says where to post', (_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(), 502, 'upstream_failed'],
    ['hangs up', (_request, response) => void response.destroy(), 502, 'upstream_failed'],
  ])('%s', async (_, handler, status, code) => {
    upstream.handle(handler);
    expect(await outcomeOf(await send(initialize))).toEqual([status, code]);
  });

  it('never says where to post', async () => {
    upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hi\n\n'));
    expect(await outcomeOf(await send(initialize, { server: 'hurried' }))).toEqual([504, 'upstream_timeout']);
  });
});

import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { modernVersion, type RawAnswer, type RawMessage, type RawOptions, sendRaw, sendText, textIn } from '../support/raw-mcp.ts';
import { headerValue, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* Members trust neither each other nor callers; callers of one member, and its sessions, have nothing of each other. */

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly arguments?: { readonly text?: string }; readonly _meta?: { readonly progressToken?: string | number } };
}
/** Answers what it wants to, before the small server of these specs does. */
type Own = (message: Message, response: ServerResponse, request: RecordedRequest) => boolean;

let one: RecordingUpstream;
let two: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let key: string;

const agentAuth = { type: 'api-key' } as const;
const json = (response: ServerResponse, body: object, status = 200, headers: Readonly<Record<string, string>> = {}): void => void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const stream = (response: ServerResponse, ...messages: (object | string)[]): ServerResponse => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const message of messages) response.write(typeof message === 'string' ? message : `data: ${JSON.stringify(message)}\n\n`);
  return response;
};
const messageOf = ({ body }: RecordedRequest): Message => (body.length === 0 ? {} : (JSON.parse(body.toString()) as Message));
const methodsAt = ({ requests }: RecordingUpstream): (string | undefined)[] => requests.map((request) => (request.method === 'POST' ? messageOf(request).method : request.method));

let sessions = 0;

/** A member of the legacy era that knows nothing of the other one. */
function isLegacy(upstream: RecordingUpstream, tools: readonly string[], own: Own = () => false): void {
  upstream.handle((request, response) => {
    const message = messageOf(request);
    const { id, method, params } = message;
    if (headerValue(request, 'mcp-protocol-version') === modernVersion) return json(response, { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Bad request' } }, 400);
    if (own(message, response, request)) return;
    if (request.method !== 'POST') return void response.writeHead(request.method === 'GET' ? 405 : 200).end();
    if (id === undefined) return void response.writeHead(202).end();
    if (method === 'initialize') return json(response, { jsonrpc: '2.0', id, result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'legacy', version: '1' } } }, 200, { 'mcp-session-id': `session-${(sessions += 1)}` });
    if (method === 'tools/list') return json(response, { jsonrpc: '2.0', id, result: { tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })) } });
    return json(response, { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: params?.arguments?.text ?? '' }] } });
  });
}

function isModern(upstream: RecordingUpstream, tools: readonly string[], own: Own = () => false): void {
  upstream.handle((request, response) => {
    const message = messageOf(request);
    const { id, method } = message;
    if (headerValue(request, 'mcp-protocol-version') !== modernVersion) return json(response, { jsonrpc: '2.0', id: null, error: { code: -32022, message: 'Unsupported' } }, 400);
    if (own(message, response, request)) return;
    if (method === 'server/discover') return json(response, { jsonrpc: '2.0', id, result: { resultType: 'complete', supportedVersions: [modernVersion], capabilities: { tools: {}, prompts: {}, resources: {} } } });
    if (method === 'tools/list') return json(response, { jsonrpc: '2.0', id, result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private', tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })) } });
    if (method === 'tools/call') return json(response, { jsonrpc: '2.0', id, result: { resultType: 'complete', content: [] } });
    return json(response, { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } }, 404);
  });
}

beforeAll(async () => {
  [one, two, dataPlane] = await Promise.all([startRecordingUpstream(), startRecordingUpstream(), startInProcessDataPlane({ GATEHOUSE_RESPONSE_TIMEOUT_MS: '4000' })]);
  key = await dataPlane.addServiceAccount('ana');
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([one.close(), two.close()]);
});
beforeEach(() => {
  one.requests.length = two.requests.length = 0;
});

let published = 0;

/** A virtual server, each time a new one, of these members. */
async function publish(members: Readonly<Record<string, object>>, more: object = {}): Promise<string> {
  const number = (published += 1);
  const named = Object.entries(members).map(([name, server], index) => ({ name: `${name}-${number}`, upstream: { url: index === 0 ? one.url : two.url }, agentAuth, ...server }));
  const name = `virtual-${number}`;
  await dataPlane.publish(...named, { name, type: 'virtual', agentAuth, members: named.map((member) => ({ server: member.name })), ...more });
  return name;
}

const urlOf = (server: string): string => `${dataPlane.url}/mcp/default/${server}`;
const as = (session?: string): Record<string, string> => ({ authorization: `Bearer ${key}`, ...(session !== undefined && { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' }) });
const send = (server: string, method: string, params: Record<string, unknown> = {}, options: RawOptions = {}): Promise<RawAnswer> => sendRaw(urlOf(server), method, params, { ...options, headers: { ...as(), ...options.headers } });
const call = (server: string, name: string, options?: RawOptions, args: object = {}): Promise<RawAnswer> => send(server, 'tools/call', { name, arguments: args }, options);

async function begin(server: string): Promise<{ readonly headers: Record<string, string> }> {
  const { headers } = await send(server, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'spec', version: '1' } });
  return { headers: as(headers.get('mcp-session-id') ?? '') };
}

/** The messages of an answer that is a stream. */
async function streamed(server: string, body: object, headers: Readonly<Record<string, string>>): Promise<{ readonly ids: string[]; readonly messages: RawMessage[] }> {
  const response = await fetch(urlOf(server), { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers }, body: JSON.stringify(body) });
  const text = await response.text();
  return { ids: [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id ?? ''), messages: [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => JSON.parse(data ?? '') as RawMessage) };
}

describe('P32 callers that share a session with a member', () => {
  it('have their own answers, though all of them count from 1', async () => {
    const held: { readonly message: Message; readonly response: ServerResponse }[] = [];
    isLegacy(one, ['echo'], (message, response) => {
      if (message.method !== 'tools/call') return false;
      held.push({ message, response });
      if (held.length < 3) return true;
      // The last is answered first, as servers may.
      for (const { message: { id, params }, response: to } of held.reverse()) {
        const token = params?._meta?.progressToken;
        stream(to, { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: token, progress: 1 } }, { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: params?.arguments?.text }] } }).end();
      }
      return true;
    });
    const server = await publish({ legacy: {} });
    const meta = { 'io.modelcontextprotocol/protocolVersion': modernVersion, 'io.modelcontextprotocol/clientCapabilities': {}, progressToken: 1 };
    const headers = { ...as(), 'mcp-protocol-version': modernVersion, 'mcp-method': 'tools/call', 'mcp-name': 'echo' };
    const answers = await Promise.all(['a', 'b', 'c'].map((text) => streamed(server, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { text }, _meta: meta } }, headers)));
    expect(answers.map(({ messages }) => messages)).toEqual(['a', 'b', 'c'].map((text) => [
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } },
      { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text }], resultType: 'complete' } },
    ]));
    expect([new Set(held.map(({ message }) => message.id)).size, new Set(held.map(({ message }) => message.params?._meta?.progressToken)).size]).toEqual([3, 3]);
  });

  it('and what the gateway refuses in the member’s place has their id', async () => {
    isLegacy(one, ['echo', 'denied']);
    const server = await publish({ legacy: { access: { tools: { deny: ['denied'] } } } });
    await call(server, 'echo');
    const { message } = await call(server, 'denied', { id: 'mine' });
    expect([message.id, message.error?.code]).toEqual(['mine', -32602]);
  });

  it('nor does the gateway ask for lists under their ids', async () => {
    isLegacy(one, ['echo']);
    const server = await publish({ legacy: {} });
    expect((await send(server, 'tools/list', {}, { ...(await begin(server)), id: 'mine' })).message.id).toBe('mine');
    expect(one.requests.map(messageOf).find(({ method }) => method === 'tools/list')?.id).toMatch(/^gatehouse-/);
  });
});

describe('P32 a request without an id', () => {
  it.each([[{}], [{ id: null }], [{ id: true }]])('reaches no member: %j', async (id) => {
    isLegacy(one, ['danger']);
    isLegacy(two, ['danger']);
    const server = await publish({ a: {}, b: {} }, { access: { tools: { deny: ['danger'] } } });
    const { headers } = await begin(server);
    one.requests.length = two.requests.length = 0;
    for (const method of ['tools/call', 'resources/subscribe', 'anything']) {
      const { status, message } = await sendText(urlOf(server), JSON.stringify({ jsonrpc: '2.0', ...id, method, params: { name: 'danger', arguments: {} } }), headers);
      expect([status, message.error?.code]).toEqual([400, -32600]);
    }
    expect([one.requests, two.requests]).toEqual([[], []]);
  });

  it('is a notification, if it is one that clients send', async () => {
    isLegacy(one, ['echo']);
    const server = await publish({ legacy: {} });
    const session = await begin(server);
    one.requests.length = 0;
    for (const method of ['notifications/initialized', 'notifications/cancelled', 'notifications/progress', 'notifications/roots/list_changed', 'notifications/tools/call', 'notifications/message']) {
      expect((await send(server, method, {}, { ...session, id: null })).status).toBe(202);
    }
    expect(methodsAt(one)).toEqual(['notifications/initialized', 'notifications/cancelled', 'notifications/progress', 'notifications/roots/list_changed']);
  });
});

const forged = { jsonrpc: '2.0', id: 77, result: { content: [{ type: 'text', text: 'forged' }] } };

describe('P32 a member answers what it was asked, and nothing else', () => {
  it.each(['legacy', 'modern'] as const)('on a stream, of the %s era', async (era) => {
    const own: Own = ({ id, method }, response) => {
      if (method !== 'tools/call') return false;
      stream(response, forged, `data: {"jsonrpc":"2.0","id":77,"id":${JSON.stringify(id)},"result":{}}\n\n`, { jsonrpc: '2.0', id: 5, method: 'elicitation/create', params: {} }, { jsonrpc: '2.0', id, result: { content: [] } }).end();
      return true;
    };
    (era === 'legacy' ? isLegacy : isModern)(one, ['evil'], own);
    const server = await publish({ evil: {} });
    const member = `evil-${published}`;
    const { headers } = await begin(server);
    const { messages } = await streamed(server, { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'evil', arguments: {} } }, headers);
    // What a legacy one asks says whose question it is; one of the modern era has none.
    expect(messages.map(({ id }) => id)).toEqual(era === 'legacy' ? [`gatehouse:${member}:5`, 3] : [3]);
  });

  it.each([['legacy', 'legacy'], ['modern', 'legacy'], ['legacy', 'modern'], ['modern', 'modern']] as const)('as a document: a %s client, a %s member', async (client, era) => {
    const own: Own = ({ method }, response) => method === 'tools/call' && (json(response, forged), true);
    (era === 'legacy' ? isLegacy : isModern)(one, ['evil'], own);
    const server = await publish({ evil: {} });
    const { status, message } = await call(server, 'evil', client === 'modern' ? { modern: {} } : await begin(server));
    expect([status, message.id, message.error?.data?.['code']]).toEqual([502, 1, 'upstream_failed']);
  });

  it('where it is listened to it answers nothing, and where a call goes on, that one', async () => {
    const told = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'told' } };
    isLegacy(one, ['evil'], ({ id, method }, response, request) => {
      if (request.method === 'GET') {
        stream(response, forged, { jsonrpc: '2.0', id: 3, result: { content: [] } }, told).end();
        return true;
      }
      if (method !== 'tools/call') return false;
      stream(response, 'id: own\ndata: \n\n', { jsonrpc: '2.0', id, result: { content: [] } }).end();
      return true;
    });
    const server = await publish({ evil: {} });
    const { headers } = await begin(server);
    const { ids: [eventId = ''] } = await streamed(server, { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'evil', arguments: {} } }, headers);
    const listen = async (more: Record<string, string> = {}): Promise<string> => (await fetch(urlOf(server), { headers: { accept: 'text/event-stream', ...headers, ...more } })).text();
    const dataOf = (text: string): unknown[] => [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => JSON.parse(data ?? '') as unknown);
    expect(dataOf(await listen())).toEqual([told]);
    expect(dataOf(await listen({ 'last-event-id': eventId }))).toEqual([{ jsonrpc: '2.0', id: 3, result: { content: [] } }, told]);
    expect(one.requests.filter(({ method }) => method === 'GET').map((request) => headerValue(request, 'last-event-id'))).toEqual([undefined, 'own']);
  });
});

describe('P32 a member’s session', () => {
  it.each([
    ['has moved to another URL', (name: string) => dataPlane.publish({ name, upstream: { url: two.url }, agentAuth })],
    ['is another one of that name', async (name: string) => {
      await dataPlane.remove(name);
      await dataPlane.publish({ name, upstream: { url: two.url }, agentAuth });
    }],
  ])('is told to no other upstream once the member %s', async (_case, change) => {
    isLegacy(one, ['echo']);
    isLegacy(two, ['echo']);
    const server = await publish({ moves: {} });
    const session = await begin(server);
    const before = new Set(Array.from({ length: sessions }, (_, index) => `session-${index + 1}`));
    await change(`moves-${published}`);
    expect(textIn(await call(server, 'echo', session, { text: 'hi' }))).toBe('hi');
    expect(two.requests.length).toBeGreaterThan(0);
    expect(two.requests.filter((request) => before.has(headerValue(request, 'mcp-session-id') ?? ''))).toEqual([]);
  });

  it('that is never begun holds up no call', async () => {
    isLegacy(one, ['echo'], ({ method }, response) => {
      if (method !== 'initialize') return false;
      const writing = setInterval(() => response.write(': still here\n\n'), 50);
      response.on('close', () => clearInterval(writing));
      stream(response, ': still here\n\n');
      return true;
    });
    const { status, message } = await call(await publish({ dribbles: {} }), 'echo');
    expect([status, message.error?.data?.['code']]).toEqual([504, 'upstream_timeout']);
  });

  it('of a caller that nobody knows ends with its stream, also when that caller has left', async () => {
    const { promise: listening, resolve: isListening } = Promise.withResolvers<void>();
    const { promise: ended, resolve: isEnded } = Promise.withResolvers<string | undefined>();
    let hasLeft = false;
    isLegacy(one, ['echo'], (_message, response, request) => {
      if (request.method === 'DELETE' && hasLeft) isEnded(headerValue(request, 'mcp-session-id'));
      if (request.method !== 'GET') return false;
      stream(response, ': listening\n\n');
      isListening();
      return true;
    });
    const open = { type: 'passthrough' } as const;
    const server = await publish({ open: { agentAuth: open } }, { agentAuth: open });
    await send(server, 'server/discover', {}, { modern: {}, headers: { authorization: '' } });
    while (!methodsAt(one).includes('DELETE')) await new Promise((resolve) => setImmediate(resolve));
    const leaving = new AbortController();
    const meta = { 'io.modelcontextprotocol/protocolVersion': modernVersion, 'io.modelcontextprotocol/clientCapabilities': {} };
    const response = await fetch(urlOf(server), {
      method: 'POST', signal: leaving.signal,
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': modernVersion, 'mcp-method': 'subscriptions/listen' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true }, _meta: meta } }),
    });
    expect(response.status).toBe(200);
    await listening;
    hasLeft = true;
    leaving.abort();
    expect(await ended).toBe(`session-${sessions}`);
  });
});

describe('P32 headers and statuses between eras', () => {
  it('what mirrors a call’s arguments goes with the call, and to no other member', async () => {
    isModern(one, ['other']);
    isModern(two, ['pay']);
    const server = await publish({ other: {}, pays: {} });
    await call(server, 'pay', { modern: {}, headers: { 'mcp-param-card': '4242' } });
    const params = ({ requests }: RecordingUpstream): unknown[] => requests.map((request) => [messageOf(request).method, headerValue(request, 'mcp-param-card')]);
    expect([params(one), params(two)]).toEqual([[['tools/list', undefined]], [['tools/call', '4242']]]);
  });

  it('a legacy client’s session is not over because a modern member has no such method', async () => {
    isModern(one, ['echo']);
    const server = await publish({ modern: {} });
    const session = await begin(server);
    const { status, message } = await send(server, 'completion/complete', { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: '' } }, session);
    expect([status, message.id, message.error?.code]).toEqual([200, 1, -32601]);
  });

  it('nor because of a page that is not there', async () => {
    isModern(one, ['echo'], ({ method }, response) => method === 'prompts/get' && (response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not found</h1>'), true));
    const server = await publish({ modern: {} });
    const { status, message } = await send(server, 'prompts/get', { name: 'p' }, await begin(server));
    expect([status, message.error?.data?.['code']]).toEqual([502, 'upstream_failed']);
  });

  it.each([['legacy', -32_602, -32_002], ['modern', -32_002, -32_602]] as const)('a resource that is not there has the code of a %s client', async (client, code, becomes) => {
    const own: Own = ({ id, method }, response) => method === 'resources/read' && (json(response, { jsonrpc: '2.0', id, error: { code, message: 'Resource not found', data: { uri: 'x://y', code } } }), true);
    (client === 'legacy' ? isModern : isLegacy)(one, ['echo'], own);
    const server = await publish({ other: {} });
    const { message } = await send(server, 'resources/read', { uri: 'x://y' }, client === 'modern' ? { modern: {} } : await begin(server));
    expect(message.error).toEqual({ code: becomes, message: 'Resource not found', data: { uri: 'x://y', code } });
  });
});

import { randomUUID } from 'node:crypto';
import type { TokenAnswer } from '@gatehouse/access-tokens';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ana, ben, signAccessToken } from '../support/access-token.ts';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { type InProcessDataPlane, type SpecServer, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { headerValue, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startSpecBroker, type SpecBroker } from '../support/token-broker.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

interface Message {
  readonly id?: number | string;
  readonly result?: {
    readonly protocolVersion?: string;
    readonly isError?: boolean;
    readonly resultType?: string;
    readonly requestState?: string;
    readonly inputRequests?: Record<string, { params: Record<string, unknown> }>;
    readonly content?: { readonly text: string }[];
    readonly tools?: { readonly name: string; readonly title?: string }[];
    readonly supportedVersions?: string[];
  };
  readonly error?: { readonly code: number; readonly data: { readonly code?: string; readonly connectUrl?: string; readonly elicitations?: Record<string, unknown>[] } };
}

let upstream: RecordingUpstream;
let issuer: TokenIssuer;
let broker: SpecBroker;
let dataPlane: InProcessDataPlane;
let connected: Set<string>;
let names = 0;

const link = { connectUrl: 'https://gatehouse.example/connect/sealed-link', linkId: 'link-1', owner: 'app-1', app: 'GitHub', reason: 'not_connected' } as const;
const unconnected: TokenAnswer = { status: 'connect_required', ...link };

beforeAll(async () => {
  [upstream, issuer, broker] = await Promise.all([startRecordingUpstream(), startTokenIssuer(), startSpecBroker()]);
  dataPlane = await startPublicDataPlane(broker.environment);
  await dataPlane.publishAuthorizationServer(issuer);
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close(), broker.close()]);
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.handle(answerAsMcp);
  connected = new Set();
  broker.answer(({ subject }) => {
    const person = (subject as { person: string }).person;
    return connected.has(person) ? { status: 'token', accessToken: `token-of-${person}`, connection: `connection-${person}`, owner: 'app-1', person } : unconnected;
  });
});

async function publish(more: Partial<SpecServer> = {}): Promise<string> {
  const name = `github-${(names += 1)}`;
  await dataPlane.publish({ name, title: 'Code', upstream: { url: upstream.url }, agentAuth: { type: 'interactive' }, appAuth: { type: 'oauth-authorization-code', app: 'github' }, ...more });
  return name;
}
const headersFor = async (name: string, claims: object = ana): Promise<Record<string, string>> => ({
  'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${await signAccessToken(issuer, `${dataPlane.url}/mcp/default/${name}`, { ...claims })}`,
});
const rpc = (method: string, params: object = {}, id: number | null = 1): object => ({ jsonrpc: '2.0', ...(id !== null && { id }), method, params });
async function send(name: string, message: object, more: Record<string, string> = {}, claims: object = ana): Promise<{ status: number; session: string | null; message: Message }> {
  const response = await fetch(`${dataPlane.url}/mcp/default/${name}`, { method: 'POST', headers: { ...(await headersFor(name, claims)), ...more }, body: JSON.stringify(message) });
  const text = await response.text();
  return { status: response.status, session: response.headers.get('mcp-session-id'), message: (text === '' ? {} : JSON.parse(text)) as Message };
}
const clientInfo = { name: 'spec', version: '1' };
const initialize = async (name: string, capabilities: object = {}, protocolVersion = '2025-11-25'): Promise<string> =>
  (await send(name, rpc('initialize', { protocolVersion, capabilities, clientInfo }))).session ?? '';
const call = rpc('tools/call', { name: 'inspect', arguments: {} });
const version = '2026-07-28';
const modern = (params: object, capabilities: object = { elicitation: { url: {} } }, id = 1): object =>
  rpc('tools/call', { name: 'inspect', arguments: { a: 1 }, _meta: { 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': capabilities }, ...params }, id);
const modernHeaders = { 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': 'inspect' };
const methodsOf = (requests: readonly RecordedRequest[]): (string | undefined)[] => requests.map(({ body }) => (body.length === 0 ? undefined : (JSON.parse(body.toString()) as { method: string }).method));

describe('who is not connected', () => {
  it('gets a session, one tool, and nothing of it reaches the upstream', async () => {
    const name = await publish();
    const begun = await send(name, rpc('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }));
    const session = { 'mcp-session-id': begun.session ?? '' };
    expect([begun.status, begun.message.result?.protocolVersion, begun.session]).toEqual([200, '2025-06-18', expect.any(String)]);
    expect((await send(name, rpc('notifications/initialized', {}, null), session)).status).toBe(202);
    expect((await send(name, rpc('ping'), session)).message).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    expect((await send(name, rpc('tools/list'), session)).message.result?.tools).toMatchObject([{ name: 'connect_account', title: 'Connect GitHub' }]);
    expect((await fetch(`${dataPlane.url}/mcp/default/${name}`, { method: 'DELETE', headers: { ...(await headersFor(name)), ...session } })).status).toBe(200);
    expect(upstream.requests).toEqual([]);
  });

  it.each(['inspect', 'connect_account'])('is told by whatever is called, as text that a model reads: %s', async (tool) => {
    const name = await publish();
    const session = { 'mcp-session-id': await initialize(name) };
    const { status, message } = await send(name, rpc('tools/call', { name: tool }), session);
    expect([status, message.result?.isError, message.result?.content?.[0]?.text]).toEqual([200, true, expect.stringContaining(link.connectUrl)]);
  });

  it('is sent to the URL where the client opens URLs (MCP 2025-11-25)', async () => {
    const name = await publish();
    const session = { 'mcp-session-id': await initialize(name, { elicitation: { url: {} } }) };
    const { status, message } = await send(name, call, session);
    expect([status, message.error]).toMatchObject([200, { code: -32042, data: { elicitations: [{ mode: 'url', elicitationId: 'link-1', url: link.connectUrl }] } }]);
  });

  it('is not, where the client only shows forms', async () => {
    const name = await publish();
    const session = { 'mcp-session-id': await initialize(name, { elicitation: { form: {} } }) };
    expect((await send(name, call, session)).message.result?.isError).toBe(true);
  });

  it('gets an error with the link for what is no tool', async () => {
    const name = await publish();
    expect((await send(name, rpc('prompts/get', { name: 'p' }))).message.error).toMatchObject({ code: -32000, data: { code: 'connect_required', connectUrl: link.connectUrl } });
  });

  it('gets a clear answer over legacy HTTP+SSE too', async () => {
    const name = await publish();
    const response = await fetch(`${dataPlane.url}/sse/default/${name}`, { headers: { ...(await headersFor(name)), accept: 'text/event-stream' } });
    expect([response.status, ((await response.json()) as Message).error?.data.connectUrl]).toEqual([403, link.connectUrl]);
  });

  it('may call the tool that connects, whatever the rules for tools, and no other', async () => {
    const name = await publish({ access: { tools: { allow: ['list_*'] } } });
    const connect = await send(name, rpc('tools/call', { name: 'connect_account' }));
    expect(connect.message.result?.content?.[0]?.text).toContain(link.connectUrl);
    expect((await send(name, call)).message.error?.code).toBe(-32602);
    expect((await send(name, rpc('tools/list'))).message.result?.tools?.map(({ name: tool }) => tool)).toEqual(['connect_account']);
    connected.add(ana.sub);
    expect((await send(name, rpc('tools/call', { name: 'connect_account' }))).message.result?.isError).toBe(false);
    expect(upstream.requests).toEqual([]);
  });
});

describe('a session that began before there was a connection', () => {
  it('goes on over one that is opened as the client would have, once', async () => {
    const name = await publish();
    const capabilities = { elicitation: { url: {} }, roots: {} };
    const session = { 'mcp-session-id': await initialize(name, capabilities), 'mcp-protocol-version': '2025-11-25' };
    connected.add(ana.sub);
    upstream.handle((request, response) => {
      const { id, method } = JSON.parse(request.body.toString()) as { id?: number; method: string };
      if (id === undefined) return void response.writeHead(202).end();
      const result = method === 'initialize' ? { protocolVersion: '2025-03-26', capabilities: {}, serverInfo: clientInfo } : {};
      response.writeHead(200, { 'content-type': 'text/event-stream', ...(method === 'initialize' && { 'mcp-session-id': 'upstream-1' }) });
      response.end(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
    });
    const headers = { ...(await headersFor(name)), ...session };
    const calls = await Promise.all([1, 2, 3].map(() => fetch(`${dataPlane.url}/mcp/default/${name}`, { method: 'POST', headers, body: JSON.stringify(call) })));
    expect(calls.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(methodsOf(upstream.requests)).toEqual(['initialize', 'notifications/initialized', 'tools/call', 'tools/call', 'tools/call']);
    const [opened] = upstream.requests;
    expect(JSON.parse(opened?.body.toString() ?? '')).toMatchObject({ params: { protocolVersion: '2025-11-25', capabilities, clientInfo } });
    // The upstream knows its own session, and the version that it agreed on.
    expect(upstream.requests.slice(1).map((request) => [headerValue(request, 'mcp-session-id'), headerValue(request, 'mcp-protocol-version')])).toEqual(Array.from({ length: 4 }, () => ['upstream-1', '2025-03-26']));
    expect(new Set(upstream.requests.map((request) => headerValue(request, 'authorization')))).toEqual(new Set([`Bearer token-of-${ana.sub}`]));
  });

  it('is opened anew where the upstream has forgotten it, once', async () => {
    const name = await publish();
    const session = { 'mcp-session-id': await initialize(name) };
    connected.add(ana.sub);
    let opened = 0;
    upstream.handle((request, response) => {
      const { id, method } = JSON.parse(request.body.toString()) as { id?: number; method: string };
      if (method === 'initialize') opened += 1;
      const isForgotten = method === 'tools/call' && headerValue(request, 'mcp-session-id') === 'upstream-1' && opened === 1 && methodsOf(upstream.requests).filter((sent) => sent === 'tools/call').length > 1;
      response.writeHead(isForgotten ? 404 : id === undefined ? 202 : 200, { 'content-type': 'application/json', ...(method === 'initialize' && { 'mcp-session-id': `upstream-${opened}` }) });
      response.end(id === undefined ? undefined : JSON.stringify({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-11-25' } }));
    });
    expect([(await send(name, call, session)).status, (await send(name, call, session)).status]).toEqual([200, 200]);
    expect(methodsOf(upstream.requests)).toEqual(['initialize', 'notifications/initialized', 'tools/call', 'tools/call', 'initialize', 'notifications/initialized', 'tools/call']);
  });

  it.each([true, false])('is gone once its client has ended it, whether or not its person is connected by then: %s', async (isConnected) => {
    const name = await publish();
    const session = { 'mcp-session-id': await initialize(name) };
    const another = { 'mcp-session-id': await initialize(name) };
    if (isConnected) connected.add(ana.sub);
    const end = async (): Promise<number> => (await fetch(`${dataPlane.url}/mcp/default/${name}`, { method: 'DELETE', headers: { ...(await headersFor(name)), ...session } })).status;
    expect([await end(), (await send(name, rpc('tools/list'), session)).status, await end()]).toEqual([200, 404, 404]);
    expect((await send(name, rpc('tools/list'), another)).status).toBe(200);
  });

  it('is nobody else’s', async () => {
    const name = await publish();
    connected.add(ben.sub);
    expect((await send(name, call, { 'mcp-session-id': await initialize(name) }, ben)).status).toBe(404);
  });

  it('that was the upstream’s from the beginning stays so, and its client is still known when it must connect again', async () => {
    const name = await publish();
    connected.add(ana.sub);
    const session = { 'mcp-session-id': await initialize(name, { elicitation: { url: {} } }) };
    expect((await send(name, call, session)).status).toBe(200);
    expect(methodsOf(upstream.requests)).toEqual(['initialize', 'tools/call']);
    connected.clear();
    await dataPlane.withdraw(`connection-${ana.sub}`);
    expect((await send(name, call, session)).message.error?.code).toBe(-32042);
  });
});

describe('a revocation', () => {
  it.each([`connection-${ana.sub}`, 'app-1', ana.sub])('of %s: the next call has to connect again', async (subject) => {
    const name = await publish();
    connected.add(ana.sub);
    expect((await send(name, call)).message.result?.isError).toBeUndefined();
    connected.clear();
    expect((await send(name, call)).message.result?.isError).toBeUndefined();
    await dataPlane.withdraw(subject);
    expect((await send(name, call)).message.result?.isError).toBe(true);
  });
});

describe('a modern client that opens URLs (MCP 2026-07-28)', () => {
  const ask = async (name: string, params: object = {}, claims: object = ana): Promise<Message> => (await send(name, modern(params), modernHeaders, claims)).message;
  const answer = (requestState: string | undefined, action = 'accept'): object => ({ inputResponses: { gatehouse_connect: { action } }, requestState });

  /** Again and again, until that is done. */
  async function announce(waiting: Promise<unknown>): Promise<void> {
    let isAnswered = false;
    void waiting.then(() => (isAnswered = true));
    while (!isAnswered) {
      await dataPlane.channel.publishEvent({ connected: { owner: 'app-1', person: ana.sub, linkId: 'link-1' } });
      await new Promise(setImmediate);
    }
  }

  it('is asked to, and goes on where it was', async () => {
    const name = await publish();
    const asked = (await ask(name)).result;
    expect(asked).toMatchObject({ resultType: 'input_required', inputRequests: { gatehouse_connect: { method: 'elicitation/create', params: { mode: 'url', url: link.connectUrl, elicitationId: 'link-1' } } } });
    connected.add(ana.sub);
    expect((await ask(name, answer(asked?.requestState))).result?.resultType).toBe('complete');
    // Of what was for the gateway nothing goes further, and everything else does as it was.
    expect(upstream.requests.map(({ body }) => body.toString())).toEqual([JSON.stringify(modern({}))]);
  });

  it('may be faster than its person: the call waits until the account is connected', async () => {
    const name = await publish();
    const asked = (await ask(name)).result;
    const waiting = ask(name, answer(asked?.requestState));
    const asks = broker.requests.length;
    while (broker.requests.length === asks) await new Promise(setImmediate);
    connected.add(ana.sub);
    await announce(waiting);
    expect((await waiting).result?.resultType).toBe('complete');
  });

  it('that sends many at once has some of them wait; who finds no place is told at once', async () => {
    const name = await publish();
    const params = Array.from({ length: 17 }, (_, index) => ({ arguments: { index } }));
    const states = await Promise.all(params.map(async (one) => (await ask(name, one)).result?.requestState));
    const waiting = params.map((one, index) => ask(name, { ...one, ...answer(states[index]) }));
    expect((await Promise.race(waiting)).result?.resultType).toBe('input_required');
    connected.add(ana.sub);
    await announce(Promise.all(waiting));
    expect((await Promise.all(waiting)).filter(({ result }) => result?.resultType === 'complete').length).toBe(16);
  });

  it('is not asked again after its person refused', async () => {
    const name = await publish();
    const asked = (await ask(name)).result;
    expect((await ask(name, answer(asked?.requestState, 'decline'))).result).toMatchObject({ resultType: 'complete', isError: true });
  });

  it.each<[string, (name: string, state: string) => Promise<Message>]>([
    ['forged', (name, state) => ask(name, answer(`${state.slice(0, 40)}${state[40] === 'A' ? 'B' : 'A'}${state.slice(41)}`))],
    ['another person’s', (name, state) => ask(name, answer(state), ben)],
    ['for another request', (name, state) => ask(name, { ...answer(state), arguments: { a: 2 } })],
    ['for another server', async (_name, state) => ask(await publish(), answer(state))],
    ['none of ours', (name) => ask(name, answer('opaque'))],
    ['no text', (name) => ask(name, answer(5 as never))],
    ['not there', (name) => ask(name, answer(undefined))],
  ])('state that is %s says nothing, and goes no further than the gateway, which asked', async (_name, use) => {
    const name = await publish();
    const state = (await ask(name)).result?.requestState ?? '';
    expect((await use(name, state)).result?.resultType).toBe('input_required');
    connected = new Set([ana.sub, ben.sub]);
    await use(name, state);
    expect(upstream.requests.map(({ body }) => /requestState|inputResponses/.test(body.toString()))).toEqual([false]);
  });

  it('what answers the upstream goes to the upstream as it is', async () => {
    const name = await publish();
    connected.add(ana.sub);
    const answers = { inputResponses: { name: { action: 'accept', content: { a: 1 } } }, requestState: 'opaque' };
    await ask(name, answers);
    expect(upstream.requests.map(({ body }) => body.toString())).toEqual([JSON.stringify(modern(answers))]);
  });

  it('may come back as late as the way to the provider and back allows: the call waits even then', async () => {
    const name = await publish();
    const asked = (await ask(name)).result;
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      vi.setSystemTime(Date.now() + 20 * 60_000);
      const asks = broker.requests.length;
      const waiting = ask(name, answer(asked?.requestState));
      while (broker.requests.length === asks) await new Promise(setImmediate);
      connected.add(ana.sub);
      await announce(waiting);
      expect((await waiting).result?.resultType).toBe('complete');
    } finally {
      vi.useRealTimers();
    }
  });

  it('that sends the same again waits once: what waited before is told', async () => {
    const name = await publish();
    const { requestState } = (await ask(name)).result ?? {};
    const waiting = Array.from({ length: 5 }, () => ask(name, answer(requestState)));
    const told: Message[] = [];
    for (const one of waiting) void one.then((message) => told.push(message));
    while (told.length < 4) await new Promise(setImmediate);
    expect(told.map(({ result }) => result?.resultType)).toEqual(Array.from({ length: 4 }, () => 'input_required'));
    connected.add(ana.sub);
    await announce(Promise.all(waiting));
    expect((await Promise.all(waiting)).filter(({ result }) => result?.resultType === 'complete').length).toBe(1);
  });

  it('without the capability it gets the text', async () => {
    const name = await publish();
    const { message } = await send(name, modern({}, {}), modernHeaders);
    expect(message.result).toMatchObject({ resultType: 'complete', isError: true });
  });

  it('can discover the server, and lists the one tool', async () => {
    const name = await publish();
    const meta = { _meta: { 'io.modelcontextprotocol/protocolVersion': version } };
    const ofMethod = async (method: string): Promise<Message> => (await send(name, rpc(method, meta), { 'mcp-protocol-version': version, 'mcp-method': method })).message;
    expect((await ofMethod('server/discover')).result?.supportedVersions).toEqual([version]);
    expect((await ofMethod('tools/list')).result).toMatchObject({ resultType: 'complete', cacheScope: 'private', tools: [{ name: 'connect_account' }] });
  });

  it('cannot discover one whose upstream turned out to know sessions only, until it knows more: it settles on what lasts', async () => {
    const name = await publish();
    const meta = { _meta: { 'io.modelcontextprotocol/protocolVersion': version } };
    const discover = (claims: object) => send(name, rpc('server/discover', meta), { 'mcp-protocol-version': version, 'mcp-method': 'server/discover' }, claims);
    connected.add(ben.sub);
    upstream.handle((_request, response) => void response.writeHead(400).end());
    expect((await fetch(`${dataPlane.url}/mcp/default/${name}`, { method: 'POST', headers: { ...(await headersFor(name, ben)), 'mcp-protocol-version': version, 'mcp-method': 'server/discover' }, body: JSON.stringify(rpc('server/discover', meta)) })).status).toBe(400);
    expect(await discover(ana)).toMatchObject({ status: 400, message: { error: { code: -32601 } } });
    upstream.handle(answerAsMcp);
    await discover(ben);
    expect((await discover(ana)).message.result?.supportedVersions).toEqual([version]);
  });
});

describe('the stream of who waits', () => {
  it('says that the account is connected, and ends: the next one is the upstream’s', async () => {
    const name = await publish();
    const session = await initialize(name, { elicitation: { url: {} } });
    const stream = await fetch(`${dataPlane.url}/mcp/default/${name}`, { headers: { ...(await headersFor(name)), accept: 'text/event-stream', 'mcp-session-id': session } });
    expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    await dataPlane.channel.publishEvent({ connected: { owner: 'app-1', person: randomUUID(), linkId: 'another' } });
    await dataPlane.channel.publishEvent({ connected: { owner: 'app-2', person: ana.sub, linkId: 'another app' } });
    await dataPlane.channel.publishEvent({ connected: { owner: 'app-1', person: ana.sub, linkId: 'link-1' } });
    const text = await stream.text();
    expect(text).toContain('{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":"link-1"}}');
    expect(text).toContain('notifications/tools/list_changed');
    expect(text).not.toContain('another');
  });

  it('is the upstream’s own where there was a connection: it says so between two events, and goes on', async () => {
    const name = await publish();
    connected.add(ana.sub);
    const session = await initialize(name, { elicitation: { url: {} } });
    let write: (text: string) => void = () => undefined;
    upstream.handle((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      write = (text) => void response.write(text);
      write('data: {"first":1}\n\ndata: {"sec');
    });
    const stream = await fetch(`${dataPlane.url}/mcp/default/${name}`, { headers: { ...(await headersFor(name)), accept: 'text/event-stream', 'mcp-session-id': session } });
    let text = '';
    const reader = (stream.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
    const until = async (expected: string): Promise<void> => {
      while (!text.includes(expected)) text += (await reader.read()).value ?? '';
    };
    await until('{"sec');
    await dataPlane.channel.publishEvent({ connected: { owner: 'app-2', person: ana.sub, linkId: 'another app' } });
    await dataPlane.channel.publishEvent({ connected: { owner: 'app-1', person: ana.sub, linkId: 'link-1' } });
    await new Promise(setImmediate);
    write('ond":2}\n\n');
    await until('tools/list_changed');
    write('data: {"third":3}\n\n');
    await until('"third"');
    expect(text.indexOf('"second":2}\n\nevent: message\ndata: {"jsonrpc":"2.0","method":"notifications/elicitation/complete"')).toBeGreaterThan(0);
    expect(text).not.toContain('another');
    await reader.cancel();
  });
});

import { randomBytes } from 'node:crypto';
import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startConformanceUpstream } from '../support/conformance-upstream.ts';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { textOf } from '../support/mcp-clients/mcp-client.ts';
import { startSampleSseUpstream } from '../support/mcp-sample-sse-upstream.ts';
import type { SampleUpstream } from '../support/mcp-sample-upstream.ts';
import { type RawAnswer, type RawOptions, sendRaw, textIn } from '../support/raw-mcp.ts';
import type { RunningUpstream } from '../support/serve-both-eras.ts';
import { type MemberUpstream, startMemberUpstream } from '../support/virtual-members.ts';

let one: MemberUpstream;
let two: MemberUpstream;
let asking: RunningUpstream;
let sse: SampleUpstream;
let first: InProcessDataPlane;
let second: InProcessDataPlane;
let ana: string;
let ben: string;

const agentAuth = { type: 'api-key' } as const;

beforeAll(async () => {
  const fleet = { key: randomBytes(32), channel: createMemoryChannel() };
  [one, two, asking, sse, first, second] = await Promise.all([
    startMemberUpstream('one', { only: 'legacy' }), startMemberUpstream('two', { only: 'legacy' }), startConformanceUpstream(), startSampleSseUpstream(),
    startInProcessDataPlane({}, fleet), startInProcessDataPlane({}, fleet),
  ]);
  await first.publish(
    { name: 'one', upstream: { url: one.url }, agentAuth },
    { name: 'two', upstream: { url: two.url }, agentAuth },
    { name: 'asking', upstream: { url: asking.url }, agentAuth },
    { name: 'sse', upstream: { url: sse.url, transport: 'sse' }, agentAuth },
    { name: 'both', type: 'virtual', agentAuth, members: [{ server: 'one', prefix: '1_' }, { server: 'two', prefix: '2_' }] },
    { name: 'other', type: 'virtual', agentAuth, members: [{ server: 'one' }] },
    { name: 'asks', type: 'virtual', agentAuth, members: [{ server: 'one', prefix: '1_' }, { server: 'asking' }] },
    { name: 'streams', type: 'virtual', agentAuth, members: [{ server: 'sse' }] },
  );
  [ana, ben] = [await first.addServiceAccount('ana'), await first.addServiceAccount('ben')];
  // Of one fleet: what the first serves, the second serves too.
  while ((await send(second, 'both', 'ping', {}, { headers: as(ben) })).status !== 200);
});
afterAll(async () => {
  await Promise.all([first.close(), second.close()]);
  await Promise.all([one, two, asking, sse].map((upstream) => upstream.close()));
});

const as = (key: string, session?: string): Record<string, string> => ({ authorization: `Bearer ${key}`, ...(session !== undefined && { 'mcp-session-id': session }) });
const send = (plane: InProcessDataPlane, server: string, method: string, params?: Record<string, unknown>, options?: RawOptions): Promise<RawAnswer> => sendRaw(`${plane.url}/mcp/default/${server}`, method, params, options);

async function initialize(server = 'both', key = ana): Promise<string> {
  const { headers, message } = await send(first, server, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'spec', version: '1' } }, { headers: as(key) });
  expect(message.result).toMatchObject({ protocolVersion: '2025-11-25' });
  const session = headers.get('mcp-session-id') ?? '';
  expect((await send(first, server, 'notifications/initialized', {}, { id: null, headers: as(key, session) })).status).toBe(202);
  return session;
}

/** Members of these specs answer on streams: the data of the one event. */
async function call(plane: InProcessDataPlane, name: string, session: string, server = 'both'): Promise<string> {
  const response = await fetch(`${plane.url}/mcp/default/${server}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...as(ana, session) },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: { text: 'hi' } } }),
  });
  const text = await response.text();
  const data = /^data: (\{.*)$/m.exec(text)?.[1] ?? text;
  return textIn({ status: response.status, headers: response.headers, message: JSON.parse(data) as RawAnswer['message'] });
}

const sessionsAt = (upstream: MemberUpstream): Set<unknown> => new Set(upstream.requests.map(({ headers }) => headers['mcp-session-id']).filter((id) => id !== undefined));

describe('P32 the one session of a legacy client with a virtual server', () => {
  it('is one with each member, and says nothing of theirs', async () => {
    one.requests.length = two.requests.length = 0;
    const session = await initialize();
    expect([await call(first, '1_echo', session), await call(first, '2_echo', session), await call(first, '1_echo', session)]).toEqual(['one echo hi', 'two echo hi', 'one echo hi']);
    expect([sessionsAt(one).size, sessionsAt(two).size]).toEqual([1, 1]);
    for (const id of [...sessionsAt(one), ...sessionsAt(two)]) expect(session).not.toContain(id);
  });

  it('is opened by any replica, which goes on in the members’ sessions', async () => {
    const session = await initialize();
    await call(first, '1_echo', session);
    one.requests.length = 0;
    expect(await call(second, '1_echo', session)).toBe('one echo hi');
    expect(one.requests.map(({ method }) => method)).toEqual(['POST']);
  });

  it('goes on with a member that has forgotten its own, on each replica', async () => {
    const session = await initialize();
    await one.forgetSessions?.();
    for (const plane of [first, first, second]) expect(await call(plane, '1_echo', session)).toBe('one echo hi');
    one.requests.length = 0;
    expect(await call(first, '1_echo', session)).toBe('one echo hi');
    expect(one.requests).toHaveLength(1);
  });

  it('is ended at all members', async () => {
    const session = await initialize();
    one.requests.length = two.requests.length = 0;
    const response = await fetch(`${first.url}/mcp/default/both`, { method: 'DELETE', headers: as(ana, session) });
    expect([response.status, one.requests.map(({ method }) => method), two.requests.map(({ method }) => method)]).toEqual([200, ['DELETE'], ['DELETE']]);
    expect((await send(first, 'both', 'tools/list', {}, { headers: as(ana, session) })).status).toBe(404);
  });

  it.each<[string, (session: string) => Promise<RawAnswer>]>([
    ['of another caller', (session) => send(first, 'both', 'tools/list', {}, { headers: as(ben, session) })],
    ['of another virtual server', (session) => send(first, 'other', 'tools/list', {}, { headers: as(ana, session) })],
    ['of a member', (session) => send(first, 'one', 'tools/list', {}, { headers: as(ana, session) })],
  ])('is none %s', async (_case, use) => {
    const { status, message } = await use(await initialize());
    expect([status, message.error?.data?.['code']]).toEqual([404, 'session_not_found']);
  });

  it('a cursor that is none is refused', async () => {
    const { message } = await send(first, 'both', 'tools/list', { cursor: 'nonsense' }, { headers: as(ana) });
    expect(message.error?.code).toBe(-32602);
  });

  it('has members over HTTP+SSE too, on each replica', async () => {
    const session = await initialize('streams');
    for (const plane of [first, second]) expect(await call(plane, 'echo', session, 'streams')).toBe('hi');
  });
});

/** What a modern client is told on the stream that it has asked for, one message at a time. */
async function* subscribed(server: string, notifications: object): AsyncGenerator<{ method?: string; id?: unknown; params?: { _meta?: object; notifications?: object } }> {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
  const response = await fetch(`${first.url}/mcp/default/${server}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen', ...as(ana) },
    body: JSON.stringify({ jsonrpc: '2.0', id: 'sub', method: 'subscriptions/listen', params: { notifications, _meta: meta } }),
  });
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: (\{.*)$/m.exec(event)?.[1];
      if (data !== undefined) yield JSON.parse(data) as object;
    }
  }
}

async function connected(server: string, client: Client): Promise<Client> {
  await client.connect(new StreamableHTTPClientTransport(new URL(`${first.url}/mcp/default/${server}`), { requestInit: { headers: as(ana) } }));
  return client;
}

describe('P32 what members say by themselves', () => {
  it('of all of them comes on the one stream: that a list has changed', async () => {
    const client = new Client({ name: 'spec', version: '1' });
    const changed: (() => void)[] = [];
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => changed.shift()?.());
    one.requests.length = two.requests.length = 0;
    await connected('both', client);
    for (const [upstream, prefix] of [[one, '1_'], [two, '2_']] as const) {
      const told = new Promise<void>((resolve) => changed.push(resolve));
      // The stream is opened after the session, and is there when the member has seen it.
      while (!upstream.requests.some(({ method }) => method === 'GET')) await new Promise((resolve) => setImmediate(resolve));
      upstream.addTool('late');
      await told;
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain(`${prefix}late`);
    }
    await client.close();
  });

  it.each<[string, string]>([['of its own era', 'new'], ['of the legacy one', 'old']])('is told to a modern client that listens, of a member %s', async (_case, name) => {
    const upstream = await startMemberUpstream(name, { only: name === 'new' ? 'modern' : 'legacy' });
    await first.publish({ name, upstream: { url: upstream.url }, agentAuth }, { name: `of-${name}`, type: 'virtual', agentAuth, members: [{ server: 'one', prefix: '1_' }, { server: name }] });
    const messages = subscribed(`of-${name}`, { toolsListChanged: true });
    const subscription = { _meta: { 'io.modelcontextprotocol/subscriptionId': 'sub' } };
    expect((await messages.next()).value).toMatchObject({ method: 'notifications/subscriptions/acknowledged', params: { notifications: { toolsListChanged: true }, ...subscription } });
    while (!upstream.requests.some(({ method, headers }) => method === 'GET' || headers['mcp-method'] === 'subscriptions/listen')) await new Promise((resolve) => setImmediate(resolve));
    upstream.addTool('late');
    expect((await messages.next()).value).toMatchObject({ method: 'notifications/tools/list_changed', params: subscription });
    await messages.return(undefined);
    await upstream.close();
  });

  it('and what they ask the client is answered to the one that asked', async () => {
    const client = new Client({ name: 'spec', version: '1' }, { capabilities: { elicitation: {} } });
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { username: 'ana', email: 'ana@example.com' } }));
    await connected('asks', client);
    expect(textOf(await client.callTool({ name: 'test_elicitation', arguments: { message: 'Who?' } }))).toContain('ana@example.com');
    await client.close();
  });
});

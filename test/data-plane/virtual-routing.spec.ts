import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { type RawAnswer, type RawOptions, sendRaw } from '../support/raw-mcp.ts';
import { headerValue, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* Whose a name is, where several members could have it: also while the first is down, slow, or says something else to others. */

let first: RecordingUpstream;
let second: RecordingUpstream;
let dataPlane: InProcessDataPlane;

const agentAuth = { type: 'api-key' } as const;
const methodsAt = ({ requests }: RecordingUpstream): string[] => requests.map(({ body }) => (JSON.parse(body.toString()) as { method: string }).method);

/** Lists these tools and resources, and answers every call with its name. */
function answer(upstream: RecordingUpstream, name: string, tools: readonly string[], { resources = [], templates = [] }: { readonly resources?: readonly string[]; readonly templates?: readonly string[] } = {}): void {
  const results: Readonly<Record<string, object>> = {
    'tools/list': { tools: tools.map((tool) => ({ name: tool, inputSchema: { type: 'object' } })) },
    'resources/list': { resources: resources.map((uri) => ({ uri, name: uri })) },
    'resources/templates/list': { resourceTemplates: templates.map((uriTemplate) => ({ uriTemplate, name: uriTemplate })) },
    'resources/read': { contents: [{ uri: 'x:', text: name }] },
    'tools/call': { content: [{ type: 'text', text: name }] },
  };
  upstream.handle(({ body }, response) => {
    const { id, method } = JSON.parse(body.toString()) as { id: number; method: string };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...results[method] } }));
  });
}

beforeAll(async () => {
  [first, second, dataPlane] = await Promise.all([startRecordingUpstream(), startRecordingUpstream(), startInProcessDataPlane({ GATEHOUSE_RESPONSE_TIMEOUT_MS: '500' })]);
  await dataPlane.publish(
    { name: 'first', upstream: { url: first.url }, agentAuth, appAuth: { type: 'api-key', name: 'X-Key', in: 'header', value: 'k' } },
    { name: 'second', upstream: { url: second.url }, agentAuth, appAuth: { type: 'api-key', name: 'X-Key', in: 'header', value: 'k' } },
    { name: 'two', type: 'virtual', agentAuth, members: [{ server: 'first' }, { server: 'second' }] },
    { name: 'strict', type: 'virtual', agentAuth, members: [{ server: 'first' }, { server: 'second' }], unavailableMembers: 'fail' },
    { name: 'reversed', type: 'virtual', agentAuth, members: [{ server: 'second' }, { server: 'first' }] },
  );
});
afterAll(() => Promise.all([first.close(), second.close(), dataPlane.close()]));
beforeEach(() => {
  first.requests.length = second.requests.length = 0;
  answer(first, 'first', ['echo'], { resources: ['a:1'], templates: ['t:{id}'] });
  answer(second, 'second', ['echo', 'more'], { resources: ['b:1'], templates: ['u:{id}'] });
});

/** What is known of members is known by caller: each begins anew. */
const somebody = async (headers: Readonly<Record<string, string>> = {}): Promise<RawOptions> => ({ modern: {}, headers: { 'x-gatehouse-key': await dataPlane.addServiceAccount(`c-${randomUUID()}`), ...headers } });
const send = (server: string, method: string, params: Record<string, unknown>, options: RawOptions): Promise<RawAnswer> => sendRaw(`${dataPlane.url}/mcp/default/${server}`, method, params, options);
const call = (server: string, name: string, options: RawOptions): Promise<RawAnswer> => send(server, 'tools/call', { name, arguments: {} }, options);
const read = (server: string, uri: string, options: RawOptions): Promise<RawAnswer> => send(server, 'resources/read', { uri }, options);
const textOf = ({ message }: RawAnswer): string | undefined => message.result?.content?.[0]?.text;
const readIn = ({ message }: RawAnswer): unknown => (message.result?.['contents'] as { text: string }[] | undefined)?.[0]?.text;
const refuse = (_request: RecordedRequest, response: ServerResponse): void => void response.writeHead(503).end();
const hang = (): void => undefined;

describe('P32 an earlier member that is down', () => {
  it.each(['two', 'strict'])('keeps its names: no later one is called in its place (%s)', async (server) => {
    first.handle(refuse);
    const who = await somebody();
    for (const name of ['echo', 'more']) {
      const { status, message } = await call(server, name, who);
      expect([status, message.error?.data]).toEqual([502, { code: 'upstream_failed', member: 'first' }]);
    }
    expect(methodsAt(second)).not.toContain('tools/call');
  });

  it('has the names that it had, and no others', async () => {
    const who = await somebody();
    expect(textOf(await call('two', 'more', who))).toBe('second');
    first.handle(refuse);
    expect(textOf(await call('two', 'more', who))).toBe('second');
    expect((await call('two', 'echo', who)).status).toBe(503);
    expect(methodsAt(second).filter((method) => method === 'tools/call')).toHaveLength(2);
  });

  it('is nothing to those before it', async () => {
    first.handle(refuse);
    const who = await somebody();
    expect(textOf(await call('reversed', 'echo', who))).toBe('second');
    expect(readIn(await read('reversed', 'b:1', who))).toBe('second');
    expect(readIn(await read('reversed', 'u:7', who))).toBe('second');
  });

  it('keeps its resources too', async () => {
    first.handle(refuse);
    const who = await somebody();
    for (const uri of ['a:1', 'b:1', 'u:7', 'x:1']) expect((await read('two', uri, who)).message.error?.data).toEqual({ code: 'upstream_failed', member: 'first' });
    expect(methodsAt(second)).not.toContain('resources/read');
  });

  it('is not waited for again at once', async () => {
    first.handle(hang);
    const who = await somebody();
    expect((await call('two', 'more', who)).message.error?.data).toEqual({ code: 'upstream_timeout', member: 'first' });
    const { length } = first.requests;
    expect((await call('two', 'more', who)).message.error?.data).toEqual({ code: 'upstream_timeout', member: 'first' });
    expect((await read('two', 'b:1', who)).message.error?.data).toEqual({ code: 'upstream_timeout', member: 'first' });
    expect((await read('two', 'b:1', who)).message.error?.data).toEqual({ code: 'upstream_timeout', member: 'first' });
    expect(first.requests.length).toBe(length + 1);
  });
});

it('P32 a resource is by its URI, or else by a template, of the first that has it', async () => {
  const who = await somebody();
  expect([await read('two', 'a:1', who), await read('two', 'b:1', who), await read('two', 't:7', who), await read('two', 'u:7', who)].map(readIn)).toEqual(['first', 'second', 'first', 'second']);
  expect((await read('two', 'x:1', who)).message.error?.code).toBe(-32602);
});

it('P32 names that nobody could remember are left out', async () => {
  answer(first, 'first', ['e'.repeat(1_024), 'f'.repeat(1_025)], { resources: [`a:${'e'.repeat(8_190)}`, `a:${'f'.repeat(8_191)}`] });
  const who = await somebody();
  const { message } = await send('two', 'tools/list', {}, who);
  expect(message.result?.tools?.map(({ name }) => name.length)).toEqual([1_024, 4, 4]);
  const { message: resources } = await send('two', 'resources/list', {}, who);
  expect((resources.result?.['resources'] as { uri: string }[]).map(({ uri }) => uri.length)).toEqual([8_192, 3]);
});

it('P32 all pages of one list are together no more than a few answers', async () => {
  const bounded = await startInProcessDataPlane({ GATEHOUSE_MAX_FILTERED_BYTES: '65536' });
  const members = Array.from({ length: 8 }, (_, index) => ({ name: `m${index}`, upstream: { url: index === 0 ? first.url : second.url } }));
  await bounded.publish(...members, { name: 'eight', type: 'virtual', agentAuth: { type: 'passthrough' }, members: members.map(({ name }) => ({ server: name, prefix: `${name}_` })) });
  // More than half of an answer, for which there is half of the room.
  answer(first, 'first', Array.from({ length: 1_000 }, (_, index) => `tool_${index}`));
  const { message } = await sendRaw(`${bounded.url}/mcp/default/eight`, 'tools/list', {}, { modern: {} });
  expect([message.result?.tools?.length, (message.result?.['_meta'] as Record<string, unknown>)['gatehouse/unavailable']]).toEqual([14, [{ server: 'm0', code: 'upstream_failed' }]]);
  await bounded.close();
});

describe('P32 what a member lists to one request is not what it has for the next', () => {
  /** To whoever brings nothing, it lists nothing. */
  const listByHeader = (name: string): void =>
    first.handle((request, response) => {
      const { id, method } = JSON.parse(request.body.toString()) as { id: number; method: string };
      const result = method === 'tools/list' ? { tools: headerValue(request, name) === undefined ? [] : [{ name: 'echo', inputSchema: { type: 'object' } }] } : { content: [{ type: 'text', text: 'first' }] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...result } }));
    });

  it('where nobody knows callers apart', async () => {
    await dataPlane.publish(
      { name: 'open-first', upstream: { url: first.url }, outboundHeaders: [{ name: 'X-Fixed', source: { type: 'static', value: 'v' as never } }] },
      { name: 'open-second', upstream: { url: second.url } },
      { name: 'open-two', type: 'virtual', agentAuth: { type: 'passthrough' }, members: [{ server: 'open-first' }, { server: 'open-second' }] },
    );
    const stranger: RawOptions = { modern: {} };
    answer(first, 'first', []);
    expect(textOf(await call('open-two', 'echo', stranger))).toBe('second');
    answer(first, 'first', ['echo']);
    expect(textOf(await call('open-two', 'echo', stranger))).toBe('first');
  });

  it.each<[string, object]>([
    ['passes', { headerPolicy: { mode: 'list', list: ['X-Tenant'] } }],
    ['is made into another', { outboundHeaders: [{ name: 'X-Tenant', source: { type: 'request-header', name: 'X-Tenant' }, required: false }] }],
  ])('where a header of the caller’s own %s', async (_case, more) => {
    await dataPlane.publish({ name: 'by-header', upstream: { url: first.url }, agentAuth, ...more }, { name: 'of-headers', type: 'virtual', agentAuth, members: [{ server: 'by-header' }, { server: 'second' }] });
    listByHeader('x-tenant');
    const who = await somebody();
    const with_ = { ...who, headers: { ...who.headers, 'x-tenant': 'a' } };
    expect(textOf(await call('of-headers', 'echo', with_))).toBe('first');
    expect(textOf(await call('of-headers', 'echo', who))).toBe('second');
    expect(textOf(await call('of-headers', 'echo', with_))).toBe('first');
  });
});

it('P32 the way to connect an account is what rules are not about, and nobody else’s tool of that name', async () => {
  answer(first, 'first', ['connect_account']);
  answer(second, 'second', ['connect_account']);
  await dataPlane.publish(
    { name: 'github', upstream: { url: second.url }, agentAuth, appAuth: { type: 'oauth-authorization-code', app: 'github' } },
    { name: 'of-connecting', type: 'virtual', agentAuth, members: [{ server: 'first' }, { server: 'github' }], access: { tools: { deny: ['connect_*'] } } },
  );
  const who = await somebody();
  expect((await call('of-connecting', 'connect_account', who)).message.error?.code).toBe(-32602);
  expect(methodsAt(first)).not.toContain('tools/call');
  expect((await send('of-connecting', 'tools/list', {}, who)).message.result?.tools).toEqual([]);
});

it('P32 the stream of a call ends with the virtual server that it was made at', async () => {
  first.handle((_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': begun\n\n'));
  await dataPlane.publish({ name: 'streams', type: 'virtual', agentAuth, members: [{ server: 'first' }] });
  const { headers } = await somebody();
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {}, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} } } });
  const response = await fetch(`${dataPlane.url}/mcp/default/streams`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' },
    body,
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  await dataPlane.remove('streams');
  // Its end, and not that of the member, which goes on.
  expect(await response.text()).not.toContain('data:');
});

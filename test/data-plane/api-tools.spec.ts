import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { answerAsPets, petsOperations } from '../support/pets-api.ts';
import { modernVersion, type RawAnswer, type RawOptions, sendRaw, sendText, textIn } from '../support/raw-mcp.ts';
import { headerPairs, headerValue, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* P22, P31, P32: an API's operations as the tools of an MCP server, in both eras. */

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;

beforeAll(async () => {
  [upstream, dataPlane] = await Promise.all([startRecordingUpstream(), startInProcessDataPlane()]);
  await dataPlane.publish(
    { name: 'pets', title: 'Pets', type: 'api', upstream: { url: `${upstream.origin}/v1` }, tools: { operations: petsOperations } },
    { name: 'some', type: 'api', upstream: { url: `${upstream.origin}/v1` }, tools: { operations: petsOperations }, access: { tools: { allow: ['*Pet*'], deny: ['delete*'] } } },
    { name: 'none', type: 'api', upstream: { url: `${upstream.origin}/v1` }, tools: { operations: [] } },
  );
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.handle(answerAsPets);
});

const urlOf = (server = 'pets'): string => `${dataPlane.url}/mcp/default/${server}`;
const send = (method: string, params?: Record<string, unknown>, options?: RawOptions, server?: string): Promise<RawAnswer> => sendRaw(urlOf(server), method, params, options);
const call = (name: string, args?: unknown, options?: RawOptions, server?: string): Promise<RawAnswer> => send('tools/call', { name, ...(args !== undefined && { arguments: args }) }, options, server);
const eras: [string, RawOptions][] = [['legacy', {}], ['modern', { modern: {} }]];

describe('a legacy client', () => {
  it.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])('initializes with %s, without a session', async (protocolVersion) => {
    const { status, headers, message } = await send('initialize', { protocolVersion, capabilities: {}, clientInfo: { name: 'spec', version: '1' } });
    expect([status, headers.get('mcp-session-id')]).toEqual([200, null]);
    expect(message.result).toEqual({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'pets', title: 'Pets', version: expect.any(String) as string } });
    expect((await send('notifications/initialized', {}, { id: null })).status).toBe(202);
    expect((await send('ping', {}, { headers: { 'mcp-protocol-version': protocolVersion } })).message).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
  });

  it('of a revision that nobody knows is offered the newest of its era; with it in the header it is refused', async () => {
    expect((await send('initialize', { protocolVersion: '1999-01-01' })).message.result?.['protocolVersion']).toBe('2025-11-25');
    const refused = await send('tools/list', {}, { headers: { 'mcp-protocol-version': '1999-01-01' } });
    expect([refused.status, refused.message.error?.code]).toEqual([400, -32600]);
  });

  it('asks for what there is not, and is told so', async () => {
    for (const method of ['resources/list', 'prompts/list', 'logging/setLevel', 'server/discover', 'completion/complete']) expect([(await send(method)).status, (await send(method)).message.error?.code]).toEqual([200, -32601]);
  });

  it('may answer what nobody asked; a batch is refused as a whole', async () => {
    expect((await sendText(urlOf(), '{"jsonrpc":"2.0","id":5,"result":{}}')).status).toBe(202);
    const batch = await sendText(urlOf(), '[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"listPets"}}]');
    expect([batch.status, batch.message.error?.code, upstream.requests.length]).toEqual([400, -32600, 0]);
  });

  it('has no stream, and no session to end', async () => {
    const answers = ['GET', 'DELETE'].map((method) => fetch(urlOf(), { method, headers: { accept: 'text/event-stream' } }));
    for (const answer of await Promise.all(answers)) expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    const sse = await fetch(`${dataPlane.url}/sse/default/pets`, { headers: { accept: 'text/event-stream' } });
    expect([sse.status, await sse.text()]).toEqual([404, expect.stringContaining('streamable_http_only')]);
  });
});

describe('a modern client', () => {
  const modern = { modern: {} };

  it('discovers the server', async () => {
    const { status, message } = await send('server/discover', {}, modern);
    expect(status).toBe(200);
    expect(message.result).toEqual({
      resultType: 'complete', supportedVersions: [modernVersion], capabilities: { tools: {} }, ttlMs: expect.any(Number) as number, cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'pets', title: 'Pets', version: expect.any(String) as string } },
    });
  });

  it('is told by the status too that a method is not there', async () => {
    for (const method of ['ping', 'initialize', 'resources/list', 'subscriptions/listen']) {
      const { status, message } = await send(method, {}, modern);
      expect([status, message.error?.code]).toEqual([404, -32601]);
    }
  });

  it('says in each message what it is', async () => {
    const missing = await send('tools/list', {}, { headers: { 'mcp-protocol-version': modernVersion, 'mcp-method': 'tools/list' } });
    expect([missing.status, missing.message.error?.code]).toEqual([400, -32602]);
    const later = '2027-01-01';
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: { 'io.modelcontextprotocol/protocolVersion': later, 'io.modelcontextprotocol/clientCapabilities': {} } } });
    const unsupported = await sendText(urlOf(), body, { 'mcp-protocol-version': later, 'mcp-method': 'tools/list' });
    expect([unsupported.status, unsupported.message.error?.code, unsupported.message.error?.data]).toEqual([400, -32022, { supported: [modernVersion], requested: later }]);
    expect((await send('notifications/cancelled', { requestId: 1 }, { ...modern, id: null })).status).toBe(202);
  });
});

describe.each(eras)('tools, %s', (era, options) => {
  const complete = era === 'modern' ? { resultType: 'complete' } : {};

  it('are listed as they are', async () => {
    const { message } = await send('tools/list', {}, options);
    expect(message.result).toMatchObject({ ...complete, ...(era === 'modern' && { ttlMs: expect.any(Number) as number, cacheScope: 'private' }) });
    expect(message.result).not.toHaveProperty('nextCursor');
    expect(message.result?.tools?.map(({ name }) => name)).toEqual(['listPets', 'addPet', 'getPet', 'deletePet', 'putPicture', 'search']);
    const [operation] = petsOperations;
    expect(message.result?.tools?.[0]).toEqual(JSON.parse(JSON.stringify({ name: 'listPets', description: 'Lists pets', title: operation?.title, inputSchema: operation?.inputSchema, outputSchema: operation?.outputSchema, annotations: operation?.annotations })));
    expect((await send('tools/list', {}, options, 'none')).message.result?.tools).toEqual([]);
  });

  it('that may not be called are not there', async () => {
    expect((await send('tools/list', {}, options, 'some')).message.result?.tools?.map(({ name }) => name)).toEqual(['listPets', 'addPet', 'getPet']);
    for (const name of ['deletePet', 'search', 'nothing']) {
      const { status, message } = await call(name, { petId: '1', q: 'x' }, options, 'some');
      expect([status, message.error?.code]).toEqual([200, -32602]);
    }
    expect(upstream.requests).toEqual([]);
  });

  it('answer with what the API answers', async () => {
    const { status, message } = await call('getPet', { petId: 'a/b c' }, options);
    expect([status, message]).toEqual([200, { jsonrpc: '2.0', id: 1, result: { ...complete, content: [{ type: 'text', text: '{"id":"a%2Fb%20c","name":"Rex"}' }], structuredContent: { id: 'a%2Fb%20c', name: 'Rex' } } }]);
    expect(upstream.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /v1/pets/a%2Fb%20c']);
  });

  it('answer with its errors, which are for the model', async () => {
    upstream.handle((_request, response) => void response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"no such pet"}'));
    const answer = await call('getPet', { petId: '7' }, options);
    expect([answer.status, answer.message.result]).toEqual([200, { ...complete, content: [{ type: 'text', text: 'HTTP 404 Not Found\n{"error":"no such pet"}' }], isError: true }]);
  });

  it.each<[string, string, unknown, string]>([
    ['is missing', 'getPet', {}, 'petId: is required'],
    ['has no arguments at all', 'getPet', undefined, 'petId: is required'],
    ['is of another type', 'listPets', { limit: 'ten' }, 'limit: must be'],
    ['is too much', 'listPets', { limit: 1000 }, 'limit: must be <= 100'],
    ['is not one', 'listPets', { colour: 'red' }, 'colour: is not one of the arguments here'],
    ['is no text', 'getPet', { petId: '\ud800' }, 'petId: must be well-formed Unicode'],
    ['leads elsewhere', 'getPet', { petId: '..' }, 'petId'],
    ['breaks a header', 'listPets', { 'X-Mode': 'a\r\nX-Admin: 1' }, 'X-Mode'],
  ])('tell what is wrong: an argument %s', async (_what, tool, args, expected) => {
    const answer = await call(tool, args, options);
    expect([answer.status, answer.message.result?.isError, upstream.requests.length]).toEqual([200, true, 0]);
    expect(textIn(answer)).toContain(expected);
  });

  it('refuse what are no arguments', async () => {
    for (const args of [[], 'x', 7, null]) expect((await call('listPets', args, options)).message.error?.code).toBe(-32602);
    expect((await send('tools/call', { arguments: {} }, options)).message.error?.code).toBe(-32602);
  });
});

describe('the request that arrives', () => {
  const [own, mcp] = [['accept', 'content-type', 'x-mode'], ['mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id']];

  it.each<[string, object, string, Record<string, string>, string]>([
    ['listPets', { tag: ['a b', 'ü&'], limit: 3, 'X-Mode': 'slow' }, 'GET /v1/pets?tag=a%20b&tag=%C3%BC%26&limit=3', { accept: 'application/json', 'X-Mode': 'slow' }, ''],
    ['addPet', { name: 'Tom "ü"' }, 'POST /v1/pets', { accept: 'application/json', 'content-type': 'application/json' }, '{"name":"Tom \\"ü\\""}'],
    ['deletePet', { petId: '1' }, 'DELETE /v1/pets/1', { accept: '*/*' }, ''],
    ['search', { q: 'a b&c' }, 'POST /v1/search', { accept: '*/*', 'content-type': 'application/x-www-form-urlencoded' }, 'q=a%20b%26c'],
  ])('is what the specification says: %s', async (tool, args, line, headers, body) => {
    for (const [, options] of eras) {
      const answer = await call(tool, args, options);
      expect(answer.message.result?.isError, textIn(answer)).toBeUndefined();
      const [request] = upstream.requests.splice(0) as [RecordedRequest];
      const headerNames = (names: string[]): [string, string][] => headerPairs(request).filter(([name]) => names.includes(name.toLowerCase()));
      expect([`${request.method} ${request.url}`, request.body.toString()]).toEqual([line, body]);
      expect(Object.fromEntries(headerNames(own))).toEqual(headers);
      expect(headerNames(mcp)).toEqual([]);
      expect(headerValue(request, 'user-agent')).toMatch(/^gatehouse\//);
    }
  });
});

it('an edit is in the next list, and what is gone cannot be called', async () => {
  const server = { name: 'edited', type: 'api', upstream: { url: upstream.origin } } as const;
  const [list, ...others] = petsOperations;
  await dataPlane.publish({ ...server, tools: { operations: [{ ...list, name: 'before' } as (typeof petsOperations)[number]] } });
  expect((await send('tools/list', {}, {}, 'edited')).message.result?.tools?.map(({ name }) => name)).toEqual(['before']);
  await dataPlane.publish({ ...server, tools: { operations: others } });
  expect((await send('tools/list', {}, {}, 'edited')).message.result?.tools?.map(({ name }) => name)).toEqual(others.map(({ name }) => name));
  expect((await call('before', {}, {}, 'edited')).message.error?.code).toBe(-32602);
});

it('the log names the tool, and nothing of its arguments or its answer', async () => {
  upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end('s3cret-answer'));
  expect(textIn(await call('getPet', { petId: 's3cret-argument' }))).toBe('s3cret-answer');
  const lines = dataPlane.log.filter((line) => line.includes('getPet'));
  expect(lines.length).toBeGreaterThan(0);
  expect(dataPlane.log.join('')).not.toContain('s3cret');
});

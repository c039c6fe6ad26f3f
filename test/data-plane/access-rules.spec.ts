import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ana, ben, signAccessToken } from '../support/access-token.ts';
import { type InProcessDataPlane, type SpecServer, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { inspectorClients } from '../support/mcp-clients/inspector-clients.ts';
import { sdkClients } from '../support/mcp-clients/sdk-clients.ts';
import { startSampleSseUpstream } from '../support/mcp-sample-sse-upstream.ts';
import { startSampleUpstream, type SampleUpstream } from '../support/mcp-sample-upstream.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

let upstream: RecordingUpstream;
let issuer: TokenIssuer;
let dataPlane: InProcessDataPlane;

beforeAll(async () => {
  [upstream, issuer, dataPlane] = await Promise.all([startRecordingUpstream(), startTokenIssuer(), startPublicDataPlane({ GATEHOUSE_MAX_FILTERED_BYTES: '65536' })]);
  await dataPlane.publishAuthorizationServer(issuer);
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close()]);
});
beforeEach(() => void (upstream.requests.length = 0));

type Access = NonNullable<SpecServer['access']>;

const urlOf = (name: string): string => `${dataPlane.url}/mcp/default/${name}`;
const publish = (name: string, access: Access, more: Partial<SpecServer> = {}): Promise<void> => dataPlane.publish({ name, upstream: { url: upstream.url }, access, ...more });
const send = (name: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(urlOf(name), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const callOf = (tool: unknown, id: unknown = 1): object => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: {} } });
const codeOf = async (response: Response): Promise<unknown> => [response.status, ((await response.json()) as { error: { data?: { code: string } } }).error.data?.code];

describe('who may call', () => {
  const tokenOf = async (name: string, claims: object): Promise<Record<string, string>> => ({ authorization: `Bearer ${await signAccessToken(issuer, urlOf(name), { ...claims })}` });

  it.each<[string, Access['allow'], number[]]>([
    ['everyone', undefined, [200, 200]],
    ['a group', [{ group: 'sales' }], [200, 403]],
    ['an email address', [{ user: 'BEN@example.com' }], [403, 200]],
    ['a person’s id', [{ user: ana.sub }], [200, 403]],
    ['several', [{ group: 'nobody' }, { user: 'ana@example.com' }, { group: 'support' }], [200, 200]],
    ['a service account of that name only', [{ serviceAccount: 'ana' }], [403, 403]],
  ])('of people: %s', async (_, allow, statuses) => {
    await publish('people', { ...(allow && { allow }) }, { agentAuth: { type: 'interactive' } });
    const answers = await Promise.all([ana, ben].map(async (person) => send('people', callOf('inspect'), await tokenOf('people', person))));
    expect(answers.map(({ status }) => status)).toEqual(statuses);
    expect(upstream.requests.length).toBe(statuses.filter((status) => status === 200).length);
    for (const answer of answers.filter(({ status }) => status === 403)) expect(await codeOf(answer)).toEqual([403, 'forbidden']);
  });

  it.each<[string, Parameters<InProcessDataPlane['publishWorkspace']>[1], Access['allow'], number[]]>([
    ['everyone', undefined, undefined, [200, 200]],
    ['a group', { allow: [{ group: 'sales' }] }, undefined, [200, 403]],
    ['a group, and the server another', { allow: [{ group: 'sales' }] }, [{ group: 'support' }], [403, 403]],
    ['a group of their provider', { allow: [{ group: 'sales', identityProvider: 'corp' }, { group: 'support', identityProvider: 'partner' }] }, undefined, [200, 403]],
  ])('of a workspace to which belongs %s', async (_, members, allow, statuses) => {
    await dataPlane.publishWorkspace('default', members);
    await publish('tenants', { ...(allow && { allow }) }, { agentAuth: { type: 'interactive' } });
    const answers = await Promise.all([ana, ben].map(async (person) => send('tenants', callOf('inspect'), await tokenOf('tenants', { ...person, idp: 'corp' }))));
    expect(answers.map(({ status }) => status)).toEqual(statuses);
    await dataPlane.publishWorkspace('default');
  });

  it('of a workspace that says who belongs to it: its service accounts, and nobody whom nobody knows', async () => {
    const key = await dataPlane.addServiceAccount('member');
    await publish('keys', {}, { agentAuth: { type: 'api-key' } });
    await publish('open', {});
    await dataPlane.publishWorkspace('default', { allow: [{ group: 'sales' }] });
    expect((await send('keys', callOf('inspect'), { 'x-gatehouse-key': key })).status).toBe(200);
    expect(await codeOf(await send('open', callOf('inspect')))).toEqual([403, 'forbidden']);
    await dataPlane.publishWorkspace('default');
    expect((await send('open', callOf('inspect'))).status).toBe(200);
  });

  it('of a workspace of which nothing is known: nobody', async () => {
    await dataPlane.remove('workspace-default');
    await publish('open', {});
    expect(await codeOf(await send('open', callOf('inspect')))).toEqual([503, 'not_ready']);
    await dataPlane.publishWorkspace('default');
  });

  it('of service accounts: by name, and by their groups', async () => {
    const [nightly, weekly] = [await dataPlane.addServiceAccount('nightly', ['reports']), await dataPlane.addServiceAccount('weekly')];
    const statuses = async (allow: Access['allow']): Promise<number[]> => {
      await publish('accounts', { allow }, { agentAuth: { type: 'api-key' } });
      return Promise.all([nightly, weekly].map(async (key) => (await send('accounts', callOf('inspect'), { authorization: `Bearer ${key}` })).status));
    };
    expect(await statuses([{ serviceAccount: 'weekly' }])).toEqual([403, 200]);
    expect(await statuses([{ group: 'reports' }])).toEqual([200, 403]);
  });

  it('of callers with tokens of their own: by what is in them', async () => {
    await publish('tokens', { allow: [{ group: 'sales' }, { user: 'script-7' }, { user: 'ben@example.com' }] }, { agentAuth: { type: 'passthrough', jwt: { jwksUrl: issuer.jwksUrl, issuer: issuer.url } } });
    const statusOf = async (claims: object): Promise<number> => (await send('tokens', callOf('inspect'), { authorization: `Bearer ${await issuer.sign({ ...claims })}` })).status;
    expect(await Promise.all([{ sub: 'x', groups: ['sales'] }, { sub: 'script-7' }, { sub: 'x', email: 'Ben@example.com' }].map(statusOf))).toEqual([200, 200, 200]);
    expect(await Promise.all([{ sub: 'x', groups: 'sales' }, { sub: 'x', email: 'ben@example.com', email_verified: false }, { sub: 'x', groups: [['sales']] }].map(statusOf))).toEqual([403, 403, 403]);
  });

  it('is asked before a body is read, and a change counts with the next call', async () => {
    await publish('changing', { allow: [{ group: 'sales' }] }, { agentAuth: { type: 'interactive' } });
    const headers = await tokenOf('changing', ben);
    expect(await codeOf(await send('changing', 'not JSON', headers))).toEqual([403, 'forbidden']);
    await publish('changing', { allow: [{ group: 'support' }] }, { agentAuth: { type: 'interactive' } });
    expect((await send('changing', callOf('inspect'), headers)).status).toBe(200);
  });
});

const rules: Access = { tools: { allow: ['read_*', 'inspect', 'delete_*'], deny: ['delete_*'] } };
const modern = (message: { method: string; params: { name?: unknown } }): [object, Record<string, string>] => {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': message.method, ...(typeof message.params.name === 'string' && { 'mcp-name': message.params.name }) };
  return [{ ...message, params: { ...message.params, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } }, headers];
};

describe('a tool that may not be called', () => {
  beforeAll(() => publish('tools', rules));

  it.each(['delete_orders', 'write_orders', 'Read_orders', '', 'read', 'no\u0000such'])('is one that is not there: %j', async (tool) => {
    const answer = await send('tools', callOf(tool, 'a7'));
    expect([answer.status, answer.headers.get('content-type'), await answer.json()]).toEqual([200, 'application/json', { jsonrpc: '2.0', id: 'a7', error: { code: -32602, message: `Unknown tool: ${tool}` } }]);
    expect(upstream.requests).toEqual([]);
  });

  it('neither in the modern era', async () => {
    const answer = await send('tools', ...modern(callOf('delete_orders') as Parameters<typeof modern>[0]));
    expect([answer.status, await answer.json()]).toEqual([200, { jsonrpc: '2.0', id: 1, error: { code: -32602, message: 'Unknown tool: delete_orders' } }]);
    expect(upstream.requests).toEqual([]);
  });

  it.each([[callOf(undefined)], [callOf(7)], [callOf(['read_orders'])], [{ jsonrpc: '2.0', id: 1, method: 'tools/call' }]])('nor is one without a name: %j', async (message) => {
    expect(await (await send('tools', message)).json()).toMatchObject({ id: 1, error: { code: -32602 } });
    expect(upstream.requests).toEqual([]);
  });

  it('leaves its refusal in log and metrics', async () => {
    await send('tools', callOf('delete_orders'));
    expect(dataPlane.log.some((line) => line.includes('"outcome":"tool_not_allowed"') && line.includes('"tool":"delete_orders"'))).toBe(true);
    expect(await (await fetch(`${dataPlane.internalUrl}/metrics`)).text()).toMatch(/gatehouse_requests_total\{[^}]*outcome="tool_not_allowed"\} [1-9]/);
  });

  it('others can be called, and other methods are no tools', async () => {
    const prompt = { jsonrpc: '2.0', id: 2, method: 'prompts/get', params: { name: 'delete_orders' } };
    for (const message of [callOf('read_orders'), callOf('inspect'), prompt]) expect((await send('tools', message)).status).toBe(200);
    expect(upstream.requests.map(({ body }) => body.toString())).toEqual([callOf('read_orders'), callOf('inspect'), prompt].map((message) => JSON.stringify(message)));
  });

  it('in a batch (2025-03-26), nothing of the batch is called', async () => {
    const batch = [callOf('read_orders', 1), { jsonrpc: '2.0', method: 'notifications/initialized' }, callOf('delete_orders', 2)];
    const answer = await send('tools', batch);
    expect([answer.status, await answer.json()]).toMatchObject([200, [{ id: 1, error: { code: -32600 } }, { id: 2, error: { code: -32602, message: 'Unknown tool: delete_orders' } }]]);
    expect(upstream.requests).toEqual([]);
    await send('tools', [callOf('read_orders', 1), callOf('read_more', 2)]);
    expect(upstream.requests.length).toBe(1);
  });

  it('without an id, nothing is answered but that', async () => {
    expect(await codeOf(await send('tools', { jsonrpc: '2.0', method: 'tools/call', params: { name: 'delete_orders' } }))).toEqual([400, 'invalid_request']);
    expect(upstream.requests).toEqual([]);
  });
});

describe('a body that an upstream could read in another way is refused, where there are rules', () => {
  beforeAll(async () => {
    await publish('strict', rules);
    await publish('plain', {});
  });

  it.each([
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_orders","name":"read_orders"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_orders"},"params":{"name":"delete_orders"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping","params":{"name":"delete_orders"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_orders","Name":"delete_orders"}}',
    '{"jsonrpc":"2.0","id":1,"Method":"tools/call","params":{"name":"delete_orders"}}',
    '[{"jsonrpc":"2.0","id":1,"method":"ping","m\\u0065thod":"tools/call","params":{"name":"delete_orders"}}]',
  ])('%s', async (body) => {
    expect(await codeOf(await send('strict', body))).toEqual([400, 'invalid_request']);
    expect(upstream.requests).toEqual([]);
    // Without rules it is the upstream's to say what it thinks of it.
    await send('plain', body);
    expect(upstream.requests.map((request) => request.body.toString())).toEqual([body]);
  });

  it.each(['application/json; charset=utf-7', 'application/json;charset="utf-16le"', 'application/json; charset=utf-8; charset=utf-7'])('in the charset of %s', async (contentType) => {
    expect((await send('strict', callOf('read_orders'), { 'content-type': contentType })).status).toBe(415);
    expect(upstream.requests).toEqual([]);
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'application/json; charset=utf8'])('and in that of %s it is not', async (contentType) => {
    expect((await send('strict', callOf('read_orders'), { 'content-type': contentType })).status).toBe(200);
  });
});

describe('a list', () => {
  const list = '{"jsonrpc": "2.0", "result":{"tools":[{"name":"read_orders","n":1.0},\n {"name":"delete_orders"},{"name":"write"}, {"name":"inspect"}],"nextCursor":"2","cacheScope":"public","ttlMs":5},"id":1}';
  const listed = '{"jsonrpc": "2.0", "result":{"tools":[{"name":"read_orders","n":1.0},{"name":"inspect"}],"nextCursor":"2","cacheScope":"private","ttlMs":5},"id":1}';
  const question = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  beforeAll(async () => {
    await publish('lists', rules);
    await publish('unfiltered', {});
  });

  const answerWith = (headers: Record<string, string>, ...pieces: (string | Buffer)[]): void =>
    upstream.handle((_request, response) => {
      response.writeHead(200, headers);
      for (const piece of pieces) response.write(piece);
      response.end();
    });

  it('in a document has only what may be called, and nothing else of it changes', async () => {
    answerWith({ 'content-type': 'application/json', etag: '"1"', 'x-kept': 'yes' }, list.slice(0, 50), list.slice(50));
    const answer = await send('lists', question);
    expect(await answer.text()).toBe(listed);
    expect([answer.headers.get('content-length'), answer.headers.get('etag'), answer.headers.get('x-kept')]).toEqual([String(listed.length), null, 'yes']);
    expect(await (await send('unfiltered', question)).text()).toBe(list);
  });

  it('in a stream', async () => {
    const stream = (data: string): string => `: first\n\nid: 1\ndata: {"jsonrpc":"2.0","method":"notifications/message"}\n\nevent: message\nid: 2\n${data.split('\n').map((line) => `data: ${line}`).join('\n')}\n\n`;
    const bytes = stream(list);
    answerWith({ 'content-type': 'text/event-stream' }, bytes.slice(0, 7), bytes.slice(7, 130), bytes.slice(130));
    expect(await (await send('lists', question)).text()).toBe(stream(listed));
    expect(await (await send('unfiltered', question)).text()).toBe(bytes);
  });

  it('wherever it comes: in a stream that listens, as the answer to something else, in a batch', async () => {
    answerWith({ 'content-type': 'text/event-stream' }, `data: [${list.replaceAll('\n', '')}]\n\n`);
    for (const response of [
      await fetch(urlOf('lists'), { headers: { accept: 'text/event-stream', 'last-event-id': '7' } }),
      await send('lists', callOf('read_orders')),
      await send('lists', [question]),
    ]) expect(await response.text()).toBe(`data: [${listed}]\n\n`);
  });

  it('that has nothing to hide is the very bytes of the upstream, and so is anything else', async () => {
    for (const body of ['{"result":{"tools":[{"name":"read_x"}]} , "id":1}', Buffer.from([0xff, 0xfe, 0x00]), '', '{"result":{"content":[]}}']) {
      answerWith({ 'content-type': 'application/json', etag: '"1"' }, ...(body.length > 0 ? [body] : []));
      const answer = await send('lists', question);
      expect([Buffer.from(await answer.arrayBuffer()), answer.headers.get('etag')]).toEqual([Buffer.from(body as string), '"1"']);
    }
  });

  it.each<[string, Record<string, string>, string | Buffer, string]>([
    ['is compressed', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, gzipSync(list), 'upstream_failed'],
    ['is compressed, in a stream', { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }, gzipSync(`data: ${list}\n\n`), 'upstream_failed'],
    ['is no JSON', { 'content-type': 'application/json' }, `${list},`, 'upstream_not_mcp'],
    ['calls itself something else', { 'content-type': 'text/plain' }, `data: ${list}\n\n`, 'upstream_not_mcp'],
    ['is too large', { 'content-type': 'application/json' }, `${list}${' '.repeat(70_000)}`, 'upstream_failed'],
  ])('that %s is not passed on', async (_, headers, body, code) => {
    answerWith(headers, body);
    expect(await codeOf(await send('lists', question))).toEqual([502, code]);
  });

  it.each([`data: ${list.replaceAll('\n', '')},\n\n`, `data: {"jsonrpc":"2.0"}\n\ndata: ${'x'.repeat(70_000)}`])('that cannot be read in a stream ends it', async (body) => {
    answerWith({ 'content-type': 'text/event-stream' }, body);
    await expect(send('lists', question).then((response) => response.text())).rejects.toThrow();
  });

  it('an error of the upstream passes, whatever is in it', async () => {
    upstream.handle((_request, response) => void response.writeHead(500, { 'content-type': 'text/html' }).end('<p>no "tools" today'));
    const answer = await send('lists', question);
    expect([answer.status, await answer.text()]).toEqual([500, '<p>no "tools" today']);
  });
});

describe('every client sees and calls what it may, whatever is between it and the upstream', () => {
  let streamable: SampleUpstream;
  let sse: SampleUpstream;
  beforeAll(async () => {
    [streamable, sse] = await Promise.all([startSampleUpstream(), startSampleSseUpstream()]);
    const access = { tools: { deny: ['who*'] } };
    await publish('to-streamable', access, { upstream: { url: streamable.url } });
    await publish('to-sse', access, { upstream: { url: sse.url, transport: 'sse' } });
  });
  afterAll(() => Promise.all([streamable.close(), sse.close()]));

  const ways = ['to-streamable', 'to-sse']
    .flatMap((server) => [...sdkClients, ...inspectorClients].map((client) => ({ name: `${client.name} ${server}`, client, server })))
    // It does not fall back, and an HTTP+SSE upstream is of the legacy era.
    .filter(({ name }) => name !== 'Inspector, modern to-sse');

  it.each(ways)('$name', { timeout: 60_000 }, async ({ client, server }) => {
    const target = { url: urlOf(server).replace('/mcp/', `/${client.endpoint}/`), headers: {} };
    expect(await client.listTools(target)).toEqual(['echo', 'slow']);
    expect(await client.callTool(target, 'echo', { text: 'hello' })).toBe('hello');
    await expect(client.callTool(target, 'whoami', {})).rejects.toThrow(/Unknown tool|-32602|tool/i);
  });
});

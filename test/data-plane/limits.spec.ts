import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { type InProcessDataPlane, type SpecServer, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { headerValue, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startSpecBroker, type SpecBroker } from '../support/token-broker.ts';

/* How often, and how many at a time, a server may be called (docs/limits.md). What a limit refuses reaches no upstream. */

type Limits = NonNullable<SpecServer['limits']>;
type Json = Readonly<Record<string, unknown>>;

let upstream: RecordingUpstream;
let broker: SpecBroker;
let dataPlane: InProcessDataPlane;
const keys = new Map<string, string>();
beforeAll(async () => {
  [upstream, broker] = await Promise.all([startRecordingUpstream(), startSpecBroker()]);
  dataPlane = await startInProcessDataPlane(broker.environment);
  for (const name of ['ana', 'ben']) keys.set(name, await dataPlane.addServiceAccount(name));
});
afterAll(async () => {
  await dataPlane?.close();
  await Promise.all([upstream?.close(), broker?.close()]);
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.handle(answerAsMcp);
});
const held: ServerResponse[] = [];
afterEach(() => {
  for (const response of held.splice(0)) response.destroy();
});

async function serve(limits: Limits | undefined, document: Partial<SpecServer> = {}): Promise<string> {
  const name = `s-${crypto.randomUUID().slice(0, 8)}`;
  await dataPlane.publish({ name, upstream: { url: upstream.url }, agentAuth: { type: 'api-key' }, ...(limits && { limits }), ...document });
  return name;
}

const call = (name = 'echo', id: number | null = 7): Json => ({ jsonrpc: '2.0', ...(id !== null && { id }), method: 'tools/call', params: { name, arguments: {} } });
const message = (method: string, params: Json = {}): Json => ({ jsonrpc: '2.0', ...(!method.startsWith('notifications/') && { id: 1 }), method, params });

interface Posted {
  readonly caller?: string;
  readonly path?: string;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

const post = (server: string, body: unknown = call(), { caller = 'ana', path = `/mcp/default/${server}`, signal, headers = {} }: Posted = {}): Promise<Response> =>
  fetch(dataPlane.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'x-gatehouse-key': keys.get(caller) ?? '', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal && { signal }),
  });

const statusOf = async (response: Promise<Response>): Promise<number> => {
  const { status, body } = await response;
  await body?.cancel();
  return status;
};
const statuses = async (count: number, send: () => Promise<Response>): Promise<number[]> => {
  const all: number[] = [];
  while (all.length < count) all.push(await statusOf(send()));
  return all;
};
const metric = async (line: RegExp): Promise<number> => Number(line.exec(await (await fetch(`${dataPlane.internalUrl}/metrics`)).text())?.[1] ?? 0);
const underWay = (): Promise<number> => metric(/^gatehouse_limited_calls (\S+)/m);
const noneUnderWay = (): Promise<void> => vi.waitFor(async () => expect(await underWay()).toBe(0), { timeout: 20_000, interval: 20 });

/** The upstream answers when it is told to, each request by itself. */
function holdAnswers(): { readonly arrived: (count: number) => Promise<readonly ServerResponse[]>; readonly requests: RecordedRequest[] } {
  const requests: RecordedRequest[] = [];
  upstream.handle((request, response) => {
    requests.push(request);
    held.push(response);
  });
  return {
    requests,
    arrived: async (count) => {
      await vi.waitFor(() => expect(held.length).toBeGreaterThanOrEqual(count), { timeout: 20_000 });
      return held;
    },
  };
}

describe('a rate', () => {
  it('refuses what is too much, before anything is sent, and says which limit and when to come again', async () => {
    const name = await serve({ rates: [{ per: 'caller', calls: 2, seconds: 3_600 }] });
    expect(await statuses(2, () => post(name))).toEqual([200, 200]);
    const refused = await post(name);
    expect([refused.status, refused.headers.get('content-type')]).toEqual([429, 'application/json']);
    const retryAfter = Number(refused.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(1_700);
    expect(retryAfter).toBeLessThanOrEqual(1_800);
    expect(await refused.json()).toEqual({
      jsonrpc: '2.0', id: 7,
      error: { code: -32_000, message: expect.any(String) as string, data: { code: 'rate_limited', server: `default/${name}`, limit: { per: 'caller', calls: 2, seconds: 3_600, burst: 2, server: `default/${name}` }, retryAfterSeconds: retryAfter } },
    });
    expect(upstream.requests).toHaveLength(2);
    // Another caller has a share of its own.
    expect(await statusOf(post(name, call(), { caller: 'ben' }))).toBe(200);
    expect(await metric(new RegExp(`^gatehouse_limited_total\\{workspace="default",server="${name}",limit="caller"\\} (\\d+)`, 'm'))).toBe(1);
    expect(await metric(new RegExp(`^gatehouse_requests_total\\{workspace="default",server="${name}",outcome="rate_limited"\\} (\\d+)`, 'm'))).toBe(1);
    const lines = dataPlane.log.map((line) => JSON.parse(line) as { msg: string; server?: string; outcome?: string }).filter((line) => line.msg === 'call' && line.server === name);
    expect(lines.at(-2)).toMatchObject({ outcome: 'rate_limited', caller: 'service-account:account-ana', tool: 'echo' });
  });

  it('is counted for as long as its server is configured', async () => {
    const name = await serve({ rates: [{ per: 'server', calls: 1, seconds: 3_600 }] });
    expect(await statuses(2, () => post(name))).toEqual([200, 429]);
    const counted = (): Promise<number> => metric(new RegExp(`^gatehouse_limited_total\\{workspace="default",server="${name}",limit="server"\\} (\\d+)`, 'm'));
    expect(await counted()).toBe(1);
    await dataPlane.remove(name);
    expect(await counted()).toBe(0);
  });

  it('strangers, and those who may not call, use up nothing', async () => {
    const name = await serve({ rates: [{ per: 'server', calls: 1, seconds: 3_600 }] }, { access: { allow: [{ serviceAccount: 'ana' }] } });
    expect(await statuses(3, () => post(name, call(), { caller: 'nobody' }))).toEqual([401, 401, 401]);
    expect(await statuses(3, () => post(name, call(), { caller: 'ben' }))).toEqual([403, 403, 403]);
    expect(await statuses(2, () => post(name))).toEqual([200, 429]);
  });

  it('callers without a name are one', async () => {
    const name = await serve({ rates: [{ per: 'caller', calls: 2, seconds: 3_600 }] }, { agentAuth: { type: 'passthrough' } });
    expect(await statuses(3, () => post(name, call(), { headers: { 'x-forwarded-for': crypto.randomUUID() } }))).toEqual([200, 200, 429]);
  });

  it('goes by the name of the tool that the message has', async () => {
    const name = await serve({ rates: [{ per: 'tool', tools: ['delete_*'], calls: 1, seconds: 3_600 }] });
    const tools = ['delete_order', 'delete_order', 'delete_user', 'find', 'find'];
    const all: number[] = [];
    for (const tool of tools) all.push(await statusOf(post(name, call(tool))));
    expect(all).toEqual([200, 429, 200, 200, 200]);
    expect(await statusOf(post(name, call('delete_order'), { caller: 'ben' }))).toBe(429);
  });

  it.each<[string, string]>([
    ['two names', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find","name":"delete_order"}}'],
    ['two methods', '{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"tools/list","params":{"name":"delete_order"}}'],
    ['a method in another case', '{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call","params":{"name":"delete_order"}}'],
  ])('a message that could be read in two ways gets around none: %s', async (_, body) => {
    const name = await serve({ rates: [{ per: 'tool', tools: ['delete_*'], calls: 1, seconds: 3_600 }] });
    expect(await statuses(2, () => post(name, body))).toEqual([400, 400]);
    expect(upstream.requests).toEqual([]);
  });

  it.each<[string, string]>([
    ['a notification', '{"jsonrpc":"2.0","method":"tools/call","method":"notifications/progress","params":{"name":"echo"}}'],
    ['an answer', '{"jsonrpc":"2.0","id":1,"result":{},"Method":"tools/call","params":{"name":"echo"}}'],
  ])('what does not count has to be just that: %s', async (_, body) => {
    const name = await serve({ rates: [{ per: 'server', calls: 1, seconds: 3_600 }] });
    expect(await statusOf(post(name, body))).toBe(400);
    expect(upstream.requests).toEqual([]);
  });

  it.each<[string, unknown, number[]]>([
    ['a call of a tool', call(), [200, 429]],
    ['a call that wants no answer', call('echo', null), [200, 429]],
    ['a list', message('tools/list'), [200, 429]],
    ['the beginning of a session', message('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'a', version: '1' } }), [200, 429]],
    ['a ping', message('ping'), [200, 429]],
    ['a notification with an id, which is none', { ...message('notifications/progress'), id: 1 }, [200, 429]],
    ['such a one in a batch', [{ ...message('notifications/progress'), id: 1 }], [200, 429]],
  ])('%s counts', async (_, body, expected) => {
    upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{}}'));
    const name = await serve({ rates: [{ per: 'server', calls: 1, seconds: 3_600 }] });
    expect(await statuses(2, () => post(name, body))).toEqual(expected);
  });

  it.each<[string, (name: string) => Promise<Response>]>([
    ['notifications', (name) => post(name, message('notifications/initialized'))],
    ['answers', (name) => post(name, { jsonrpc: '2.0', id: 1, result: {} })],
    ['streams to listen on', (name) => fetch(`${dataPlane.url}/mcp/default/${name}`, { headers: { accept: 'text/event-stream', 'x-gatehouse-key': keys.get('ana') ?? '' } })],
  ])('%s do not', async (_, send) => {
    upstream.handle((request, response) => void (request.method === 'GET' ? response.writeHead(405).end() : response.writeHead(202).end()));
    const name = await serve({ rates: [{ per: 'server', calls: 1, seconds: 3_600 }] });
    expect((await statuses(3, () => send(name))).every((status) => status === 202 || status === 405)).toBe(true);
    expect(await statusOf(post(name))).toBe(202);
    expect(await statusOf(post(name))).toBe(429);
  });

  it('each call of a batch counts, and a batch that is too many is refused as a whole', async () => {
    upstream.handle((_request, response) => void response.end('[]'));
    const name = await serve({ rates: [{ per: 'caller', calls: 4, seconds: 3_600 }] });
    const batch = (size: number): Json[] => [...Array.from({ length: size }, (_, id) => call('echo', id)), message('notifications/progress')];
    expect(await statusOf(post(name, batch(3)))).toBe(200);
    expect(await statusOf(post(name, batch(2)))).toBe(429);
    expect(await statusOf(post(name, batch(1)))).toBe(200);
    expect(upstream.requests).toHaveLength(2);
  });

  it('a batch that never fits is not told to come again', async () => {
    upstream.handle((_request, response) => void response.end('[]'));
    const batch = Array.from({ length: 5 }, (_, id) => call('echo', id));
    for (const [limits, code] of [[{ rates: [{ per: 'caller', calls: 60, seconds: 60, burst: 4 }] }, 'rate_limited'], [{ concurrentCalls: { caller: 4 } }, 'too_many_concurrent_calls']] as const) {
      const name = await serve(limits as unknown as Limits);
      const refused = await post(name, batch);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, null]);
      const { error } = (await refused.json()) as { error: { data: Json } };
      expect([error.data['code'], 'retryAfterSeconds' in error.data]).toEqual([code, false]);
      expect(await statusOf(post(name, batch.slice(1)))).toBe(200);
    }
    expect(upstream.requests).toHaveLength(2);
  });

  it('a batch that is too large to be counted is none; without rates there is nothing to count', async () => {
    upstream.handle((_request, response) => void response.end('[]'));
    const batch = (size: number): Json[] => Array.from({ length: size }, (_, id) => call('echo', id));
    const name = await serve({ rates: [{ per: 'caller', calls: 1_000, seconds: 3_600 }] });
    const refused = await post(name, batch(101));
    expect([refused.status, ((await refused.json()) as { error: { data: Json } }).error.data['code']]).toEqual([400, 'invalid_request']);
    expect(await statusOf(post(name, batch(100)))).toBe(200);
    const other = await serve({ concurrentCalls: { server: 200 } });
    expect(await statusOf(post(other, batch(101)))).toBe(200);
  });

  it('survives an edit of the server that changes nothing of it', async () => {
    const limits: Limits = { rates: [{ per: 'caller', calls: 1, seconds: 3_600 }] };
    const name = await serve(limits);
    expect(await statuses(2, () => post(name))).toEqual([200, 429]);
    await dataPlane.publish({ name, upstream: { url: upstream.url }, agentAuth: { type: 'api-key' }, title: 'Another', limits });
    expect(await statusOf(post(name))).toBe(429);
  });
});

describe('direct calls of an API', () => {
  const api = (): Partial<SpecServer> => ({ type: 'api', upstream: { url: upstream.origin }, tools: { operations: [] } });
  const get = (name: string): Promise<Response> => fetch(`${dataPlane.url}/api/default/${name}/pets`, { headers: { 'x-gatehouse-key': keys.get('ana') ?? '' } });

  it('count like others, and are refused with a problem', async () => {
    upstream.handle((_request, response) => void response.end('[]'));
    const name = await serve({ rates: [{ per: 'caller', calls: 1, seconds: 3_600 }] }, api());
    expect(await statusOf(get(name))).toBe(200);
    const refused = await get(name);
    expect([refused.status, refused.headers.get('content-type')]).toEqual([429, 'application/problem+json']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_500);
    expect(await refused.json()).toMatchObject({ type: 'urn:gatehouse:problem:rate_limited', status: 429, code: 'rate_limited', limit: { per: 'caller', calls: 1 }, retryAfterSeconds: expect.any(Number) as number });
  });

  it('are refused where tools have limits: nobody can say which tool a path is', async () => {
    const name = await serve({ rates: [{ per: 'tool', calls: 100, seconds: 1 }] }, api());
    const refused = await get(name);
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, 'tool_not_allowed']);
  });
});

describe('calls under way', () => {
  it('as many as may at the same time; the next one is let in when one of them is over', async () => {
    const name = await serve({ concurrentCalls: { caller: 2, server: 3 } });
    const { arrived } = holdAnswers();
    const first = [post(name), post(name)];
    await arrived(2);
    const refused = await post(name);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await refused.json()).toMatchObject({ id: 7, error: { data: { code: 'too_many_concurrent_calls', limit: { per: 'caller', concurrentCalls: 2 } } } });
    const third = post(name, call(), { caller: 'ben' });
    await arrived(3);
    expect(await (await post(name, call(), { caller: 'ben' })).json()).toMatchObject({ error: { data: { limit: { per: 'server', concurrentCalls: 3 } } } });
    expect(await metric(new RegExp(`^gatehouse_limited_total\\{workspace="default",server="${name}",limit="concurrent-caller"\\} (\\d+)`, 'm'))).toBe(1);
    for (const response of held) response.end('{}');
    expect(await Promise.all([...first, third].map(statusOf))).toEqual([200, 200, 200]);
    await noneUnderWay();
    upstream.handle(answerAsMcp);
    expect(await statuses(3, () => post(name))).toEqual([200, 200, 200]);
  });

  it('an answer that streams counts until its end', async () => {
    const name = await serve({ concurrentCalls: { server: 1 } });
    const { arrived } = holdAnswers();
    const streaming = post(name);
    const [response] = await arrived(1);
    response?.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n');
    const { body } = await streaming;
    expect([await statusOf(post(name)), await underWay()]).toEqual([429, 1]);
    response?.end();
    await body?.pipeTo(new WritableStream());
    await noneUnderWay();
  });

  it('a stream that only listens does not, once the upstream says that it is one', async () => {
    const name = await serve({ concurrentCalls: { server: 1 } });
    const { arrived } = holdAnswers();
    const listen = { ...message('subscriptions/listen', { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }) };
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' };
    const listening = post(name, listen, { headers });
    const [response] = await arrived(1);
    expect(await underWay()).toBe(1);
    response?.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n');
    const { status, body } = await listening;
    expect([status, await underWay()]).toEqual([200, 0]);
    await body?.cancel();
  });

  it('settings hold for servers that say nothing', async () => {
    const plane = await startInProcessDataPlane({ GATEHOUSE_CONCURRENT_CALLS_PER_SERVER: '1' });
    try {
      await plane.publish({ name: 'plain', upstream: { url: upstream.url } }, { name: 'own', upstream: { url: upstream.url }, limits: { concurrentCalls: { server: 2 } } });
      const { arrived } = holdAnswers();
      const send = (name: string): Promise<Response> => fetch(`${plane.url}/mcp/default/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(call()) });
      const waiting = [send('plain'), send('own'), send('own')];
      await arrived(3);
      expect([await statusOf(send('plain')), await statusOf(send('own'))]).toEqual([429, 429]);
      for (const response of held) response.end('{}');
      expect(await Promise.all(waiting.map(statusOf))).toEqual([200, 200, 200]);
    } finally {
      await plane.close();
    }
  });

  it('a call that is sent again with a fresh token is one', async () => {
    broker.answer(({ refused }) => ({ status: 'token', accessToken: refused === undefined ? 'token-1' : 'token-2', connection: 'c', owner: 'app-1' }));
    upstream.handle((request, response) => (headerValue(request, 'authorization') === 'Bearer token-1' ? void response.writeHead(401).end() : answerAsMcp(request, response)));
    const name = await serve({ rates: [{ per: 'server', calls: 1, seconds: 3_600 }], concurrentCalls: { server: 1 } }, { appAuth: { type: 'oauth-authorization-code', app: 'github', shared: true } });
    expect(await statuses(2, () => post(name))).toEqual([200, 429]);
    expect(upstream.requests.map((request) => headerValue(request, 'authorization'))).toEqual(['Bearer token-1', 'Bearer token-2']);
    await noneUnderWay();
  });

  it('whatever becomes of calls, in the end none is under way', async () => {
    const name = await serve({ concurrentCalls: { server: 1_000, caller: 1_000 } }, { upstream: { url: upstream.url, timeouts: { responseSeconds: 0.3, streamIdleSeconds: 0.3 } } });
    const endings: ((response: ServerResponse) => unknown)[] = [
      (response) => response.end('{"jsonrpc":"2.0","id":7,"result":{}}'),
      (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {}\n\n'),
      (response) => response.destroy(),
      (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n', () => response.destroy()),
      (response) => response.writeHead(302, { location: 'https://elsewhere.example/' }).end(),
      (response) => response.writeHead(401).end('no'),
      (response) => response.writeHead(500).end('x'.repeat(100_000)),
      (response) => response.writeHead(200, { 'content-length': '10' }).write('x', () => response.destroy()),
      // Never, or not to its end.
      () => undefined,
      (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n'),
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).write('x'.repeat(1_000_000)),
    ];
    let next = 0;
    upstream.handle((_request, response) => {
      held.push(response);
      endings[next++ % endings.length]?.(response);
    });
    const leaving = [undefined, undefined, 0, 5, 50];
    const one = async (index: number): Promise<void> => {
      const leave = new AbortController();
      const after = leaving[index % leaving.length];
      const answered = post(name, index % 7 === 0 ? 'no json' : call(), { signal: leave.signal });
      if (after !== undefined) void sleep(after).then(() => leave.abort());
      const response = await answered.catch(() => undefined);
      if (index % 3 === 0) await response?.body?.cancel().catch(() => undefined);
      else await response?.text().catch(() => undefined);
    };
    await Promise.all(Array.from({ length: 165 }, (_, index) => one(index)));
    await noneUnderWay();
    expect(await statusOf(post(name))).toBeGreaterThan(0);
    await noneUnderWay();
  });
});

describe('a virtual server', () => {
  const open = { agentAuth: { type: 'passthrough' } } as const;
  const publish = async (own: Limits | undefined, ofMember: Limits | undefined): Promise<{ name: string; member: string }> => {
    const member = await serve(ofMember, open);
    const name = `v-${crypto.randomUUID().slice(0, 8)}`;
    await dataPlane.publish({ name, type: 'virtual', members: [{ server: member, prefix: 'm_' }], agentAuth: { type: 'passthrough' }, ...(own && { limits: own }) });
    return { name, member };
  };
  const callOf = (tool: string): Json => ({ ...call(`m_${tool}`), params: { name: `m_${tool}`, arguments: {}, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} } } });
  const send = (name: string, tool = 'echo'): Promise<Response> => post(name, callOf(tool), { headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': `m_${tool}` } });
  const answer = (_request: RecordedRequest, response: ServerResponse): void => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: 7, result: { resultType: 'complete', content: [] } }));

  it('has limits of its own, by the names that its tools have there', async () => {
    upstream.handle(answer);
    const { name } = await publish({ rates: [{ per: 'tool', tools: ['m_echo'], calls: 1, seconds: 3_600 }] }, undefined);
    expect(await statuses(2, () => send(name))).toEqual([200, 429]);
    expect(await statusOf(send(name, 'other'))).toBe(200);
  });

  it('gets nobody around the limits of a member', async () => {
    upstream.handle(answer);
    const { name, member } = await publish(undefined, { rates: [{ per: 'tool', tools: ['echo'], calls: 2, seconds: 3_600 }] });
    expect(await statusOf(post(member))).toBe(200);
    expect(await statusOf(send(name))).toBe(200);
    const refused = await send(name);
    expect([refused.status, Number(refused.headers.get('retry-after')) > 1]).toEqual([429, true]);
    expect(await refused.json()).toMatchObject({ id: 7, error: { data: { code: 'rate_limited', limit: { per: 'tool', calls: 2, server: `default/${member}` } } } });
    expect(await statusOf(post(member))).toBe(429);
  });

  /** Of the legacy era, with sessions. */
  const answerInSessions = (request: RecordedRequest, response: ServerResponse): void => {
    const said = request.method === 'POST' ? (JSON.parse(request.body.toString()) as { id?: unknown; method: string }) : undefined;
    if (headerValue(request, 'mcp-protocol-version') === '2026-07-28') return void response.writeHead(400).end();
    if (said?.id === undefined) return void response.writeHead(said === undefined ? 200 : 202).end();
    const result = said.method === 'initialize' ? { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'u', version: '1' } } : { content: [] };
    response.writeHead(200, { 'content-type': 'application/json', ...(said.method === 'initialize' && { 'mcp-session-id': crypto.randomUUID() }) }).end(JSON.stringify({ jsonrpc: '2.0', id: said.id, result }));
  };
  const posted = (): number => upstream.requests.filter(({ method }) => method === 'POST').length;

  it('over the limits of a member it opens no session there either; with all that is said for it a call is one', async () => {
    upstream.handle(answerInSessions);
    const { name } = await publish(undefined, { rates: [{ per: 'server', calls: 3, seconds: 3_600 }], concurrentCalls: { server: 1 } });
    // The first finds out that sessions are needed; callers without a name share none.
    expect(await statuses(3, () => send(name))).toEqual([200, 200, 200]);
    const said = posted();
    expect(said).toBeGreaterThanOrEqual(9);
    expect(await statuses(5, () => send(name))).toEqual([429, 429, 429, 429, 429]);
    expect(posted()).toBe(said);
    await noneUnderWay();
  });

  it('begins with a member as often as the member’s limits let its callers, and goes on without', async () => {
    upstream.handle(answerInSessions);
    const { name, member } = await publish(undefined, { rates: [{ per: 'server', calls: 2, seconds: 3_600 }] });
    const begin = (): Promise<Response> => post(name, message('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'a', version: '1' } }));
    expect(await statuses(2, begin)).toEqual([200, 200]);
    const said = posted();
    const without = await begin();
    expect([without.status, ((await without.json()) as { result: { instructions: string } }).result.instructions]).toEqual([200, expect.stringContaining(`${member} (rate_limited)`)]);
    expect(posted()).toBe(said);
  });

  it('its calls under way, and its members’, come to an end with the answer', async () => {
    const { name, member } = await publish({ concurrentCalls: { server: 1 } }, { concurrentCalls: { server: 1 } });
    const { arrived } = holdAnswers();
    const first = send(name);
    const [response] = await arrived(1);
    expect([await underWay(), await statusOf(send(name)), await statusOf(post(member))]).toEqual([2, 429, 429]);
    response?.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: 7, result: { resultType: 'complete', content: [] } }));
    expect(await statusOf(first)).toBe(200);
    await noneUnderWay();
    const leave = new AbortController();
    const left = post(name, callOf('echo'), { signal: leave.signal, headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'm_echo' } }).catch(() => 'left');
    await arrived(2);
    leave.abort();
    expect(await left).toBe('left');
    await noneUnderWay();
  });
});

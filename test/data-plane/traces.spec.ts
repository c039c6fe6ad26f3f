import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ana, signAccessToken } from '../support/access-token.ts';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { type InProcessDataPlane, startInProcessDataPlane, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { type OtlpCollector, type ReceivedSpan, spanKind, startOtlpCollector } from '../support/otlp-collector.ts';
import { answerAsPets, petsOperations } from '../support/pets-api.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startSpecBroker, type SpecBroker } from '../support/token-broker.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

let collector: OtlpCollector;
let upstream: RecordingUpstream;
let broker: SpecBroker;
let issuer: TokenIssuer;
let traced: InProcessDataPlane;
let untraced: InProcessDataPlane;

const exporting = (url: string): Record<string, string> => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: '10' });

beforeAll(async () => {
  [collector, upstream, broker, issuer] = await Promise.all([startOtlpCollector(), startRecordingUpstream(), startSpecBroker(), startTokenIssuer()]);
  [traced, untraced] = await Promise.all([startPublicDataPlane({ ...broker.environment, ...exporting(collector.url) }), startInProcessDataPlane()]);
  await traced.publishAuthorizationServer(issuer);
  const orders = { name: 'orders', upstream: { url: upstream.url } };
  await untraced.publish(orders);
  await traced.publish(
    orders,
    { ...orders, name: 'other' },
    { ...orders, name: 'restricted', headerPolicy: { mode: 'none', restricted: ['trace*'] } },
    { ...orders, name: 'down', upstream: { url: 'http://127.0.0.1:1/mcp' } },
    { ...orders, name: 'connected', agentAuth: { type: 'interactive' }, appAuth: { type: 'oauth-authorization-code', app: 'github' } },
    { name: 'pets', type: 'api', upstream: { url: `${upstream.origin}/v1` }, tools: { operations: petsOperations } },
    { name: 'all', type: 'virtual', members: [{ server: 'orders', prefix: 'a_' }, { server: 'other', prefix: 'b_' }] },
  );
});
afterAll(async () => {
  await Promise.all([traced?.close(), untraced?.close()]);
  await Promise.all([collector, upstream, broker, issuer].map((part) => part?.close()));
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.handle(answerAsMcp);
});

let ids = 0;
const newTraceId = (): string => `4bf92f3577b34da6a3ce929d0e0e${(ids += 1).toString(16).padStart(4, '0')}`;
const callerSpan = '00f067aa0ba902b7';
const contextOf = (traceId: string, flags = '01', spanId = callerSpan): string => `00-${traceId}-${spanId}-${flags}`;

const patience = { timeout: 20_000, interval: 10 };
/** Of a trace, once so many are there. */
async function spansOf(traceId: string, count: number): Promise<ReceivedSpan[]> {
  const found = (): ReceivedSpan[] => collector.spans.filter((span) => span.traceId === traceId);
  await vi.waitFor(() => expect(found()).toHaveLength(count), patience);
  return found();
}
const ofKind = (spans: readonly ReceivedSpan[], kind: number): ReceivedSpan[] => spans.filter((span) => span.kind === kind);
function onlyOf(spans: readonly ReceivedSpan[], kind: number): ReceivedSpan {
  const [only, ...others] = ofKind(spans, kind);
  expect(others).toEqual([]);
  return only ?? expect.unreachable('there is none');
}
const contextOfSpan = ({ traceId, spanId }: ReceivedSpan): string => contextOf(traceId, '01', spanId);

const callText = (params: string): string => `{"jsonrpc":"2.0","id":"call-7","method":"tools/call","params":{"name":"inspect",${params}}}`;
const plainCall = callText('"arguments":{"a":"marked-argument"}');
const post = (server: string, headers: Record<string, string> = {}, body = plainCall, plane = traced): Promise<Response> =>
  fetch(`${plane.url}/mcp/default/${server}?q=marked-query`, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'x-mine': 'marked-header', ...headers }, body });
const sentContexts = (): (string | undefined)[] => upstream.requests.map((request) => headerValue(request, 'traceparent'));

describe('a call of a tool', () => {
  it('is a span, and what the upstream is asked one below it, by the conventions for MCP', async () => {
    const traceId = newTraceId();
    expect((await post('orders', { traceparent: contextOf(traceId), tracestate: 'vendor=1', baggage: 'user=1', 'mcp-protocol-version': '2025-06-18' })).status).toBe(200);
    const spans = await spansOf(traceId, 2);
    const [server, client] = [onlyOf(spans, spanKind.server), onlyOf(spans, spanKind.client)];
    const common = { 'mcp.method.name': 'tools/call', 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'inspect', 'jsonrpc.request.id': 'call-7', 'network.transport': 'tcp', 'network.protocol.name': 'http', 'gatehouse.workspace': 'default', 'gatehouse.server': 'orders' };
    expect(server).toMatchObject({ name: 'tools/call inspect', parentSpanId: callerSpan, service: 'gatehouse-data-plane' });
    expect(server.attributes).toEqual({ ...common, 'gatehouse.caller.kind': 'anonymous', 'gatehouse.outcome': 'ok' });
    expect(client).toMatchObject({ name: 'tools/call inspect', parentSpanId: server.spanId });
    expect(client.attributes).toEqual({ ...common, 'mcp.protocol.version': '2025-06-18', 'server.address': '127.0.0.1', 'server.port': upstream.port, 'http.response.status_code': 200 });
    expect(BigInt(client.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(server.startTimeUnixNano));
    expect(BigInt(client.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(server.endTimeUnixNano));
    expect([server.status, client.status]).toEqual([undefined, undefined]);

    const [arrived] = upstream.requests;
    expect(sentContexts()).toEqual([contextOfSpan(client)]);
    expect([headerValue(arrived as never, 'tracestate'), headerValue(arrived as never, 'baggage')]).toEqual(['vendor=1', 'user=1']);
    expect(arrived?.body.toString()).toBe(plainCall);
    const line = traced.log.map((text) => JSON.parse(text) as Record<string, unknown>).find((fields) => fields['msg'] === 'call' && fields['traceId'] === traceId);
    expect(line).toMatchObject({ spanId: server.spanId, tool: 'inspect' });
  });

  it('begins a trace where its caller has none', async () => {
    expect((await post('orders', { traceparent: 'made-up' })).status).toBe(200);
    const [sent] = sentContexts();
    const [, traceId = ''] = /^00-([0-9a-f]{32})-[0-9a-f]{16}-01$/.exec(sent ?? '') ?? [];
    const spans = await spansOf(traceId, 2);
    expect(onlyOf(spans, spanKind.server).parentSpanId).toBeUndefined();
    expect(sent).toBe(contextOfSpan(onlyOf(spans, spanKind.client)));
  });

  it('says nothing of arguments, queries, headers and paths', () => {
    expect(collector.raw.length).toBeGreaterThan(0);
    expect(collector.raw.join('\n')).not.toMatch(/marked-(argument|query|header|path)/);
  });
});

describe('OpenTelemetry, MCP, context propagation', () => {
  const withContext = (context: string): string => callText(`"arguments":{"traceparent":"${context}","b":"\\u00fc 🎈"}, "_meta" :{"tracestate":"m=1","traceparent":"${context}","baggage":"a=b"}`);

  it('what the message names is the parent, and what its transport says is linked', async () => {
    const [traceId, transports] = [newTraceId(), newTraceId()];
    const body = withContext(contextOf(traceId));
    expect((await post('orders', { traceparent: contextOf(transports, '01', 'b7ad6b7169203331'), tracestate: 'h=1' }, body)).status).toBe(200);
    const spans = await spansOf(traceId, 2);
    const [server, client] = [onlyOf(spans, spanKind.server), onlyOf(spans, spanKind.client)];
    expect(server).toMatchObject({ parentSpanId: callerSpan, links: [{ traceId: transports, spanId: 'b7ad6b7169203331' }] });
    // The upstream hears of one parent, whichever it believes; nothing else of the message is another.
    const [arrived] = upstream.requests;
    expect([headerValue(arrived as never, 'traceparent'), headerValue(arrived as never, 'tracestate')]).toEqual([contextOfSpan(client), 'm=1']);
    const at = body.lastIndexOf(contextOf(traceId));
    expect(arrived?.body.toString()).toBe(body.slice(0, at) + contextOfSpan(client) + body.slice(at + 55));
  });

  it.each([['the same context in both', true], ['none in the transport', false]])('%s is no link', async (_, both) => {
    const traceId = newTraceId();
    expect((await post('orders', both ? { traceparent: contextOf(traceId) } : {}, withContext(contextOf(traceId)))).status).toBe(200);
    const server = onlyOf(await spansOf(traceId, 2), spanKind.server);
    expect([server.parentSpanId, server.links]).toEqual([callerSpan, undefined]);
  });

  it('P1 a policy that keeps the context back keeps it back, and the message goes on as it is', async () => {
    const traceId = newTraceId();
    const body = withContext(contextOf(traceId));
    expect((await post('restricted', { traceparent: contextOf(traceId) }, body)).status).toBe(200);
    expect(await spansOf(traceId, 2)).toHaveLength(2);
    expect([sentContexts(), upstream.requests[0]?.body.toString()]).toEqual([[undefined], body]);
  });
});

describe('P3 where there is no span, the context goes on unchanged', () => {
  const traceId = newTraceId();
  const body = callText(`"_meta":{"traceparent":"${contextOf(traceId)}"}`);
  const unsampledBody = body.replace('-01"', '-00"');

  it.each<[string, () => InProcessDataPlane, string, string]>([
    ['nothing is traced', () => untraced, contextOf(traceId), body],
    ['nobody keeps the trace', () => traced, contextOf(traceId, '00'), unsampledBody],
    ['nor one of a later version, which may say more', () => traced, `cc${contextOf(traceId, '00-more').slice(2)}`, unsampledBody],
  ])('%s', async (_, plane, traceparent, message) => {
    for (const sent of [plainCall, message]) expect((await post('orders', { traceparent, tracestate: 'vendor=1' }, sent, plane())).status).toBe(200);
    expect(upstream.requests.map((request) => [headerValue(request, 'traceparent'), headerValue(request, 'tracestate'), request.body.toString()])).toEqual(
      [plainCall, message].map((text) => [traceparent, 'vendor=1', text]),
    );
  });

  it('and no span was made of it', async () => {
    const later = newTraceId();
    await post('orders', { traceparent: contextOf(later) });
    await spansOf(later, 2);
    expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  });
});

describe('what is asked for a call', () => {
  it('waiting for its credentials is a span, the broker goes on with the trace, and each attempt is one', async () => {
    broker.answer(({ refused }) => ({ status: 'token', accessToken: refused === undefined ? 'first' : 'second', connection: 'one', owner: 'app' }));
    upstream.handle((request, response) => (headerValue(request, 'authorization') === 'Bearer second' ? answerAsMcp(request, response) : void response.writeHead(401).end()));
    const authorization = `Bearer ${await signAccessToken(issuer, `${traced.url}/mcp/default/connected`, { ...ana })}`;
    const traceId = newTraceId();
    expect((await post('connected', { authorization, traceparent: contextOf(traceId) })).status).toBe(200);
    const spans = await spansOf(traceId, 7);
    const server = onlyOf(spans, spanKind.server);
    expect(ofKind(spans, spanKind.internal).map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual(Array.from({ length: 2 }, () => ['obtain credentials', server.spanId]));
    const toBroker = ofKind(spans, spanKind.client).filter(({ attributes }) => attributes['url.path'] === '/internal/tokens');
    expect(broker.traceparents).toEqual(toBroker.map(contextOfSpan));
    const attempts = ofKind(spans, spanKind.client).filter(({ name }) => name === 'tools/call inspect');
    expect(attempts.map(({ attributes, status }) => [attributes['http.response.status_code'], attributes['error.type'], status?.code])).toEqual([[401, '401', 2], [200, undefined, undefined]]);
    expect(sentContexts()).toEqual(attempts.map(contextOfSpan));

    // What is at hand is waited for by nobody.
    const next = newTraceId();
    expect((await post('connected', { authorization, traceparent: contextOf(next) })).status).toBe(200);
    expect((await spansOf(next, 2)).map(({ kind }) => kind).sort()).toEqual([spanKind.server, spanKind.client]);
  });

  it('a provider that is asked for a token is asked in a span, and is told of no trace', async () => {
    const provider = await startRecordingUpstream({ handler: (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token":"marked-token","token_type":"Bearer","expires_in":3600}') });
    try {
      await traced.publish({ name: 'service', upstream: { url: upstream.url }, appAuth: { type: 'oauth-client-credentials', tokenUrl: `${provider.origin}/oauth/token`, clientId: 'spec', clientSecret: 'marked-secret' } });
      const traceId = newTraceId();
      expect((await post('service', { traceparent: contextOf(traceId) })).status).toBe(200);
      const spans = await spansOf(traceId, 4);
      const asked = spans.find(({ name }) => name === 'POST');
      expect(asked).toMatchObject({ kind: spanKind.client, parentSpanId: onlyOf(spans, spanKind.server).spanId, attributes: { 'server.port': provider.port, 'url.path': '/oauth/token', 'http.response.status_code': 200 } });
      expect(onlyOf(spans, spanKind.internal).name).toBe('obtain credentials');
      expect(provider.requests.map((request) => headerValue(request, 'traceparent'))).toEqual([undefined]);
      expect(collector.raw.join('\n')).not.toMatch(/marked-(token|secret)/);
    } finally {
      await provider.close();
    }
  });

  it('a redirect is a part of it', async () => {
    upstream.handle((request, response) => (request.url === '/mcp' ? void response.writeHead(307, { location: '/mcp/next' }).end() : answerAsMcp(request, response)));
    const traceId = newTraceId();
    expect((await post('orders', { traceparent: contextOf(traceId) })).status).toBe(200);
    const client = onlyOf(await spansOf(traceId, 2), spanKind.client);
    expect([sentContexts(), client.attributes['http.response.status_code']]).toEqual([[contextOfSpan(client), contextOfSpan(client)], 200]);
  });

  it('of a virtual server, each member is asked in a span', async () => {
    const traceId = newTraceId();
    const list = '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}';
    expect((await post('all', { traceparent: contextOf(traceId), 'mcp-protocol-version': '2025-06-18' }, list)).status).toBe(200);
    await vi.waitFor(() => expect(collector.spans.some((span) => span.traceId === traceId && span.kind === spanKind.server)).toBe(true), patience);
    const spans = collector.spans.filter((span) => span.traceId === traceId);
    const server = onlyOf(spans, spanKind.server);
    const lists = ofKind(spans, spanKind.client).filter(({ name }) => name === 'tools/list');
    expect(lists.map(({ attributes, parentSpanId }) => [attributes['gatehouse.server'], parentSpanId]).sort()).toEqual([['orders', server.spanId], ['other', server.spanId]]);
    expect(server.attributes['gatehouse.server']).toBe('all');
  });

  it('an API is asked in plain HTTP, for a tool and for a direct call, whose path is nobody’s business', async () => {
    upstream.handle(answerAsPets);
    const [tool, direct] = [newTraceId(), newTraceId()];
    const listPets = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"listPets","arguments":{}}}';
    expect((await post('pets', { traceparent: contextOf(tool) }, listPets)).status).toBe(200);
    const spans = await spansOf(tool, 2);
    expect([onlyOf(spans, spanKind.server).name, onlyOf(spans, spanKind.client).name]).toEqual(['tools/call listPets', 'GET']);
    expect(onlyOf(spans, spanKind.client).attributes).toMatchObject({ 'http.request.method': 'GET', 'gen_ai.tool.name': 'listPets' });

    await fetch(`${traced.url}/api/default/pets/marked-path?q=marked-query`, { headers: { traceparent: contextOf(direct) } });
    const ofDirect = await spansOf(direct, 2);
    const route = '/api/{workspace}/{server}/{path}';
    expect(onlyOf(ofDirect, spanKind.server)).toMatchObject({ name: `GET ${route}`, attributes: { 'http.route': route, 'http.request.method': 'GET', 'gatehouse.server': 'pets' } });
    expect(sentContexts().at(-1)).toBe(contextOfSpan(onlyOf(ofDirect, spanKind.client)));
    expect(collector.raw.join('\n')).not.toMatch(/marked-(path|query)/);
  });
});

describe('a span is over', () => {
  it('when the whole answer is there, however long it is in coming', async () => {
    let finish: (() => void) | undefined;
    upstream.handle((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here it comes\n\n');
      finish = () => response.end('data: {"jsonrpc":"2.0","id":"call-7","result":{}}\n\n');
    });
    const [slow, later] = [newTraceId(), newTraceId()];
    const answer = await post('orders', { traceparent: contextOf(slow) });
    upstream.handle(answerAsMcp);
    await post('orders', { traceparent: contextOf(later) });
    await spansOf(later, 2);
    expect(collector.spans.filter(({ traceId }) => traceId === slow)).toEqual([]);
    finish?.();
    await answer.text();
    expect((await spansOf(slow, 2)).map(({ status }) => status)).toEqual([undefined, undefined]);
  });

  it('with the head of a stream that only listens', async () => {
    upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': quiet\n\n'));
    const traceId = newTraceId();
    const ended = new AbortController();
    const stream = await fetch(`${traced.url}/mcp/default/orders`, { headers: { accept: 'text/event-stream', traceparent: contextOf(traceId) }, signal: ended.signal });
    expect(stream.status).toBe(200);
    expect(onlyOf(await spansOf(traceId, 2), spanKind.server).name).toBe('GET /mcp/{workspace}/{server}');
    ended.abort();
  });

  it('when nobody answers, with the reason', async () => {
    const traceId = newTraceId();
    const { status } = await post('down', { traceparent: contextOf(traceId) });
    expect(status).toBe(502);
    const spans = await spansOf(traceId, 2);
    for (const span of spans) expect([span.attributes['error.type'], span.status?.code]).toEqual(['upstream_unreachable', 2]);
    expect(onlyOf(spans, spanKind.server).attributes['gatehouse.outcome']).toBe('upstream_unreachable');
  });

  it('for what a caller asks that is no message, without anything below it', async () => {
    const traceId = newTraceId();
    expect((await post('orders', { traceparent: contextOf(traceId) }, '{')).status).toBe(400);
    const [server] = await spansOf(traceId, 1);
    expect(server?.attributes).toMatchObject({ 'gatehouse.outcome': 'invalid_request', 'http.response.status_code': 400 });
  });

  it('and what strangers ask for is none, whatever they say of their trace', async () => {
    const [refused, stranger, later] = [newTraceId(), newTraceId(), newTraceId()];
    expect((await post('nowhere', { traceparent: contextOf(stranger) })).status).toBe(404);
    expect((await post('connected', { traceparent: contextOf(refused) })).status).toBe(401);
    expect((await post('connected', { traceparent: contextOf(refused), authorization: 'Bearer made-up' })).status).toBe(401);
    expect((await post('orders', { traceparent: contextOf(later) })).status).toBe(200);
    // Spans go in the order in which they end.
    await spansOf(later, 2);
    expect(collector.spans.filter(({ traceId }) => traceId === stranger || traceId === refused)).toEqual([]);
  });
});

it('a collector that is away costs no call, and what is lost is counted', async () => {
  const away = await startInProcessDataPlane({ ...exporting('http://127.0.0.1:1'), OTEL_BSP_MAX_QUEUE_SIZE: '4', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2' });
  try {
    await away.publish({ name: 'orders', upstream: { url: upstream.url } });
    for (let call = 0; call < 10; call += 1) expect((await post('orders', {}, plainCall, away)).status).toBe(200);
    await vi.waitFor(async () => {
      const text = await (await fetch(`${away.internalUrl}/metrics`)).text();
      expect(Number(/gatehouse_spans_dropped_total\{reason="queue_full"\} (\d+)/.exec(text)?.[1])).toBeGreaterThan(0);
    }, patience);
  } finally {
    await away.close();
  }
});

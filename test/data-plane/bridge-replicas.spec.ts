import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startConformanceUpstream } from '../support/conformance-upstream.ts';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { textOf } from '../support/mcp-clients/mcp-client.ts';
import { startSampleSseUpstream } from '../support/mcp-sample-sse-upstream.ts';
import type { SampleUpstream } from '../support/mcp-sample-upstream.ts';
import { headerValue, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import type { RunningUpstream } from '../support/serve-both-eras.ts';

/* Two data planes of one fleet behind an address that may mean either. */

let sse: SampleUpstream;
let streamable: RunningUpstream;
let holder: InProcessDataPlane;
let second: InProcessDataPlane;
let ana: string;
let ben: string;

beforeAll(async () => {
  [sse, streamable] = await Promise.all([startSampleSseUpstream(), startConformanceUpstream()]);
  holder = await startInProcessDataPlane();
  const agentAuth = { type: 'api-key' } as const;
  await holder.publish(
    { name: 'speaks-sse', upstream: { url: sse.url, transport: 'sse' }, agentAuth },
    { name: 'speaks-streamable', upstream: { url: streamable.url }, agentAuth },
  );
  [ana, ben] = [await holder.addServiceAccount('ana'), await holder.addServiceAccount('ben')];
  second = await startInProcessDataPlane({}, holder);
});
afterAll(async () => {
  await Promise.all([holder.close(), second.close()]);
  await Promise.all([sse.close(), streamable.close()]);
});

/** The session is opened at the holder; everything after its first request goes to the second. */
const otherwiseAtSecond = (): typeof fetch => {
  let requests = 0;
  return (input, init) => {
    requests += 1;
    const url = input instanceof Request ? input.url : String(input);
    return fetch(requests === 1 ? url : url.replace(holder.url, second.url), init);
  };
};
const asAna = (): { headers: Record<string, string> } => ({ headers: { authorization: `Bearer ${ana}` } });
const speaksSse = (plane: InProcessDataPlane): string => `${plane.url}/mcp/default/speaks-sse`;

const send = (plane: InProcessDataPlane, message: object | undefined, session?: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(speaksSse(plane), {
    method: message ? 'POST' : 'GET',
    headers: { ...asAna().headers, 'content-type': 'application/json', ...(session && { 'mcp-session-id': session }), ...headers },
    ...(message && { body: JSON.stringify({ jsonrpc: '2.0', ...message }) }),
  });
const codeOf = async (response: Response): Promise<unknown> => [response.status, ((await response.json()) as { error: { data: { code: string } } }).error.data.code];
const openAt = async (plane: InProcessDataPlane): Promise<string> => {
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'spec', version: '1' } };
  const response = await send(plane, { id: 0, method: 'initialize', params });
  await response.text();
  return response.headers.get('mcp-session-id') ?? '';
};
const ping = { id: 1, method: 'ping' };

describe('a session of another data plane', () => {
  it('Streamable HTTP → HTTP+SSE: every method of it is served', async () => {
    const transport = new StreamableHTTPClientTransport(new URL(speaksSse(holder)), { requestInit: asAna(), fetch: otherwiseAtSecond() });
    const client = new Client({ name: 'spec', version: '1' });
    await client.connect(transport);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['echo', 'whoami', 'slow']);
    const started = sse.log.nextSlowCall();
    const slow = client.callTool({ name: 'slow' });
    const call = await started;
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'meanwhile' } }))).toBe('meanwhile');
    call.release();
    expect(textOf(await slow)).toBe('released');
    const session = transport.sessionId;
    await transport.terminateSession();
    expect(await codeOf(await send(holder, ping, session))).toEqual([404, 'session_not_found']);
    await client.close();
    expect(second.log.filter((line) => line.includes('"tool":"echo"'))).toHaveLength(1);
  });

  it('HTTP+SSE → Streamable HTTP: what is posted reaches it, and what the server asks the caller', async () => {
    const authorized = otherwiseAtSecond();
    const transport = new SSEClientTransport(new URL(`${holder.url}/sse/default/speaks-streamable`), { requestInit: asAna(), fetch: authorized, eventSourceInit: { fetch: (url, init) => authorized(url, { ...init, headers: { ...init?.headers as Record<string, string>, ...asAna().headers } }) } });
    const client = new Client({ name: 'spec', version: '1' }, { capabilities: { elicitation: {} } });
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept' as const, content: { username: 'ada' } }));
    const changed = new Promise<void>((resolve) => client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()));
    await client.connect(transport);
    expect(textOf(await client.callTool({ name: 'test_elicitation', arguments: { message: 'm' } }))).toContain('ada');
    await client.callTool({ name: 'test_trigger_tool_change' });
    await changed;
    await client.close();
  });

  it('is none for another caller, at either', async () => {
    const session = await openAt(holder);
    for (const plane of [holder, second]) expect(await codeOf(await send(plane, ping, session, { authorization: `Bearer ${ben}` }))).toEqual([404, 'session_not_found']);
  });

  it('is not looked for on behalf of a stranger', async () => {
    expect((await send(second, ping, await openAt(holder), { authorization: 'Bearer nobody' })).status).toBe(401);
  });

  it('is gone with its holder: 404, so that the caller initializes again', async () => {
    const third = await startInProcessDataPlane({}, holder);
    const session = await openAt(third);
    await third.close();
    expect(await codeOf(await send(second, ping, session))).toEqual([404, 'session_not_found']);
  });
});

describe('between data planes', () => {
  const called = { id: 7, method: 'tools/call', params: { name: 'echo', arguments: { text: 'for-the-holder-only' } } };
  /** A data plane whose address leads to something else now, and a session that it holds. */
  async function elsewhere(): Promise<{ third: InProcessDataPlane; there: RecordingUpstream; session: string } & AsyncDisposable> {
    const there = await startRecordingUpstream();
    const third = await startInProcessDataPlane({ GATEHOUSE_DATA_PLANE_PEER_URL: there.origin }, holder);
    const session = await openAt(third);
    return { third, there, session, [Symbol.asyncDispose]: async () => void (await Promise.all([third.close(), there.close()])) };
  }
  const passOn = ({ rawHeaders, body, method, url }: RecordedRequest, plane: InProcessDataPlane): Promise<Response> => {
    const ticket = rawHeaders[rawHeaders.findIndex((name) => name === 'x-gatehouse-relay') + 1] ?? '';
    return fetch(plane.url + url, { method, body: new Uint8Array(body), headers: { 'x-gatehouse-relay': ticket } });
  };

  it('nothing of a request can be read on the way, or by another who has the address now', async () => {
    await using place = await elsewhere();
    const cookie = 'the-callers-cookie';
    expect(await codeOf(await send(second, called, place.session, { cookie, 'x-gatehouse-key': ana }))).toEqual([404, 'session_not_found']);
    const [seen] = place.there.requests;
    expect(place.there.requests).toHaveLength(1);
    const text = [seen?.method, seen?.url, ...(seen?.rawHeaders ?? []), seen?.body.toString('latin1')].join('\n');
    for (const secret of [ana, place.session, cookie, 'for-the-holder-only', 'speaks-sse']) expect(text).not.toContain(secret);
  });

  it.each([200, 202, 302, 401, 404, 500])('another who answers %d is not heard', async (status) => {
    await using place = await elsewhere();
    place.there.handle((_request, response) => void response.writeHead(status, { 'content-type': 'application/json', 'x-gatehouse-relay': 'AAAA', location: '/' }).end('{"jsonrpc":"2.0","id":7,"result":{}}'));
    expect(await codeOf(await send(second, called, place.session))).toEqual([404, 'session_not_found']);
  });

  it('a request is good once, at the data plane that it is for', async () => {
    await using place = await elsewhere();
    await (await send(second, called, place.session)).text();
    const [sealed] = place.there.requests as [RecordedRequest];
    for (const plane of [holder, second]) expect(await codeOf(await passOn(sealed, plane))).toEqual([404, 'not_found']);
    expect(await (await passOn(sealed, place.third)).text()).toContain('for-the-holder-only');
    expect(await codeOf(await passOn(sealed, place.third))).toEqual([404, 'not_found']);
  });

  it('a request that was changed on the way is none', async () => {
    await using place = await elsewhere();
    await (await send(second, called, place.session)).text();
    const [sealed] = place.there.requests as [RecordedRequest];
    sealed.body[sealed.body.length - 20]! ^= 1;
    expect(await codeOf(await passOn(sealed, place.third))).toEqual([404, 'not_found']);
  });

  it('strangers find nothing there', async () => {
    const strangers: RequestInit[] = [{}, { method: 'POST', body: 'x' }, { method: 'POST', body: 'x', headers: { 'x-gatehouse-relay': 'AAAA' } }];
    for (const init of strangers) expect(await codeOf(await fetch(`${holder.url}/.gatehouse/relay`, init))).toEqual([404, 'not_found']);
  });

  it('a stream that only listens ends with its holder, in order and at once', async () => {
    const third = await startInProcessDataPlane({}, holder);
    const stream = await send(second, undefined, await openAt(third));
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.headers.get('x-gatehouse-relay')).toBeNull();
    await third.close();
    expect(await stream.text()).toBe('');
  });
});

it('a data plane that goes ends its sessions at their upstreams', async () => {
  const upstream = await startRecordingUpstream();
  const streamClosed = new Promise<void>((resolve) =>
    upstream.handle(({ method, url, body }, response) => {
      const { id } = body.length > 0 ? (JSON.parse(body.toString()) as { id?: number }) : {};
      const isSse = url.startsWith('/sse');
      if (method === 'GET' && isSse) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: endpoint\ndata: /sse/messages\n\n');
        response.on('close', resolve);
      } else if (id !== undefined && !isSse) {
        response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'upstream-session-1' }).end(JSON.stringify({ jsonrpc: '2.0', id, result: {} }));
      } else response.writeHead(method === 'GET' ? 405 : 202).end();
    }),
  );
  const plane = await startInProcessDataPlane();
  await plane.publish({ name: 'sse', upstream: { url: `${upstream.origin}/sse`, transport: 'sse' } }, { name: 'streamable', upstream: { url: upstream.url } });
  const post = (url: string): Promise<Response> =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} }) });

  const unanswered = await post(`${plane.url}/mcp/default/sse`);
  await unanswered.body?.cancel();
  const stream = (await fetch(`${plane.url}/sse/default/streamable`)).body?.pipeThrough(new TextDecoderStream()).getReader();
  const endpoint = /data: (.*)/.exec((await stream?.read())?.value ?? '')?.[1] ?? '';
  await post(plane.url + endpoint);
  expect((await stream?.read())?.value).toContain('"id":0');

  await plane.close();
  await streamClosed;
  expect(upstream.requests.filter(({ method }) => method === 'DELETE').map((request) => headerValue(request, 'mcp-session-id'))).toEqual(['upstream-session-1']);
  await upstream.close();
});

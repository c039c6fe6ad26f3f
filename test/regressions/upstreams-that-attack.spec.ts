import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { listenOnLoopback } from '../support/listen.ts';
import { postLines, rawRequest } from '../support/raw-request.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

// Found in review before the first release; each row broke the data plane once.
let dataPlane: InProcessDataPlane;
let upstream: RecordingUpstream;
const call = JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'ping' });

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane({
    GATEHOUSE_CONNECTIONS_PER_ORIGIN: '2',
    GATEHOUSE_RESPONSE_TIMEOUT_MS: '600',
    GATEHOUSE_STREAM_IDLE_TIMEOUT_MS: '600',
    GATEHOUSE_KEEP_ALIVE_COMMENT_MS: '20',
  });
  await dataPlane.publish({ name: 'orders', upstream: { url: upstream.url } }, { name: 'legacy', upstream: { url: upstream.url, transport: 'sse' } });
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});

const post = (name = 'orders', body = call): Promise<Response> => fetch(`${dataPlane.url}/mcp/default/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
const codeOf = async (response: Response): Promise<string> => ((await response.json()) as { error: { data: { code: string } } }).error.data.code;
const gauge = async (name: string): Promise<number> => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(await (await fetch(`${dataPlane.internalUrl}/metrics`)).text())?.[1]);

async function open(path: string, method = 'GET'): Promise<IncomingMessage> {
  const outgoing = httpRequest(`${dataPlane.url}${path}`, { method, headers: { accept: 'text/event-stream', ...(method === 'POST' && { 'content-type': 'application/json' }) } });
  outgoing.end(method === 'POST' ? call : undefined);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  return answer;
}

/** An upstream that answers every request with these bytes. */
async function rawUpstream(bytes: string): Promise<{ server: Server; url: string }> {
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.from(bytes, 'latin1')));
  });
  return { server, url: `http://127.0.0.1:${await listenOnLoopback(server)}/mcp` };
}

it('ten thousand comments before a legacy stream’s endpoint do not end the process', async () => {
  upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${':\n\n'.repeat(10_000)}event: endpoint\ndata: /m\n\n`));
  const answer = await open('/sse/default/legacy');
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  expect(text).toMatch(/event: endpoint\ndata: \/sse\/default\/legacy\/messages\?sessionId=/);
});

it('a legacy stream that is refused is a refusal with its body, at once', async () => {
  upstream.handle((_request, response) => void response.writeHead(405, { 'content-type': 'application/json', 'content-length': 17 }).end('{"error":"no sse"}'.slice(0, 17)));
  const response = await fetch(`${dataPlane.url}/sse/default/legacy`);
  expect([response.status, await response.text()]).toEqual([405, '{"error":"no sse"}'.slice(0, 17)]);
});

it.each(['099 Odd', '000 None', '999 Much'])('a status of %s is the upstream’s failure, not ours', async (status) => {
  const { server, url } = await rawUpstream(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
  await dataPlane.publish({ name: 'odd', upstream: { url } });
  const response = await post('odd');
  expect([response.status, await codeOf(response)]).toEqual([502, 'upstream_failed']);
  server.close();
});

it('streams that only listen do not use up the connections of calls', async () => {
  upstream.handle(({ method }, response) => {
    if (method === 'GET') response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const streams = await Promise.all(Array.from({ length: 8 }, () => open('/mcp/default/orders')));
  expect((await post()).status).toBe(200);
  streams.forEach((stream) => stream.destroy());
  await vi.waitFor(async () => expect(await gauge('gatehouse_open_streams')).toBe(0));
});

it('calls that wait for a connection are answered in time, and go away with their callers', async () => {
  upstream.handle(() => undefined);
  const before = upstream.requests.length;
  const running = [post(), post()];
  await vi.waitFor(() => expect(upstream.requests.length).toBe(before + 2));
  const gone = new AbortController();
  const abandoned = fetch(`${dataPlane.url}/mcp/default/orders`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: call, signal: gone.signal }).catch(() => 'gone');
  const waiting = post();
  gone.abort();
  expect(await abandoned).toBe('gone');
  // Whichever limit comes first: no connection in time, or one that is free by then and no answer on it.
  expect([503, 504]).toContain((await waiting).status);
  expect((await Promise.all(running)).map(({ status }) => status)).toEqual([504, 504]);
  upstream.handle((_request, response) => void response.end('{}'));
  expect((await post()).status).toBe(200);
});

it('a caller that stops reading does not hold the upstream’s connection for ever', async () => {
  const closed = new Promise<void>((resolve) => {
    upstream.handle((_request, response) => {
      response.on('close', resolve).writeHead(200, { 'content-type': 'application/octet-stream' });
      const piece = Buffer.alloc(65_536);
      const pump = (): void => {
        while (response.write(piece));
        response.once('drain', pump);
      };
      pump();
    });
  });
  const answer = await open('/mcp/default/orders', 'POST');
  answer.pause();
  await closed;
  answer.destroy();
});

it('one session has one spelling: no number of others is remembered', async () => {
  upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's1' }).end('{}'));
  const session = (await post()).headers.get('mcp-session-id') ?? '';
  const statusOf = async (id: string): Promise<number> =>
    (await fetch(`${dataPlane.url}/mcp/default/orders`, { method: 'POST', headers: { 'content-type': 'application/json', 'mcp-session-id': id }, body: call })).status;
  expect(await statusOf(session)).toBe(200);
  for (const other of [`${session}!`, `${session}==`, `!${session}`, session + '$'.repeat(20_000)]) expect(await statusOf(other)).toBe(404);
});

it('what the parser complains about is never written into another answer', async () => {
  upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: one\n\n'));
  const { hostname, port, host } = new URL(dataPlane.url);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = '';
  const closed = once(socket, 'close');
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    if (text === '') socket.write('garbage that is no request\r\n\r\n');
    text += chunk.toString();
  });
  socket.write(`${postLines('/mcp/default/orders', host, call, 'Connection: keep-alive').join('\r\n')}\r\n\r\n${call}`);
  await closed;
  expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
});

it('Connection nominates Mcp-Param-* too', async () => {
  upstream.handle((_request, response) => void response.end('{}'));
  const seen = upstream.nextRequest();
  const version = '2026-07-28';
  const message = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: { 'io.modelcontextprotocol/protocolVersion': version } } });
  const lines = postLines('/mcp/default/orders', new URL(dataPlane.url).host, message, `MCP-Protocol-Version: ${version}`, 'Mcp-Method: tools/list', 'Mcp-Param-A: stays', 'Mcp-Param-B: goes', 'Connection: close, Mcp-Param-B');
  expect((await rawRequest(dataPlane.url, lines, message)).status).toBe(200);
  const names = (await seen).rawHeaders.filter((_, index) => index % 2 === 0);
  expect(names.filter((name) => name.startsWith('Mcp-Param'))).toEqual(['Mcp-Param-A']);
});

it('a second answer on a connection is not written into either', async () => {
  upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: one\n\n'));
  const { hostname, port, host } = new URL(dataPlane.url);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = '';
  const closed = once(socket, 'close');
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (text.includes('data: one')) socket.write('garbage that is no request\r\n\r\n');
  });
  socket.write(`GET /nothing HTTP/1.1\r\nHost: ${host}\r\n\r\n${postLines('/mcp/default/orders', host, call, 'Connection: keep-alive').join('\r\n')}\r\n\r\n${call}`);
  await closed;
  expect(text).not.toMatch(/HTTP\/1\.1 400/);
});

it('a body that is no body is 400, not silence', async () => {
  const { host } = new URL(dataPlane.url);
  const reply = await rawRequest(dataPlane.url, ['POST /mcp/default/orders HTTP/1.1', `Host: ${host}`, 'Content-Type: application/json', 'Transfer-Encoding: chunked'], 'ZZZ\r\n');
  expect([reply.status, reply.body]).toEqual([400, expect.stringContaining('invalid_request')]);
});

it('a caller that reads slowly still gets comments once it has caught up', async () => {
  upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${'x'.repeat(3_000_000)}\n\n`));
  const answer = await open('/mcp/default/orders');
  let tail = '';
  await new Promise<void>((resolve) => {
    answer.on('data', (chunk: Buffer) => {
      tail = (tail + chunk.toString('latin1')).slice(-100);
      if (tail.endsWith(': keep-alive\n\n')) resolve();
    });
  });
  answer.destroy();
});

describe('a body that is too large', () => {
  it('is answered, and its connection does not go on for ever', async () => {
    const { host } = new URL(dataPlane.url);
    const reply = await rawRequest(dataPlane.url, [`POST /mcp/default/orders HTTP/1.1`, `Host: ${host}`, 'Content-Type: application/json', 'Content-Length: 99000000'], 'x'.repeat(5_000_000));
    expect([reply.status, reply.body]).toEqual([413, expect.stringContaining('body_too_large')]);
  });
});

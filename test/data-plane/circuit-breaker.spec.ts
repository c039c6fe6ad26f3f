import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type InProcessDataPlane, type SpecServer, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { listenOnLoopback } from '../support/listen.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* What fails is given a pause (fault 14, docs/rules.md): who calls it meanwhile is told at once. Who calls something else is not. */

const call = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'echo' } });
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function upstreamOf(handler?: Parameters<typeof startRecordingUpstream>[0]): Promise<RecordingUpstream> {
  const upstream = await startRecordingUpstream(handler);
  cleanUps.push(() => upstream.close());
  return upstream;
}

/** A port that nobody listens at. */
async function closedPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listenOnLoopback(server);
  server.close();
  await once(server, 'close');
  return port;
}

async function tcpUpstream(onSocket: (socket: Socket) => void): Promise<{ url: string; server: Server }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    onSocket(socket);
  });
  cleanUps.push(() => (sockets.forEach((socket) => socket.destroy()), server.close()));
  return { url: `http://127.0.0.1:${await listenOnLoopback(server)}/mcp`, server };
}

const post = (dataPlane: InProcessDataPlane, name = 'orders', signal?: AbortSignal): Promise<Response> =>
  fetch(`${dataPlane.url}/mcp/default/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: call, ...(signal && { signal }) });
const get = (dataPlane: InProcessDataPlane, name = 'orders'): Promise<Response> => fetch(`${dataPlane.url}/mcp/default/${name}`, { headers: { accept: 'text/event-stream' } });
const codeOf = async (response: Response): Promise<string> => ((await response.json()) as { error?: { data?: { code: string } } }).error?.data?.code ?? 'ok';
async function codesOf(count: number, send: () => Promise<Response>): Promise<string[]> {
  const codes: string[] = [];
  while (codes.length < count) codes.push(await codeOf(await send()));
  return codes;
}
const codesAtOnce = (count: number, send: () => Promise<Response>): Promise<string[]> => Promise.all(Array.from({ length: count }, async () => codeOf(await send())));
const openCircuits = async ({ internalUrl }: InProcessDataPlane): Promise<number> =>
  Number(/^gatehouse_open_circuits (\S+)/m.exec(await (await fetch(`${internalUrl}/metrics`)).text())?.[1]);

describe('a circuit that stays open', () => {
  let dataPlane: InProcessDataPlane;
  beforeAll(async () => {
    dataPlane = await startInProcessDataPlane({ GATEHOUSE_CIRCUIT_BREAKER_FAILURES: '3', GATEHOUSE_CIRCUIT_BREAKER_OPEN_MS: '600000', GATEHOUSE_CONNECTIONS_PER_ORIGIN: '1' });
  });
  afterAll(() => dataPlane.close());

  const serve = async (upstream: SpecServer['upstream']): Promise<string> => {
    const name = `s-${crypto.randomUUID()}`;
    await dataPlane.publish({ name, upstream });
    return name;
  };

  it.each<[string, string, () => Promise<SpecServer['upstream']>]>([
    ['nobody listens', 'upstream_unreachable', async () => ({ url: `http://127.0.0.1:${await closedPort()}/mcp` })],
    ['hangs up', 'upstream_failed', async () => ({ url: (await tcpUpstream((socket) => void socket.once('data', () => socket.destroy()))).url })],
    ['does not speak HTTP', 'upstream_failed', async () => ({ url: (await tcpUpstream((socket) => void socket.write('220 smtp\r\n'))).url })],
    ['does not answer in time', 'upstream_timeout', async () => ({ url: (await tcpUpstream(() => undefined)).url, timeouts: { responseSeconds: 0.05 } })],
  ])('%s: after three failures calls are refused at once, and told when to come again', async (_, failure, upstream) => {
    const before = await openCircuits(dataPlane);
    const name = await serve(await upstream());
    expect(await codesOf(3, () => post(dataPlane, name))).toEqual([failure, failure, failure]);
    const refused = await post(dataPlane, name);
    expect([refused.status, await codeOf(refused)]).toEqual([503, 'upstream_circuit_open']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(500);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(600);
    expect(await openCircuits(dataPlane)).toBe(before + 1);
  });

  it('says so once in the log, with the origin alone', async () => {
    const origin = `http://127.0.0.1:${await closedPort()}`;
    const name = await serve({ url: `${origin}/mcp?key=opaque` });
    await codesOf(6, () => post(dataPlane, name));
    const lines = dataPlane.log.map((line) => JSON.parse(line) as { msg: string; origin?: string; state?: string }).filter((line) => line.origin === origin);
    expect(lines).toEqual([expect.objectContaining({ msg: 'circuit of an upstream', state: 'open', origin })]);
    expect(dataPlane.log.join('')).not.toContain('opaque');
  });

  it('where no connection comes about nothing reaches the origin, whichever server or stream it is for; another way of connecting has its own', async () => {
    let connections = 0;
    const { url } = await tcpUpstream((socket) => {
      connections += 1;
      // Instead of its half of the TLS handshake.
      socket.destroy();
    });
    const origin = url.replace('http:', 'https:');
    const name = await serve({ url: origin });
    const [sameOrigin, otherWay] = [await serve({ url: origin.replace('/mcp', '/other') }), await serve({ url: origin, timeouts: { connectSeconds: 1 } })];
    // Streams that only listen need a connection like calls.
    expect(await codesOf(2, () => post(dataPlane, name))).toEqual(['upstream_unreachable', 'upstream_unreachable']);
    expect(await codesOf(1, () => get(dataPlane, sameOrigin))).toEqual(['upstream_unreachable']);
    expect(connections).toBe(3);
    for (const server of [name, sameOrigin]) {
      expect(await codesOf(2, () => post(dataPlane, server))).toEqual(['upstream_circuit_open', 'upstream_circuit_open']);
      expect(await codesOf(1, () => get(dataPlane, server))).toEqual(['upstream_circuit_open']);
    }
    expect(connections).toBe(3);
    expect(await codesOf(1, () => post(dataPlane, otherWay))).toEqual(['upstream_unreachable']);
  });

  it.each([
    ['hung up on', 'upstream_failed'],
    ['not answered in time', 'upstream_timeout'],
  ])('a server that is %s closes the origin to no other, of whichever workspace', async (_, failure) => {
    const upstream = await upstreamOf();
    upstream.handle((request, response) => {
      if (request.url !== '/bad') response.end('{}');
      else if (failure === 'upstream_failed') response.destroy();
    });
    const bad = await serve({ url: `${upstream.origin}/bad`, timeouts: { responseSeconds: 0.05 } });
    const good = await serve({ url: upstream.url });
    // The same id in another workspace is another server.
    await dataPlane.publish({ name: bad, workspace: 'rival', upstream: { url: upstream.url } });
    const rival = (): Promise<Response> => fetch(`${dataPlane.url}/mcp/rival/${bad}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: call });
    expect(await codesOf(5, () => post(dataPlane, bad))).toEqual([failure, failure, failure, 'upstream_circuit_open', 'upstream_circuit_open']);
    expect([await codesOf(5, () => post(dataPlane, good)), await codesOf(5, rival)]).toEqual([Array(5).fill('ok'), Array(5).fill('ok')]);
    // What they are answered says nothing of it.
    expect(await codesOf(1, () => post(dataPlane, bad))).toEqual(['upstream_circuit_open']);
    const lines = dataPlane.log.map((line) => JSON.parse(line) as { msg: string; origin?: string }).filter(({ msg, origin }) => msg === 'circuit of an upstream' && origin === upstream.origin);
    expect(lines).toEqual([expect.objectContaining({ state: 'open', server: `default/${bad}` })]);
  });

  it('streams that only listen are answered when there is something to say: waiting for that is no failure', async () => {
    const upstream = await upstreamOf({ handler: (request, response) => void (request.method === 'GET' || response.end('{}')) });
    const name = await serve({ url: upstream.url, timeouts: { responseSeconds: 0.05 } });
    expect(await codesAtOnce(5, () => get(dataPlane, name))).toEqual(Array(5).fill('upstream_timeout'));
    expect(await codesOf(1, () => post(dataPlane, name))).toEqual(['ok']);
  });

  it('the stream of HTTP+SSE says something at once: waiting for that is one', async () => {
    const upstream = await upstreamOf({ handler: () => undefined });
    const name = await serve({ url: upstream.url, transport: 'sse', timeouts: { responseSeconds: 0.05 } });
    const listen = (): Promise<Response> => fetch(`${dataPlane.url}/sse/default/${name}`, { headers: { accept: 'text/event-stream' } });
    expect(await codesAtOnce(3, listen)).toEqual(Array(3).fill('upstream_timeout'));
    expect(await codesOf(1, listen)).toEqual(['upstream_circuit_open']);
  });

  it('those that wait for their turn are told as well', async () => {
    let connections = 0;
    const { url } = await tcpUpstream((socket) => {
      connections += 1;
      // One connection at a time: while the first is held, the others wait behind it.
      if (connections === 1) setTimeout(() => socket.destroy(), 300);
      else socket.destroy();
    });
    const name = await serve({ url });
    const codes = await Promise.all(Array.from({ length: 50 }, async () => codeOf(await post(dataPlane, name))));
    const count = (code: string): number => codes.filter((one) => one === code).length;
    expect([count('upstream_failed'), count('upstream_circuit_open'), connections]).toEqual([3, 47, 3]);
  });

  it('over a bridge: the caller hears it like any other failure', async () => {
    const name = await serve({ url: `http://127.0.0.1:${await closedPort()}/sse`, transport: 'sse' });
    const initialize = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize' });
    const send = (): Promise<Response> => fetch(`${dataPlane.url}/mcp/default/${name}`, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }, body: initialize });
    expect(await codesOf(4, send)).toEqual(['upstream_unreachable', 'upstream_unreachable', 'upstream_unreachable', 'upstream_circuit_open']);
  });

  it.each([400, 404, 429, 500, 503])('an answer is no failure: %i', async (status) => {
    const upstream = await upstreamOf({ handler: (_request, response) => void response.writeHead(status).end('{}') });
    const name = await serve({ url: upstream.url });
    for (let count = 0; count < 5; count += 1) expect((await post(dataPlane, name)).status).toBe(status);
  });

  it('neither is a redirect, nor an answer that breaks off', async () => {
    const upstream = await upstreamOf({ handler: (_request, response) => void response.writeHead(302, { location: 'https://elsewhere.example/' }).end() });
    const name = await serve({ url: upstream.url });
    expect(new Set(await codesOf(5, () => post(dataPlane, name)))).toEqual(new Set(['upstream_redirected']));
    upstream.handle((_request, response) => void response.writeHead(200, { 'content-length': 10 }).write('x', () => response.destroy()));
    for (let count = 0; count < 5; count += 1) {
      const response = await post(dataPlane, name);
      expect(response.status).toBe(200);
      await response.text().catch(() => undefined);
    }
    upstream.handle((_request, response) => void response.end('{}'));
    expect((await post(dataPlane, name)).status).toBe(200);
  });

  it('nor is a connection that breaks under a large body', async () => {
    const { url } = await tcpUpstream((socket) => void socket.once('data', () => socket.destroy()));
    const name = await serve({ url });
    const large = JSON.stringify({ ...JSON.parse(call), params: { name: 'echo', arguments: { text: 'x'.repeat(1_000_000) } } });
    const send = (): Promise<Response> => fetch(`${dataPlane.url}/mcp/default/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: large });
    expect(new Set(await codesOf(5, send))).toEqual(new Set(['upstream_failed']));
    expect(await codesOf(1, () => post(dataPlane, name))).toEqual(['upstream_failed']);
  });

  it('nor are callers that leave, and an address that is not allowed', async () => {
    const upstream = await upstreamOf({ handler: () => undefined });
    const name = await serve({ url: upstream.url });
    for (let count = 0; count < 5; count += 1) {
      const leave = new AbortController();
      const arrived = upstream.nextRequest();
      const left = post(dataPlane, name, leave.signal).catch(() => 'left');
      await arrived;
      leave.abort();
      expect(await left).toBe('left');
    }
    upstream.handle((_request, response) => void response.end('{}'));
    await vi.waitFor(async () => expect((await post(dataPlane, name)).status).toBe(200));
    const refused = await serve({ url: 'http://10.255.255.1/mcp' });
    expect(new Set(await codesOf(5, () => post(dataPlane, refused)))).toEqual(new Set(['upstream_address_refused']));
  });
});

describe('a circuit that may close again', () => {
  let dataPlane: InProcessDataPlane;
  beforeAll(async () => {
    dataPlane = await startInProcessDataPlane({ GATEHOUSE_CIRCUIT_BREAKER_FAILURES: '2', GATEHOUSE_CIRCUIT_BREAKER_OPEN_MS: '10' });
  });
  afterAll(() => dataPlane.close());

  it('does when the origin is back, by one request that tries', async () => {
    const port = await closedPort();
    await dataPlane.publish({ name: 'orders', upstream: { url: `http://127.0.0.1:${port}/mcp` } });
    await vi.waitFor(async () => expect(await codeOf(await post(dataPlane))).toBe('upstream_circuit_open'));
    const upstream = await upstreamOf({ port });
    await vi.waitFor(async () => expect((await post(dataPlane)).status).toBe(200), { timeout: 20_000 });
    expect(upstream.requests).toHaveLength(1);
    expect(await openCircuits(dataPlane)).toBe(0);
    const states = dataPlane.log.map((line) => JSON.parse(line) as { msg: string; state?: string }).filter(({ msg }) => msg === 'circuit of an upstream');
    expect([states.at(0)?.state, ...states.slice(-2).map(({ state }) => state)]).toEqual(['open', 'half-open', 'closed']);
  });
});

it('a server that is tried keeps no other waiting', async () => {
  const dataPlane = await startInProcessDataPlane({ GATEHOUSE_CIRCUIT_BREAKER_FAILURES: '2', GATEHOUSE_CIRCUIT_BREAKER_OPEN_MS: '10' });
  cleanUps.push(() => dataPlane.close());
  const upstream = await upstreamOf({ handler: (request, response) => void (request.url === '/slow' || response.end('{}')) });
  await dataPlane.publish({ name: 'slow', upstream: { url: `${upstream.origin}/slow`, timeouts: { responseSeconds: 0.05 } } }, { name: 'orders', upstream: { url: upstream.url } });
  expect(await codesOf(2, () => post(dataPlane, 'slow'))).toEqual(['upstream_timeout', 'upstream_timeout']);
  // From here on it waits for long, so that the trial is under way when the other one is called.
  await dataPlane.publish({ name: 'slow', upstream: { url: `${upstream.origin}/slow`, timeouts: { responseSeconds: 60 } } });
  const leave = new AbortController();
  cleanUps.unshift(() => leave.abort());
  const arrived = upstream.nextRequest();
  const tries = async (): Promise<void> => {
    while ((await codeOf(await post(dataPlane, 'slow', leave.signal))) === 'upstream_circuit_open');
  };
  void tries().catch(() => undefined);
  await arrived;
  expect(await codesOf(1, () => post(dataPlane, 'slow'))).toEqual(['upstream_circuit_open']);
  expect(await codesOf(5, () => post(dataPlane))).toEqual(Array(5).fill('ok'));
});

it('0 turns it off', async () => {
  const dataPlane = await startInProcessDataPlane({ GATEHOUSE_CIRCUIT_BREAKER_FAILURES: '0' });
  cleanUps.push(() => dataPlane.close());
  await dataPlane.publish({ name: 'orders', upstream: { url: `http://127.0.0.1:${await closedPort()}/mcp` } });
  expect(new Set(await codesOf(30, () => post(dataPlane)))).toEqual(new Set(['upstream_unreachable']));
});

import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type InProcessDataPlane, type SpecServer, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { listenOnLoopback } from '../support/listen.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* An origin that fails is given a pause (fault 14, docs/rules.md): who calls it meanwhile is told at once. */

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

  it('nothing reaches the origin, whichever server or stream it is for; another way of connecting has its own', async () => {
    let connections = 0;
    const { url } = await tcpUpstream((socket) => {
      connections += 1;
      socket.destroy();
    });
    const name = await serve({ url });
    const [sameOrigin, otherWay] = [await serve({ url: url.replace('/mcp', '/other') }), await serve({ url, timeouts: { connectSeconds: 1 } })];
    // Streams that only listen count like calls.
    expect(await codesOf(2, () => post(dataPlane, name))).toEqual(['upstream_failed', 'upstream_failed']);
    expect(await codesOf(1, () => get(dataPlane, name))).toEqual(['upstream_failed']);
    expect(connections).toBe(3);
    for (const server of [name, sameOrigin]) {
      expect(await codesOf(2, () => post(dataPlane, server))).toEqual(['upstream_circuit_open', 'upstream_circuit_open']);
      expect(await codesOf(1, () => get(dataPlane, server))).toEqual(['upstream_circuit_open']);
    }
    expect(connections).toBe(3);
    expect(await codesOf(1, () => post(dataPlane, otherWay))).toEqual(['upstream_failed']);
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

it('0 turns it off', async () => {
  const dataPlane = await startInProcessDataPlane({ GATEHOUSE_CIRCUIT_BREAKER_FAILURES: '0' });
  cleanUps.push(() => dataPlane.close());
  await dataPlane.publish({ name: 'orders', upstream: { url: `http://127.0.0.1:${await closedPort()}/mcp` } });
  expect(new Set(await codesOf(30, () => post(dataPlane)))).toEqual(new Set(['upstream_unreachable']));
});

import { once } from 'node:events';
import { createServer, type IncomingMessage, request as httpRequest, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { createAddressGuard } from '@gatehouse/egress';
import { toGatewayError } from '@gatehouse/errors';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { IncomingRequest, Reply, UpstreamRequest } from '../pipeline/request.ts';
import { createHttpServer } from './serve-http.ts';
import { UpstreamTransport } from './upstream-transport.ts';

/* Bodies that are passed on as they come, from socket to socket: between the two transports is nothing but this. */

const mebibyte = 1_048_576;
/** However busy the machine is. */
const soon = <T>(expectation: () => T): Promise<T> => vi.waitFor(expectation, { timeout: 15_000 });
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let answer: Answer;
let arrived: IncomingMessage[];
const upstream = createServer({ requestTimeout: 0 }, (request, response) => {
  arrived.push(request);
  request.on('error', () => undefined);
  answer(request, response);
});
let transport: UpstreamTransport;
let front: Server;
let port: number;
/** The callers' connections, at the gateway. */
let connections: Socket[];
/** As a pipeline would: what it does with a request. */
let handle: (request: IncomingRequest) => Promise<Reply>;

const listen = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

async function passOn(request: IncomingRequest, outgoing: Partial<UpstreamRequest> = {}): Promise<Reply> {
  const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const prepared = { url: `${origin}/base`, origin, path: '/base', transport: 'streamable-http', connect: {}, responseTimeoutMs: undefined, streamIdleTimeoutMs: undefined } as const;
  const body = request.upload?.stream(8 * mebibyte);
  const response = await transport.dispatch(prepared, { method: request.method, path: '/base', headers: [], body, listens: false, responseTimeoutMs: 20_000, idleTimeoutMs: 60_000, ...outgoing }, request);
  const headers = Object.entries(response.headers).flatMap(([name, value]) => (name === 'connection' || name === 'keep-alive' || name === 'transfer-encoding' ? [] : [name, String(value)]));
  return { status: response.status, headers, body: response.body };
}

beforeAll(async () => {
  await listen(upstream);
  // One place: one that is not given back would stop the next test.
  transport = new UpstreamTransport({ guard: createAddressGuard({ allowedRanges: ['loopback'] }), connectTimeoutMs: 1_000, connectionsPerOrigin: 1 });
  const { server } = createHttpServer({
    maxHeaderBytes: 32_768,
    stalledTimeoutMs: 5_000,
    bodyTimeoutMs: 2_000,
    handle: (request) => handle(request).catch((error: unknown) => ({ status: toGatewayError(error).status, headers: [], body: toGatewayError(error).code })),
    isDraining: () => false,
    isAdmitted: () => true,
  });
  front = server;
  front.on('connection', (socket: Socket) => void connections.push(socket));
  port = await listen(front);
});
afterAll(async () => {
  await transport.close();
  for (const server of [front, upstream]) {
    server.closeAllConnections();
    server.close();
  }
});
beforeEach(() => {
  handle = passOn;
  answer = (request, response) => void text(request).then((body) => response.end(`got ${body.length}`), () => undefined);
  [arrived, connections] = [[], []];
});
afterEach(async () => {
  // Whatever happened, the one place is free again, and a connection can be had.
  [handle, answer] = [passOn, (request, response) => void request.resume().on('end', () => response.end('free'))];
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x' });
  expect([response.status, await response.text()]).toEqual([200, 'free']);
});

function post(headers: Record<string, string | number> = {}) {
  const outgoing = httpRequest({ port, host: '127.0.0.1', method: 'POST', headers });
  outgoing.on('error', () => undefined);
  const answered = once(outgoing, 'response').then(async ([response]) => {
    const incoming = response as IncomingMessage;
    return { status: incoming.statusCode, headers: incoming.headers, body: await text(incoming).catch(() => 'broken off') };
  });
  answered.catch(() => undefined);
  return { outgoing, answered };
}

const whenArrived = async (): Promise<IncomingMessage> => {
  await soon(() => expect(arrived).toHaveLength(1));
  return arrived[0] as IncomingMessage;
};
const brokenOff = async (request: IncomingMessage): Promise<void> => soon(() => expect([request.destroyed, request.complete]).toEqual([true, false]));

describe('a body arrives', () => {
  it.each([
    ['in chunks', {}, ['transfer-encoding', 'chunked'], 'content-length'],
    ['with the length that was announced', { 'content-length': 9 }, ['content-length', '9'], 'transfer-encoding'],
  ] as const)('%s, piece by piece', async (_, headers, [name, value], absent) => {
    const pieces: string[] = [];
    answer = (request, response) => void request.on('data', (piece: Buffer) => pieces.push(piece.toString())).on('end', () => response.end(pieces.join('|')));
    const { outgoing, answered } = post(headers);
    for (const [index, piece] of ['one', 'two', 'six'].entries()) {
      outgoing.write(piece);
      await soon(() => expect(pieces).toHaveLength(index + 1));
    }
    outgoing.end();
    expect((await answered).body).toBe('one|two|six');
    expect([arrived[0]?.headers[name], arrived[0]?.headers[absent]]).toEqual([value, undefined]);
  });

  it('no faster than it is read', async () => {
    let resume = (): unknown => undefined;
    answer = (request, response) => {
      resume = () => request.resume().on('end', () => response.end('all'));
    };
    const { outgoing, answered } = post({ 'content-length': 40 * mebibyte });
    handle = (request) => passOn(request, { body: request.upload?.stream(64 * mebibyte), listens: false, responseTimeoutMs: 20_000 });
    const piece = Buffer.alloc(mebibyte);
    for (let count = 0; count < 40; count += 1) outgoing.write(piece);
    outgoing.end();
    await whenArrived();
    // Until nothing more comes: what is between the two are the buffers of sockets.
    const read = (): number => connections[0]?.bytesRead ?? 0;
    for (let before = -1, still = 0; still < 5; ) {
      still = before === read() ? still + 1 : 0;
      before = read();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(read()).toBeLessThan(24 * mebibyte);
    resume();
    expect((await answered).body).toBe('all');
  });

  it('while the answer to it is read already', async () => {
    answer = (request, response) => {
      response.writeHead(200).flushHeaders();
      request.pipe(response);
    };
    const outgoing = httpRequest({ port, host: '127.0.0.1', method: 'POST' });
    outgoing.write('first');
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(String(((await once(response, 'data')) as [Buffer])[0])).toBe('first');
    outgoing.write('second');
    expect(String(((await once(response, 'data')) as [Buffer])[0])).toBe('second');
    // More than would be read away of a request that nobody reads any more.
    for (let count = 0; count < 6; count += 1) outgoing.write(Buffer.alloc(mebibyte, 'x'));
    outgoing.end('third');
    expect(await text(response)).toBe(`${'x'.repeat(6 * mebibyte)}third`);
  });
});

describe('what breaks off is never taken for the whole', () => {
  it.each([['in chunks', {}], ['with a length', { 'content-length': 100 }]])('its caller leaves, %s', async (_, headers) => {
    const { outgoing } = post(headers);
    outgoing.write('half');
    const request = await whenArrived();
    request.resume();
    outgoing.destroy();
    await brokenOff(request);
  });

  it('its caller stalls', async () => {
    const { outgoing, answered } = post();
    outgoing.write('half');
    const request = await whenArrived();
    request.resume();
    expect(await answered).toMatchObject({ status: 408, body: 'request_timeout' });
    await brokenOff(request);
    outgoing.destroy();
  });

  it('its caller sends a byte now and then', async () => {
    const { outgoing, answered } = post();
    const drip = setInterval(() => void outgoing.write('x'), 100);
    const request = await whenArrived();
    request.resume();
    expect(await answered).toMatchObject({ status: 408, body: 'request_timeout' });
    clearInterval(drip);
    await brokenOff(request);
    outgoing.destroy();
  });

  it('it grows too large', async () => {
    answer = (request) => void request.resume();
    const { outgoing, answered } = post();
    outgoing.write(Buffer.alloc(mebibyte));
    await whenArrived();
    outgoing.end(Buffer.alloc(8 * mebibyte));
    expect(await answered).toMatchObject({ status: 413, body: 'body_too_large' });
    await brokenOff(await whenArrived());
  });

  it('one that says that it is too large is not begun', async () => {
    const { outgoing, answered } = post({ 'content-length': 9 * mebibyte });
    outgoing.write('x');
    expect(await answered).toMatchObject({ status: 413, body: 'body_too_large' });
    outgoing.destroy();
  });

  it.each([['before it answers', false], ['after it has begun to answer', true]])('the upstream hangs up %s', async (_, begins) => {
    answer = (request, response) => {
      if (begins) response.writeHead(200).write('begun');
      request.once('data', () => setImmediate(() => request.socket.destroy()));
    };
    const { outgoing, answered } = post();
    outgoing.write('half');
    expect(await answered).toMatchObject(begins ? { status: 200, body: 'broken off' } : { status: 502, body: 'upstream_failed' });
    outgoing.destroy();
  });

  it('the upstream does not read', async () => {
    answer = () => undefined;
    handle = (request) => passOn(request, { body: request.upload?.stream(64 * mebibyte), responseTimeoutMs: 300 });
    const { outgoing, answered } = post();
    for (let count = 0; count < 32; count += 1) outgoing.write(Buffer.alloc(mebibyte));
    expect(await answered).toMatchObject({ status: 504, body: 'upstream_timeout' });
    outgoing.destroy();
  });
});

describe('an upstream that has read enough', () => {
  it.each([['and keeps its connection', {}], ['and closes it', { connection: 'close' }]])('answers early, %s', async (_, headers) => {
    answer = (_request, response) => void response.writeHead(422, headers).end('enough');
    const { outgoing, answered } = post();
    outgoing.write('half');
    expect(await answered).toMatchObject({ status: 422, body: 'enough' });
    outgoing.end('rest');
    await soon(() => expect(arrived[0]?.socket.destroyed).toBe(true));
  });

  it('is not fed on when its answer was not what the caller got', async () => {
    answer = (request, response) => {
      response.writeHead(401).write('begun');
      request.resume();
    };
    handle = async (request) => {
      await passOn(request);
      return { status: 503, headers: [], body: 'again' };
    };
    const { outgoing, answered } = post();
    outgoing.write('half');
    expect(await answered).toMatchObject({ status: 503, body: 'again' });
    await brokenOff(await whenArrived());
    outgoing.destroy();
  });

  it('a short rest is read away, and its connection is good for another request', async () => {
    answer = (request, response) => (arrived.length === 1 ? void response.writeHead(422).end('enough') : void request.resume().on('end', () => response.end('next')));
    const socket = connect(port, '127.0.0.1');
    const received: string[] = [];
    socket.on('data', (data: Buffer) => void received.push(data.toString()));
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf');
    await soon(() => expect(received.join('')).toMatch(/ 422 .*enough/s));
    socket.write('restGET /second HTTP/1.1\r\nHost: a\r\n\r\n');
    await soon(() => expect(received.join('')).toMatch(/ 200 .*next/s));
    socket.destroy();
  });
});

it('a redirect is not followed with it', async () => {
  answer = (request, response) => void request.resume().on('end', () => response.writeHead(307, { location: '/base/there' }).end());
  const { outgoing, answered } = post();
  outgoing.end('whole');
  expect(await answered).toMatchObject({ status: 502, body: 'upstream_redirected' });
  expect(arrived).toHaveLength(1);
});

it('a whole body that is slow in coming is given up', async () => {
  handle = async (request) => ({ status: 200, headers: [], body: String((await request.readBody(100)).length) });
  const { outgoing, answered } = post({ 'content-length': 10 });
  outgoing.write('half');
  expect(await answered).toMatchObject({ status: 408, body: 'request_timeout' });
  outgoing.destroy();
});

describe('Expect: 100-continue (RFC 9110 section 10.1.1)', () => {
  const continued = (outgoing: ReturnType<typeof post>['outgoing']) => {
    const seen = { is: false };
    outgoing.on('continue', () => (seen.is = true));
    return seen;
  };

  it.each<[string, typeof handle]>([
    ['as a whole', async (request) => ({ status: 200, headers: [], body: `got ${(await request.readBody(100)).length}` })],
    ['as it comes', passOn],
  ])('a body that is read %s is asked for', async (_, how) => {
    handle = how;
    const { outgoing, answered } = post({ 'content-length': 4, expect: '100-continue' });
    outgoing.flushHeaders();
    await once(outgoing, 'continue');
    outgoing.end('four');
    expect(await answered).toMatchObject({ status: 200, body: 'got 4' });
  });

  it('one that is not read is not asked for, and nothing after it is taken for a request', async () => {
    handle = () => Promise.resolve({ status: 403, headers: ['content-length', '2'], body: 'no' });
    const { outgoing, answered } = post({ 'content-length': 4, expect: '100-continue' });
    const seen = continued(outgoing);
    outgoing.flushHeaders();
    expect(await answered).toMatchObject({ status: 403, body: 'no', headers: { connection: 'close' } });
    expect(seen.is).toBe(false);
    outgoing.destroy();
  });
});

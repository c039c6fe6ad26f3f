import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createAddressGuard } from '@gatehouse/egress';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GatewayError } from '@gatehouse/errors';
import type { IncomingRequest, UploadStream, UpstreamRequest } from '../pipeline/request.ts';
import type { PreparedUpstream } from '@gatehouse/upstream-request';
import { UpstreamTransport } from './upstream-transport.ts';

const counts = { requests: 0, connections: 0 };
const server = createServer((request, response) => {
  counts.requests += 1;
  if (request.url !== '/hangs') response.end('{}');
});
server.on('connection', () => (counts.connections += 1));
let upstream: PreparedUpstream;
let transport: UpstreamTransport;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  upstream = { url: `${origin}/`, origin, path: '/', transport: 'streamable-http', connect: {}, responseTimeoutMs: undefined, streamIdleTimeoutMs: undefined };
  transport = new UpstreamTransport({ guard: createAddressGuard({ allowedRanges: ['loopback'] }), connectTimeoutMs: 1_000, connectionsPerOrigin: 2 });
});
afterAll(async () => {
  await transport.close();
  server.closeAllConnections();
  server.close();
});

const caller = (): IncomingRequest & { leave: () => void } => {
  const listeners: (() => void)[] = [];
  return { method: 'POST', target: '/', headers: [], readBody: () => Promise.resolve(Buffer.alloc(0)), onDisconnect: (listener) => void listeners.push(listener), leave: () => listeners.forEach((listener) => listener()) };
};
const send = async (outgoing: Partial<UpstreamRequest>, from = caller()): Promise<number | string> => {
  try {
    const request = { method: 'POST', path: '/', headers: [], body: Buffer.from('{}'), listens: false, responseTimeoutMs: 500, idleTimeoutMs: 500, ...outgoing };
    const response = await transport.dispatch(upstream, request, from);
    response.body.abort();
    return response.status;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

it.each([
  ['a header that cannot be written', { headers: ['x', '€'] }],
  ['a path that is none', { path: 'no path' }],
])('%s is an error of its own, however often, and what comes after it goes on', async (_name, refused) => {
  for (let count = 0; count < 6; count += 1) expect(await send(refused)).toBe('internal');
  expect(await send({})).toBe(200);
});

it('a caller that leaves frees its place, wherever its request was', async () => {
  const callers = Array.from({ length: 6 }, () => caller());
  const outcomes = callers.map((from) => send({ path: '/hangs', responseTimeoutMs: 60_000 }, from));
  await new Promise((resolve) => setImmediate(resolve));
  callers.forEach((from) => from.leave());
  expect(await Promise.all(outcomes)).toEqual(callers.map(() => 'caller_disconnected'));
  expect(await Promise.all([send({}), send({}), send({})])).toEqual([200, 200, 200]);
});

it.each(['dispatch', 'dispatchOnce'] as const)('%s does nothing for a caller that is gone already', async (way) => {
  // So that there are connections to send it on.
  expect(await Promise.all([send({}), send({})])).toEqual([200, 200]);
  const before = { ...counts };
  const gone: IncomingRequest = { ...caller(), onDisconnect: (listener) => listener() };
  const outgoing = { method: 'POST', path: '/', headers: [], body: Buffer.from('{}'), listens: false, responseTimeoutMs: 500, idleTimeoutMs: 500 };
  for (let count = 0; count < 3; count += 1) await expect(transport[way](upstream, outgoing, gone)).rejects.toMatchObject({ code: 'caller_disconnected' });
  expect(await Promise.all([send({}), send({})])).toEqual([200, 200]);
  expect(counts).toEqual({ requests: before.requests + 2, connections: before.connections });
});

it('a body whose caller leaves before there is a connection to send it on is nobody’s error', async () => {
  await transport.close();
  const broken: UploadStream = { announcedBytes: undefined, isTaken: false, pipe: (sink) => sink.fail(new GatewayError('caller_disconnected')), resume: () => undefined, abort: () => undefined };
  const callers = Array.from({ length: 2 }, () => caller());
  const outcomes = callers.map((from) => send({ body: broken }, from));
  callers.forEach((from) => from.leave());
  expect(await Promise.all(outcomes)).toEqual(['caller_disconnected', 'caller_disconnected']);
  // When these are answered, what was given up has had its turn.
  expect(await Promise.all([send({}), send({}), send({})])).toEqual([200, 200, 200]);
});

it('one that never gets a connection is answered in time', async () => {
  const running = [send({ path: '/hangs' }), send({ path: '/hangs' })];
  expect(['upstream_busy', 'upstream_timeout']).toContain(await send({ path: '/hangs', responseTimeoutMs: 100 }));
  expect(await Promise.all(running)).toEqual(['upstream_timeout', 'upstream_timeout']);
});

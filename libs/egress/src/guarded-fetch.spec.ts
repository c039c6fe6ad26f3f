import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAddressGuard } from './address-guard.ts';
import { CircuitBreakers } from './circuit-breakers.ts';
import { guardedFetch, type RequestTarget } from './guarded-fetch.ts';
import { OriginPools } from './origin-pools.ts';
import { selfSignedCertificate } from './testing/self-signed-certificate.ts';

const server = createServer((request, response) => {
  if (request.url === '/empty') response.writeHead(204).end();
  else if (request.url === '/redirect') response.writeHead(307, { Location: '/echo' }).end();
  else if (request.url === '/stream') response.write('first');
  else {
    const head = JSON.stringify([request.method, request.rawHeaders.filter((_, index) => index % 2 === 0)]);
    request.pipe(response.writeHead(200, { 'Content-Type': 'text/plain' }), { end: false });
    request.on('end', () => response.end(head));
  }
});
const pools = new OriginPools({ guard: createAddressGuard({ allowedRanges: ['loopback'] }) });
const fetch = guardedFetch(pools, { maxResponseBytes: 200 });
const at = (path: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
afterAll(async () => {
  await pools.destroy();
  server.closeAllConnections();
  server.close();
});

it('sends what it is given and adds no headers of its own', async () => {
  const response = await fetch(at('/echo'), { method: 'POST', headers: { 'X-A': '1' }, body: new URLSearchParams({ a: 'b' }) });
  const sent = ['host', 'connection', 'content-type', 'x-a', 'content-length'];
  expect(await response.text()).toBe(`a=b${JSON.stringify(['POST', sent])}`);
});

it('lets the last word on path and headers be said, names with their case', async () => {
  const finish = ({ path, headers }: RequestTarget): RequestTarget => ({ path: `${path}?key=1`, headers: [...headers, 'X-Key', 'ü'] });
  const response = await guardedFetch(pools, { finish })(at('/echo'));
  expect(await response.text()).toBe(JSON.stringify(['GET', ['host', 'connection', 'X-Key']]));
});

it.each([
  ['/empty', 204],
  ['/redirect', 307],
])('returns %s as it is', async (path, status) => {
  const response = await fetch(new URL(at(path)), { redirect: 'follow' });
  expect([response.status, await response.text()]).toEqual([status, '']);
});

it('streams, and closes the connection when the reader stops', async () => {
  const response = await fetch(new Request(at('/stream')));
  const reader = response.body?.getReader();
  expect(Buffer.from((await reader?.read())?.value as Uint8Array).toString()).toBe('first');
  await reader?.cancel();
});

describe('with a scope', () => {
  /** Redirects as its path says: `/scope/<status>/<location in base64url>`. */
  const redirecting = createServer((request, response) => {
    arrivals.push(`${request.method} ${request.url}`);
    const [, , status, location] = (request.url ?? '').split('?', 1)[0]?.split('/') ?? [];
    if (location === undefined) return void request.pipe(response.writeHead(200), { end: true });
    response.writeHead(Number(status), { Location: Buffer.from(location, 'base64url').toString() }).end('x'.repeat(100_000));
  });
  const arrivals: string[] = [];
  let origin: string;
  beforeAll(async () => {
    await once(redirecting.listen(0, '127.0.0.1'), 'listening');
    origin = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    redirecting.closeAllConnections();
    redirecting.close();
  });
  const scoped = (path: string, init?: RequestInit) => {
    arrivals.length = 0;
    const finish = ({ path, headers }: RequestTarget): RequestTarget => ({ path: `${path}?key=1`, headers: [...headers, 'X-Key', '1'] });
    return guardedFetch(pools, { redirectScope: `${origin}/scope`, finish })(`${origin}${path}`, init);
  };
  const to = (status: number, location: string): string => `/scope/${status}/${Buffer.from(location).toString('base64url')}`;

  it('follows inside of it with method, body and the last word on each request', async () => {
    const path = to(307, '/scope/end');
    const response = await scoped(path, { method: 'POST', body: 'the body' });
    expect([response.status, await response.text()]).toEqual([200, 'the body']);
    expect(arrivals).toEqual([`POST ${path}?key=1`, 'POST /scope/end?key=1']);
  });

  it('follows five and not six', async () => {
    const after = (hops: number): string => (hops === 0 ? '/scope/end' : to(302, after(hops - 1)));
    expect((await scoped(after(5))).status).toBe(200);
    await expect(scoped(after(6))).rejects.toMatchObject({ code: 'upstream_redirected', reason: 'too_many' });
    expect(arrivals).toHaveLength(6);
  });

  it.each([
    ['another origin', 307, 'http://127.0.0.1:9/scope/x', 'other_origin'],
    ['another path', 307, '/elsewhere', 'outside_base_path'],
    ['a POST as a GET', 303, '/scope/end', 'method_not_repeated'],
  ])('refuses %s', async (_, status, location, reason) => {
    await expect(scoped(to(status, location), { method: 'POST', body: '{}' })).rejects.toMatchObject({ code: 'upstream_redirected', reason });
    expect(arrivals).toHaveLength(1);
  });
});

it('over https: followed inside, and never down to http or to another name of the certificate', async () => {
  const certificate = selfSignedCertificate({ dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
  const arrivals: (string | undefined)[] = [];
  let location = '/scope/end';
  const secure = createTlsServer(certificate, (request, response) => {
    arrivals.push(request.url);
    response.writeHead(request.url === '/scope' ? 308 : 200, { Location: location }).end();
  });
  await once(secure.listen(0, '127.0.0.1'), 'listening');
  const { port } = secure.address() as AddressInfo;
  const base = `https://127.0.0.1:${port}/scope`;
  const scoped = guardedFetch(pools, { redirectScope: base, connect: { tls: { ca: certificate.cert } } });
  expect((await scoped(base)).status).toBe(200);
  for (location of [`http://127.0.0.1:${port}/scope/end`, `https://localhost:${port}/scope/end`]) {
    await expect(scoped(base)).rejects.toMatchObject({ reason: 'other_origin', redirectOrigin: new URL(location).origin });
  }
  expect(arrivals).toEqual(['/scope', '/scope/end', '/scope', '/scope']);
  await pools.destroy();
  secure.close();
});

it('goes through the circuits of its pools', async () => {
  const circuits = new CircuitBreakers({ failures: 2, openMs: 60_000, now: () => 0 });
  const guard = createAddressGuard({ allowedRanges: ['loopback'] });
  const broken = guardedFetch(new OriginPools({ guard, circuits }));
  const gone = AbortSignal.abort(new Error('no longer needed'));
  for (let count = 0; count < 3; count += 1) await expect(broken('http://127.0.0.1:1/', { signal: gone })).rejects.toThrow('no longer needed');
  for (const code of ['upstream_unreachable', 'upstream_unreachable', 'upstream_circuit_open']) await expect(broken('http://127.0.0.1:1/')).rejects.toMatchObject({ code });
});

describe('fails', () => {
  it('where the guard refuses', async () => {
    const strict = new OriginPools({ guard: createAddressGuard({ allowedRanges: [] }) });
    await expect(guardedFetch(strict)(at('/echo'))).rejects.toMatchObject({ code: 'upstream_address_refused' });
  });

  it('while the body is read: too large, too slow, cancelled', async () => {
    const large = await fetch(at('/echo'), { method: 'POST', body: 'x'.repeat(300) });
    await expect(large.text()).rejects.toMatchObject({ code: 'upstream_failed' });
    const slow = await guardedFetch(pools, { timeouts: { totalMs: 50 } })(at('/stream'));
    await expect(slow.text()).rejects.toMatchObject({ code: 'upstream_timeout' });
    const abort = new AbortController();
    const cancelled = await fetch(at('/stream'), { signal: abort.signal });
    abort.abort(new Error('no longer needed'));
    await expect(cancelled.text()).rejects.toThrow('no longer needed');
  });
});

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { createAddressGuard } from './address-guard.ts';
import { OriginPools } from './origin-pools.ts';
import { sendRequest } from './send-request.ts';

const guard = createAddressGuard({ allowedRanges: ['loopback'] });
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

function poolsWith(options: Partial<ConstructorParameters<typeof OriginPools>[0]> = {}): OriginPools {
  const pools = new OriginPools({ guard, ...options });
  cleanUps.push(() => pools.destroy());
  return pools;
}

/** An upstream that holds every answer until `release`, and counts its connections. */
async function holdingUpstream() {
  const held: (() => void)[] = [];
  const counts = { connections: 0, requests: 0 };
  const server = createServer((_request, response) => {
    counts.requests += 1;
    held.push(() => response.end('done'));
  });
  server.on('connection', () => (counts.connections += 1));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  cleanUps.push(() => (server.closeAllConnections(), server.close()));
  const until = async (requests: number): Promise<void> => {
    while (counts.requests < requests) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, counts, until, release: () => held.splice(0).forEach((answer) => answer()) };
}

it('gives one pool per origin and way of connecting', () => {
  const pools = poolsWith();
  const tls = () => ({ tls: { ca: 'a' } });
  const first = pools.dispatcherFor('https://a.example');
  expect(pools.dispatcherFor('https://a.example', {})).toBe(first);
  expect(pools.dispatcherFor('https://b.example')).not.toBe(first);
  expect(pools.dispatcherFor('https://a.example', { connectTimeoutMs: 1 })).not.toBe(first);
  expect(pools.dispatcherFor('https://a.example', tls())).not.toBe(first);
  expect(pools.dispatcherFor('https://a.example', tls())).toBe(pools.dispatcherFor('https://a.example', tls()));
  expect(pools.size).toBe(4);
});

it('closes the idle pools used longest ago and none that is busy', async () => {
  const upstream = await holdingUpstream();
  const pools = poolsWith({ maxPools: 3 });
  const busy = sendRequest(pools, { method: 'GET', url: new URL(upstream.origin) });
  const used = pools.dispatcherFor('http://used.example');
  const unused = pools.dispatcherFor('http://unused.example');
  pools.dispatcherFor('http://used.example');
  await upstream.until(1);

  pools.dispatcherFor('http://new.example');
  expect(pools.size).toBe(3);
  expect(pools.dispatcherFor('http://used.example')).toBe(used);
  expect(unused).toMatchObject({ closed: true });
  upstream.release();
  await expect(busy).resolves.toMatchObject({ status: 200 });
});

it('bounds the connections of an origin', async () => {
  const upstream = await holdingUpstream();
  const pools = poolsWith({ connectionsPerOrigin: 2 });
  const calls = [1, 2, 3].map(() => sendRequest(pools, { method: 'POST', url: new URL(upstream.origin), body: '{}' }));
  await upstream.until(2);
  upstream.release();
  await upstream.until(3);
  upstream.release();
  await Promise.all(calls);
  expect(upstream.counts).toEqual({ connections: 2, requests: 3 });
});

it('lets requests in flight finish when it closes', async () => {
  const upstream = await holdingUpstream();
  const pools = poolsWith();
  const call = sendRequest(pools, { method: 'GET', url: new URL(upstream.origin) });
  await upstream.until(1);
  const closed = pools.close();
  upstream.release();
  await expect(call).resolves.toMatchObject({ status: 200 });
  await closed;
});

it('breaks requests in flight off when it is destroyed', async () => {
  const upstream = await holdingUpstream();
  const pools = poolsWith();
  const call = sendRequest(pools, { method: 'GET', url: new URL(upstream.origin) });
  const failure = expect(call).rejects.toMatchObject({ code: 'upstream_failed' });
  await upstream.until(1);
  await pools.destroy();
  await failure;
});

it('counts connections as they come and go, and those that do not come', async () => {
  const upstream = await holdingUpstream();
  const pools = poolsWith();
  const sent = [1, 2].map(() => sendRequest(pools, { method: 'GET', url: new URL(upstream.origin) }));
  await upstream.until(2);
  expect(pools.connections).toEqual({ open: 2, opened: 2, failed: 0 });
  upstream.release();
  await Promise.all(sent);

  const nobody = createServer();
  await once(nobody.listen(0, '127.0.0.1'), 'listening');
  const { port } = nobody.address() as AddressInfo;
  nobody.close();
  await expect(sendRequest(pools, { method: 'GET', url: new URL(`http://127.0.0.1:${port}`) })).rejects.toMatchObject({ code: 'upstream_unreachable' });
  expect(pools.connections).toMatchObject({ opened: 2, failed: 1 });
  await pools.destroy();
  await vi.waitFor(() => expect(pools.connections.open).toBe(0));
});

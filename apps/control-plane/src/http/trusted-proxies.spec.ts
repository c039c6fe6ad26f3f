import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { trustedProxies } from './trusted-proxies.ts';

test.each<[string, readonly string[], string, string | undefined, string]>([
  ['nobody is trusted: the connection’s', [], '203.0.113.7', '198.51.100.1', '203.0.113.7'],
  ['a trusted proxy says who asked', ['10.0.0.0/8'], '10.1.2.3', '198.51.100.1', '198.51.100.1'],
  ['what a caller claims itself is left of what the proxy says', ['10.0.0.0/8'], '10.1.2.3', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
  ['several proxies', ['10.0.0.0/8', '192.0.2.1'], '10.1.2.3', '1.1.1.1, 198.51.100.1, 192.0.2.1, 10.9.9.9', '198.51.100.1'],
  ['a proxy that says nothing', ['loopback'], '127.0.0.1', undefined, '127.0.0.1'],
  ['IPv6', ['loopback', 'private'], '::1', '2001:db8::1, fd00::7', '2001:db8::1'],
  ['IPv4 in IPv6', ['10.0.0.0/8'], '::ffff:10.1.2.3', '198.51.100.1', '198.51.100.1'],
])('%s', async (_name, ranges, remoteAddress, forwarded, address) => {
  const server = Fastify({ trustProxy: trustedProxies(ranges) });
  server.get('/', (request) => request.ip);
  const reply = await server.inject({ url: '/', remoteAddress, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } });
  expect(reply.body).toBe(address);
});

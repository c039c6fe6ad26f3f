import { expect, test } from 'vitest';
import { clientAddressOf } from './client-address.ts';

test.each<[string, readonly string[], string, string | undefined, string]>([
  ['nobody is trusted: the connection’s', [], '203.0.113.7', '198.51.100.1', '203.0.113.7'],
  ['a trusted proxy says who asked', ['10.0.0.0/8'], '10.1.2.3', '198.51.100.1', '198.51.100.1'],
  ['what a caller claims itself is left of what the proxy says', ['10.0.0.0/8'], '10.1.2.3', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
  ['several proxies', ['10.0.0.0/8', '192.0.2.1'], '10.1.2.3', '1.1.1.1, 198.51.100.1, 192.0.2.1, 10.9.9.9', '198.51.100.1'],
  ['a proxy that says nothing', ['loopback'], '127.0.0.1', undefined, '127.0.0.1'],
  ['something that is no address', ['loopback'], '127.0.0.1', '198.51.100.1, unknown', '127.0.0.1'],
  ['with a port', ['private'], '192.168.0.1', '198.51.100.1:4711', '198.51.100.1'],
  ['IPv6 with a port', ['loopback'], '::1', '[2001:db8::1]:4711', '2001:db8::1'],
  ['IPv4 in IPv6', ['10.0.0.0/8'], '::ffff:10.1.2.3', '198.51.100.1', '198.51.100.1'],
  ['IPv4 in IPv6, of nobody trusted', [], '::ffff:203.0.113.7', '198.51.100.1', '203.0.113.7'],
])('%s', (_name, trusted, remoteAddress, forwarded, address) => {
  expect(clientAddressOf(trusted)({ headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress } })).toBe(address);
});

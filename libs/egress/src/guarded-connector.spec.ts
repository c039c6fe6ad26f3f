import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAddressGuard } from './address-guard.ts';
import type { ResolveName } from './guarded-connector.ts';
import { OriginPools } from './origin-pools.ts';
import { sendRequest } from './send-request.ts';
import { selfSignedCertificate } from './testing/self-signed-certificate.ts';

const certificate = selfSignedCertificate({ dnsNames: ['upstream.example', 'localhost'] });
let connections = 0;
const servers = {
  http: createServer((_request, response) => response.end('plain')),
  https: createTlsServer(certificate, (request, response) => response.end(String((request.socket as TLSSocket & { servername: unknown }).servername))),
};

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  for (const server of Object.values(servers)) {
    server.on('connection', () => (connections += 1));
    await once(server.listen(0, '127.0.0.1'), 'listening');
  }
});
afterAll(() => Object.values(servers).forEach((server) => server.close()));

/** Answers each look-up with the next of these lists. */
function resolverOf(...answers: string[][]): ResolveName {
  return (hostname, _options, callback) => {
    const addresses = answers.shift() ?? [];
    setImmediate(() => callback(null, addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))));
    expect(hostname).toBe('upstream.example');
  };
}

const loopback = { allowedRanges: ['loopback'] };
const nothing = { allowedRanges: [] };

async function get(url: string, ranges: { allowedRanges: string[] }, resolveName?: ResolveName): Promise<string> {
  await using pools = disposable(new OriginPools({ guard: createAddressGuard(ranges), ...(resolveName && { resolveName }) }));
  const response = await sendRequest(pools.value, { method: 'GET', url: new URL(url), connect: { tls: { ca: certificate.cert }, connectTimeoutMs: 2_000 } });
  return response.body.toString();
}

const disposable = (value: OriginPools) => ({ value, [Symbol.asyncDispose]: () => value.destroy() });

describe.each(['http', 'https'] as const)('over %s', (protocol) => {
  const at = (host: string): string => `${protocol}://${host}:${portOf(servers[protocol])}/`;

  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '１２７.0.0.1'])('refuses %s and opens no connection', async (host) => {
    connections = 0;
    await expect(get(at(host), nothing)).rejects.toMatchObject({ code: 'upstream_address_refused' });
    expect(connections).toBe(0);
  });

  it('refuses a name that resolves to a refused address', async () => {
    await expect(get(at('upstream.example'), nothing, resolverOf(['127.0.0.1']))).rejects.toMatchObject({ code: 'upstream_address_refused' });
  });

  it('refuses a name of which one address is refused', async () => {
    await expect(get(at('upstream.example'), loopback, resolverOf(['127.0.0.1', '10.0.0.1']))).rejects.toMatchObject({ code: 'upstream_address_refused' });
  });

  it('checks every connection anew: a name that changes its address is refused', async () => {
    const resolveName = resolverOf(['127.0.0.1'], ['169.254.169.254']);
    await expect(get(at('upstream.example'), loopback, resolveName)).resolves.toBeDefined();
    await expect(get(at('upstream.example'), loopback, resolveName)).rejects.toMatchObject({ code: 'upstream_address_refused' });
  });

  it('says that a name without address does not resolve', async () => {
    await expect(get(at('upstream.example'), loopback, resolverOf([]))).rejects.toMatchObject({ code: 'upstream_unreachable', detail: expect.stringContaining('upstream.example') as unknown });
  });
});

it('connects to the address that was checked and keeps the name for TLS', async () => {
  const url = `https://upstream.example:${portOf(servers.https)}/`;
  await expect(get(url, loopback, resolverOf(['127.0.0.1']))).resolves.toBe('upstream.example');
});

it('bounds the look-up by the connect timeout', async () => {
  const never: ResolveName = () => {};
  await expect(get('http://upstream.example/', loopback, never)).rejects.toMatchObject({ code: 'upstream_timeout' });
});

import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import { afterEach, describe, expect, it } from 'vitest';
import { createAddressGuard } from './address-guard.ts';
import { OriginPools } from './origin-pools.ts';
import { type OutgoingRequest, sendRequest } from './send-request.ts';
import { selfSignedCertificate } from './testing/self-signed-certificate.ts';

const pools = new OriginPools({ guard: createAddressGuard({ allowedRanges: ['loopback'] }) });
const servers: Server[] = [];
afterEach(async () => {
  await pools.destroy();
  servers.splice(0).forEach((server) => server.close());
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

const serve = async (listener: RequestListener): Promise<URL> => new URL(`http://127.0.0.1:${await listen(createServer(listener))}/path?key=s3cret-in-query`);
const serveBytes = async (onSocket: (socket: Socket) => void): Promise<URL> =>
  new URL(`http://127.0.0.1:${await listen(createTcpServer((socket) => onSocket(socket.on('error', () => {}))))}/path?key=s3cret-in-query`);
const send = (url: URL, request: Partial<OutgoingRequest> = {}) => sendRequest(pools, { method: 'GET', url, ...request });

it('sends method, path, query, headers and body, and buffers the answer', async () => {
  const url = await serve((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.setHeader('Set-Cookie', ['a=1', 'b=2']);
      response.writeHead(201).end(JSON.stringify([request.method, request.url, request.headers['x-name'], Buffer.concat(chunks).toString()]));
    });
  });
  const response = await send(url, { method: 'POST', headers: [['X-Name', 'ü'], ['Content-Type', 'text/plain']], body: 'body' });
  expect(JSON.parse(response.body.toString())).toEqual(['POST', '/path?key=s3cret-in-query', 'ü', 'body']);
  expect([response.status, response.headers.getSetCookie()]).toEqual([201, ['a=1', 'b=2']]);
});

it('returns a redirect as it is', async () => {
  const url = await serve((_request, response) => response.writeHead(302, { Location: 'http://169.254.169.254/' }).end());
  const response = await send(url);
  expect([response.status, response.headers.get('location')]).toEqual([302, 'http://169.254.169.254/']);
});

describe('fails', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n';
  it.each([
    ['no answer in time', (_socket: Socket) => {}, { timeouts: { headersMs: 50 } }, 'upstream_timeout'],
    ['an answer that pauses', (socket: Socket) => socket.write(`${head}abc`), { timeouts: { bodyMs: 50 } }, 'upstream_timeout'],
    ['an answer that takes too long altogether', (socket: Socket) => socket.write(head), { timeouts: { totalMs: 50 } }, 'upstream_timeout'],
    ['a reset before the answer', (socket: Socket) => socket.once('data', () => socket.resetAndDestroy()), {}, 'upstream_failed'],
    ['a close before the answer', (socket: Socket) => socket.once('data', () => socket.end()), {}, 'upstream_failed'],
    ['a close within the answer', (socket: Socket) => socket.once('data', () => socket.end(`${head}abc`)), {}, 'upstream_failed'],
    ['something that is not HTTP', (socket: Socket) => socket.write('220 smtp.example ESMTP\r\n'), {}, 'upstream_failed'],
    ['an answer beyond the bound', (socket: Socket) => socket.write(`${head}0123456789`), { maxResponseBytes: 9 }, 'upstream_failed'],
  ] as const)('on %s', async (_, onSocket, request, code) => {
    const url = await serveBytes(onSocket);
    const error: unknown = await send(url, request).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(String((error as { detail: unknown }).detail)).not.toMatch(/undefined|s3cret|path/);
  });

  it('on a refused connection', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    server.close();
    await expect(send(new URL(`http://127.0.0.1:${port}/`))).rejects.toMatchObject({ code: 'upstream_unreachable', detail: expect.stringContaining('ECONNREFUSED') as unknown });
  });

  it('on a name that does not resolve', async () => {
    await expect(send(new URL('http://nowhere.invalid/'))).rejects.toMatchObject({ code: 'upstream_unreachable' });
  });

  it.each([
    ['self-signed', {}, 'the certificate is self-signed'],
    ['expired', { notBefore: new Date('2020-01-01'), notAfter: new Date('2020-02-01') }, 'the certificate has expired'],
    ['for another host', { ipAddresses: ['127.0.0.9'] }, 'the certificate is for another host name'],
  ])('on a certificate that is %s', async (problem, options, words) => {
    const certificate = selfSignedCertificate(options);
    const url = new URL(`https://127.0.0.1:${await listen(createTlsServer(certificate))}/`);
    const connect = problem === 'self-signed' ? {} : { tls: { ca: certificate.cert } };
    await expect(send(url, { connect })).rejects.toMatchObject({ code: 'upstream_unreachable', detail: expect.stringContaining(words) as unknown });
  });

  it('on https to a plain port', async () => {
    const url = await serve((_request, response) => response.end());
    await expect(send(new URL(url.href.replace('http:', 'https:')))).rejects.toMatchObject({ code: 'upstream_unreachable', detail: expect.stringContaining('TLS handshake') as unknown });
  });

  it('on a host that closes during the TLS handshake', async () => {
    const url = await serveBytes((socket) => socket.end());
    await expect(send(new URL(url.href.replace('http:', 'https:')))).rejects.toMatchObject({ code: 'upstream_unreachable' });
  });

  it('with the reason of the signal where that was aborted', async () => {
    const url = await serve(() => {});
    const reason = new Error('no longer needed');
    await expect(send(url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

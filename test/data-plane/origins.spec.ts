import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { postLines, rawRequest } from '../support/raw-request.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let port: string;
const call = JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'ping' });

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane({ GATEHOUSE_ALLOWED_HOSTS: 'localhost,127.0.0.1', GATEHOUSE_ALLOWED_ORIGINS: 'https://chat.example', GATEHOUSE_DATA_PLANE_URL: 'https://gateway.example' });
  port = new URL(dataPlane.url).port;
  await dataPlane.publish({ name: 'orders', upstream: { url: upstream.url } });
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});

const statusFor = async (host: string, origin: string | undefined, path = '/mcp/default/orders'): Promise<number> =>
  (await rawRequest(dataPlane.url, postLines(path, host, call, ...(origin === undefined ? [] : [`Origin: ${origin}`])), call)).status;

describe('a bad Origin is 403 (MCP 2025-11-25, transports)', () => {
  it.each([
    ['no browser', undefined, 200],
    ['an allowed page', 'https://chat.example', 200],
    ['the gateway’s own page', 'https://gateway.example', 200],
    ['a page of the host itself', 'http://localhost:PORT', 200],
    ['any other page', 'https://evil.example', 403],
    ['an allowed page on another port', 'https://chat.example:444', 403],
    ['an allowed page on another scheme', 'http://chat.example', 403],
    ['a sandboxed page', 'null', 403],
    ['a local page on another port', 'http://localhost:1', 403],
  ])('%s', async (_name, origin, status) => {
    expect(await statusFor(`localhost:${port}`, origin?.replace('PORT', port))).toBe(status);
  });

  it('also where there is no such server: a page learns nothing', async () => {
    expect(await statusFor(`localhost:${port}`, 'https://evil.example', '/mcp/default/nope')).toBe(403);
  });
});

describe('a name that was rebound to this machine', () => {
  it.each([['evil.example', 403], ['evil.example:80', 403], ['localhost.evil.example', 403], ['127.0.0.1', 200], ['LOCALHOST', 200]])('%s: %i', async (host, status) => {
    expect(await statusFor(host, undefined)).toBe(status);
    if (status === 403) expect(await statusFor(host, `http://${host}`)).toBe(403);
  });
});

describe('an allowed page', () => {
  it('may ask first, and read the answer', async () => {
    const preflight = await rawRequest(dataPlane.url, ['OPTIONS /mcp/default/orders HTTP/1.1', 'Host: localhost', 'Origin: https://chat.example', 'Access-Control-Request-Method: POST', 'Connection: close']);
    expect(preflight.status).toBe(204);
    expect(preflight.head).toContain('Access-Control-Allow-Origin: https://chat.example');
    expect(preflight.head).toMatch(/Access-Control-Allow-Headers: .*Mcp-Protocol-Version/);
    const asking = ['X-Upstream-Authorization', 'X-Tenant', 'mcp-param-region', 'cookie', 'x-forwarded-for', 'b@d', 'X-Gatehouse-User'].join(', ');
    const { head } = await rawRequest(dataPlane.url, ['OPTIONS /mcp/default/orders HTTP/1.1', 'Host: localhost', 'Origin: https://chat.example', `Access-Control-Request-Headers: ${asking}`, 'Connection: close']);
    const allowed = /Access-Control-Allow-Headers: (.*)/.exec(head)?.[1]?.toLowerCase().trim().split(', ') ?? [];
    expect(allowed).toEqual(expect.arrayContaining(['x-upstream-authorization', 'x-tenant', 'mcp-param-region']));
    for (const name of ['cookie', 'x-forwarded-for', 'b@d', 'x-gatehouse-user']) expect(allowed).not.toContain(name);
    const reply = await rawRequest(dataPlane.url, postLines('/mcp/default/orders', 'localhost', call, 'Origin: https://chat.example'), call);
    expect(reply.head).toMatch(/access-control-allow-origin: https:\/\/chat\.example/i);
    expect(reply.head).toMatch(/access-control-expose-headers: .*Mcp-Session-Id/i);
    expect(reply.head).not.toMatch(/allow-credentials/i);
  });
});

it('a data plane without a configuration answers 503, never 404 (fault 5)', async () => {
  const fresh = await startInProcessDataPlane();
  const response = await fetch(`${fresh.url}/mcp/default/orders`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: call });
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
  expect((await fetch(`${fresh.internalUrl}/readyz`)).status).toBe(503);
  expect((await fetch(`${dataPlane.internalUrl}/readyz`)).status).toBe(200);
  await fresh.close();
});

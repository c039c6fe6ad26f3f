import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { postLines, rawRequest } from '../support/raw-request.ts';
import { headerPairs, headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let host: string;
const call = JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'echo', arguments: {} } });

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane({ GATEHOUSE_MAX_BODY_BYTES: '2048' });
  host = new URL(dataPlane.url).host;
  await dataPlane.publish(
    { name: 'orders', upstream: { url: upstream.url }, appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value: 'stored-key' } },
    { name: 'off', upstream: { url: upstream.url }, enabled: false },
  );
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});

const request = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${dataPlane.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: call, ...init });

interface RpcFailure {
  jsonrpc: string;
  id: unknown;
  error: { code: number; message: string; data: { code: string; server?: string } };
}
const failureOf = async (response: Response): Promise<RpcFailure> => (await response.json()) as RpcFailure;

describe('a wrong request gets a JSON-RPC error that names what is wrong', () => {
  it.each<[string, string, RequestInit, number, string]>([
    ['an unknown server', '/mcp/default/nope', {}, 404, 'server_not_found'],
    ['an unknown workspace', '/mcp/other/orders', {}, 404, 'server_not_found'],
    ['a disabled server', '/mcp/default/off', {}, 404, 'server_disabled'],
    ['no route', '/hello', {}, 404, 'not_found'],
    ['a path that goes on', '/mcp/default/orders/more', {}, 404, 'not_found'],
    ['a path that climbs', '/mcp/default/..%2f..%2forders', {}, 404, 'server_not_found'],
    ['a method of its own', '/mcp/default/orders', { method: 'PUT' }, 405, 'method_not_allowed'],
    ['no JSON', '/mcp/default/orders', { body: '{' }, 400, 'invalid_request'],
    ['no message', '/mcp/default/orders', { body: '"x"' }, 400, 'invalid_request'],
    ['another content type', '/mcp/default/orders', { headers: { 'content-type': 'text/plain' } }, 415, 'unsupported_media_type'],
    ['a compressed body', '/mcp/default/orders', { headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }, 415, 'unsupported_media_type'],
    ['a body that is too large', '/mcp/default/orders', { body: JSON.stringify({ x: 'y'.repeat(3000) }) }, 413, 'body_too_large'],
    ['too many headers', '/mcp/default/orders', { headers: { 'content-type': 'application/json', ...Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`x-${index}`, 'y'])) } }, 431, 'headers_too_large'],
    ['headers that are too large', '/mcp/default/orders', { headers: { 'content-type': 'application/json', 'x-large': 'y'.repeat(33_000) } }, 431, 'headers_too_large'],
    ['headers beyond what is parsed', '/mcp/default/orders', { headers: { 'content-type': 'application/json', 'x-large': 'y'.repeat(60_000) } }, 431, 'headers_too_large'],
    ['a session that is none', '/mcp/default/orders', { headers: { 'content-type': 'application/json', 'mcp-session-id': 'made-up' } }, 404, 'session_not_found'],
  ])('%s', async (_name, path, init, status, code) => {
    const before = upstream.requests.length;
    const response = await request(path, init);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json');
    const failure = await failureOf(response);
    expect(failure.jsonrpc).toBe('2.0');
    expect(failure.error.data.code).toBe(code);
    expect(upstream.requests.length).toBe(before);
  });

  it('names the server it is about, and the id of the request once it is known', async () => {
    await dataPlane.publish({ name: 'down', upstream: { url: 'http://127.0.0.1:1/mcp' }, appAuth: { type: 'bearer', token: 'stored-token' } });
    const response = await request('/mcp/default/down');
    expect(response.status).toBe(502);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ id: 5, error: { data: { code: 'upstream_unreachable', server: 'default/down' } } });
    expect(text).not.toContain('stored-token');
  });
});

describe('header attacks', () => {
  const path = '/mcp/default/orders';

  it.each([
    ['two Authorization', ['Authorization: Bearer a', 'Authorization: Bearer b']],
    ['two Authorization that differ in case', ['Authorization: Bearer a', 'authorization: Bearer b']],
    ['two session ids', ['Mcp-Session-Id: a', 'mcp-session-id: b']],
    ['two Content-Type', ['Content-Type: application/json']],
    ['two X-Gatehouse-Key', ['X-Gatehouse-Key: a', 'X-Gatehouse-Key: a']],
  ])('%s: 400', async (_name, lines) => {
    const reply = await rawRequest(dataPlane.url, postLines(path, host, call, ...lines), call);
    expect([reply.status, JSON.parse(reply.body)]).toMatchObject([400, { error: { data: { code: 'duplicate_header' } } }]);
  });

  it('two Host: 400', async () => {
    expect((await rawRequest(dataPlane.url, postLines(path, host, call, 'Host: other'), call)).status).toBe(400);
  });

  it.each([
    ['two Content-Length', ['Content-Length: 5']],
    ['Content-Length beside Transfer-Encoding', ['Transfer-Encoding: chunked']],
    ['a Transfer-Encoding that is none', ['Transfer-Encoding: xchunked']],
    ['a folded header', ['X-A: b', ' c']],
    ['a space before the colon', ['X-A : b']],
    ['a NUL in a value', ['X-A: b\0c']],
    ['a bare carriage return', ['X-A: b\rX-B: c']],
  ])('%s: refused by the parser', async (_name, lines) => {
    const before = upstream.requests.length;
    const reply = await rawRequest(dataPlane.url, postLines(path, host, call, ...lines), call);
    expect(reply.status).toBe(400);
    expect(upstream.requests.length).toBe(before);
  });

  it('Connection cannot nominate the gateway’s own header for removal', async () => {
    const seen = upstream.nextRequest();
    await rawRequest(dataPlane.url, postLines(path, host, call, 'Connection: close, x-api-key, content-type, user-agent'), call);
    const reply = await rawRequest(dataPlane.url, postLines(path, host, call, 'Connection: close, x-api-key, user-agent'), call);
    expect(reply.status).toBe(200);
    expect(headerValue(await seen, 'x-api-key')).toBe('stored-key');
  });

  it('no spelling of the credential’s name is the caller’s to set', async () => {
    const seen = upstream.nextRequest();
    await rawRequest(dataPlane.url, postLines(path, host, call, 'X-API-Key: mine', 'x_api_key: mine', 'X.Api.Key: mine', 'X-Api-Key: mine'), call);
    const request = await seen;
    expect(headerPairs(request).filter(([, value]) => value === 'mine')).toEqual([]);
    expect(headerPairs(request, 'x-api-key')).toHaveLength(1);
  });

  it('an absolute-form target is no way to another host', async () => {
    const lines = postLines(`http://evil.example/mcp/default/orders`, host, call);
    expect((await rawRequest(dataPlane.url, lines, call)).status).toBe(404);
  });

  it.each(['OPTIONS *', 'CONNECT evil.example:443', 'TRACE /mcp/default/orders'])('%s is answered with an error', async (start) => {
    const reply = await rawRequest(dataPlane.url, [`${start} HTTP/1.1`, `Host: ${host}`, 'Connection: close']);
    expect(reply.status === 0 || reply.status >= 400).toBe(true);
  });
});

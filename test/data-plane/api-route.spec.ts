import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, type SpecServer, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { type RawReply, rawRequest } from '../support/raw-request.ts';
import { headerPairs, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* Direct calls of an API (/api/{workspace}/{server}/…): plain HTTP through the same pipeline as tools. */

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let host: string;

const api = (more: Partial<SpecServer> = {}): SpecServer => ({ name: 'orders', type: 'api', tools: { operations: [] }, upstream: { url: `${upstream.origin}/team/v1` }, ...more });

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane({ GATEHOUSE_MAX_BODY_BYTES: '4096', GATEHOUSE_MAX_UPLOAD_BYTES: '100000', GATEHOUSE_ALLOWED_ORIGINS: 'https://page.example', GATEHOUSE_CONNECTIONS_PER_ORIGIN: '1', GATEHOUSE_RESPONSE_TIMEOUT_MS: '2000' });
  host = new URL(dataPlane.url).host;
  await dataPlane.publish(
    api(),
    api({ name: 'keyed', upstream: { url: `${upstream.origin}/team/v1?tenant=acme` }, appAuth: { type: 'api-key', name: 'key', in: 'query', value: 'stored/k3y&more' } }),
    api({ name: 'ruled', access: { tools: { deny: ['drop_*'] } } }),
    api({ name: 'off', enabled: false }),
    api({ name: 'down', upstream: { url: 'http://127.0.0.1:1/x' } }),
    api({ name: 'guarded', agentAuth: { type: 'api-key' } }),
    { name: 'tools', upstream: { url: upstream.url } },
  );
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}'));
});

const send = (start: string, lines: string[] = [], body = ''): Promise<RawReply> =>
  rawRequest(dataPlane.url, [`${start} HTTP/1.1`, `Host: ${host}`, ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`]), ...lines, 'Connection: close'], body);
const get = (path: string, lines: string[] = []): Promise<RawReply> => send(`GET /api/default/orders${path}`, lines);
const arrived = (): RecordedRequest => {
  expect(upstream.requests).toHaveLength(1);
  return upstream.requests[0] as RecordedRequest;
};
const headersOf = ({ head }: RawReply, name: string): string[] => head.split('\r\n').slice(1).filter((line) => line.toLowerCase().startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
const framing = new Set(['host', 'connection', 'content-length', 'transfer-encoding']);
const ownHeaders = (request: RecordedRequest): string[] => headerPairs(request).filter(([name]) => !framing.has(name.toLowerCase())).map(([name, value]) => `${name}: ${value}`);

describe('a request arrives as it was sent', () => {
  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'REPORT', 'QUERY'])('%s, with every byte of its body', async (method) => {
    const body = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
    const reply = await send(`${method} /api/default/orders/items/7?a=1&b=%20+x&a=2`, ['Content-Type: application/octet-stream'], body);
    expect([reply.status, reply.body]).toEqual([200, expect.stringContaining('{"ok":true}')]);
    const request = arrived();
    expect([request.method, request.url, request.body.toString('latin1')]).toEqual([method, '/team/v1/items/7?a=1&b=%20+x&a=2', body]);
  });

  it('HEAD has no body, and the length of what it would be', async () => {
    upstream.handle((_request, response) => void response.writeHead(200, { 'content-length': '17', etag: '"a"' }).end());
    const reply = await send('HEAD /api/default/orders');
    expect([reply.status, reply.body, headersOf(reply, 'content-length'), headersOf(reply, 'etag'), arrived().method]).toEqual([200, '', ['17'], ['"a"'], 'HEAD']);
  });

  it.each([['', '/team/v1'], ['/', '/team/v1/'], ['?x', '/team/v1?x'], ['/a%2Fb/c;v=1?q=/../', '/team/v1/a%2Fb/c;v=1?q=/../']])('at %j, it is for %s', async (path, target) => {
    expect((await get(path)).status).toBe(200);
    expect(arrived().url).toBe(target);
  });

  it('an empty POST says that it is empty, a GET says nothing', async () => {
    await send('POST /api/default/orders', ['Content-Length: 0']);
    await get('');
    expect(upstream.requests.map((request) => headerPairs(request, 'content-length').map(([, value]) => value))).toEqual([['0'], []]);
  });

  it('what HTTP needs goes along as it is; nothing else of the caller’s, and nothing of MCP (D1)', async () => {
    const own = ['Content-Type: text/CSV', 'Content-Encoding: gzip', 'Accept: a/b;q=0.5', 'Accept-Encoding: br', 'ACCEPT-Language: de', 'Range: bytes=0-1', 'If-Match: "a"', 'If-Match: "b"', 'If-None-Match: W/"c"'];
    const others = ['Authorization: Bearer theirs', 'Cookie: a=b', 'X-Tenant: acme', 'User-Agent: theirs', 'Cache-Control: no-cache', 'Mcp-Session-Id: s', 'Mcp-Protocol-Version: 2025-06-18', 'TE: trailers', 'Forwarded: for=x', 'X-Forwarded-For: x'];
    await send('PUT /api/default/orders', [...own, ...others], 'a,b');
    expect(ownHeaders(arrived()).filter((header) => !header.startsWith('user-agent: gatehouse/')).toSorted()).toEqual(own.toSorted());
    expect(ownHeaders(arrived())).toHaveLength(own.length + 1);
  });

  it('trace context goes on unchanged', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await get('', [`Traceparent: ${traceparent}`]);
    expect(ownHeaders(arrived())).toContain(`traceparent: ${traceparent}`);
  });

  it('the query of the configured URL, and the key, are not the caller’s to set', async () => {
    await send('GET /api/default/keyed/items?tenant=other&a=1&k%65y=mine');
    expect(arrived().url).toBe('/team/v1/items?tenant=acme&a=1&key=stored%2Fk3y%26more');
  });
});

describe('an answer comes back as it was given', () => {
  it.each([[201], [204], [206], [300], [304], [400], [404], [418], [429], [500], [503]])('%i', async (status) => {
    upstream.handle((_request, response) => void response.writeHead(status, { 'x-request-id': '7', 'content-range': 'bytes 0-1/9', etag: '"a"', 'retry-after': '3' }).end(status === 204 || status === 304 ? undefined : 'body'));
    const reply = await get('');
    expect([reply.status, headersOf(reply, 'x-request-id'), headersOf(reply, 'etag'), headersOf(reply, 'retry-after'), headersOf(reply, 'content-range')]).toEqual([status, ['7'], ['"a"'], ['3'], ['bytes 0-1/9']]);
    expect(reply.body.includes('body')).toBe(status !== 204 && status !== 304);
  });

  it('compressed bytes stay what they are', async () => {
    const bytes = gzipSync('compressed');
    upstream.handle((_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bytes.length }).end(bytes));
    const reply = await get('', ['Accept-Encoding: gzip']);
    expect([headersOf(reply, 'content-encoding'), Buffer.from(reply.body, 'latin1')]).toEqual([['gzip'], bytes]);
  });

  it('what an upstream says of its own connection, origin or caches does not', async () => {
    upstream.handle((_request, response) => void response.writeHead(200, {
      'set-cookie': 'a=b', 'access-control-allow-origin': '*', 'strict-transport-security': 'max-age=1', 'alt-svc': 'h3=":1"', 'mcp-session-id': 's', 'x-gatehouse-user': 'ceo', 'www-authenticate': 'Basic', 'service-worker-allowed': '/',
      'content-security-policy': 'default-src *', 'cdn-cache-control': 'max-age=9', 'cache-control': 'public, s-maxage=9, max-age=3', trailer: 'x', connection: 'x-secret', 'x-secret': 'y',
    }).end('<script>'));
    const reply = await get('', ['Origin: https://page.example']);
    const names = reply.head.toLowerCase().split('\r\n').slice(1).map((line) => line.split(':')[0]);
    for (const name of ['set-cookie', 'strict-transport-security', 'alt-svc', 'mcp-session-id', 'x-gatehouse-user', 'www-authenticate', 'service-worker-allowed', 'cdn-cache-control', 'trailer', 'x-secret']) expect(names).not.toContain(name);
    expect(headersOf(reply, 'access-control-allow-origin')).toEqual(['https://page.example']);
    expect(headersOf(reply, 'cache-control')).toEqual(['private, max-age=3']);
    expect(headersOf(reply, 'content-security-policy')).toEqual(["sandbox; default-src 'none'"]);
  });

  it.each([
    ['/team/v1/items/8?x=1', '/api/default/keyed/items/8?x=1'],
    ['items/8', '/api/default/keyed/items/8'],
    ['?page=2&key=stored%2Fk3y%26more&tenant=acme', '/api/default/keyed/items?page=2'],
    ['/team/v1', '/api/default/keyed'],
    ['/elsewhere', undefined],
    ['/team/v11', undefined],
    ['https://elsewhere.example/a', undefined],
    ['//elsewhere.example/team/v1', undefined],
  ])('a link to %s leads to %s', async (link, expected) => {
    upstream.handle((_request, response) => void response.writeHead(201, { location: link, 'content-location': link, link: `<${link}>; rel="next", </team/v1/a>; rel="prev"` }).end());
    const reply = await send('POST /api/default/keyed/items', ['Content-Length: 0']);
    expect([headersOf(reply, 'location'), headersOf(reply, 'content-location')]).toEqual(expected === undefined ? [[], []] : [[expected], [expected]]);
    expect(headersOf(reply, 'link')).toEqual([`<${expected ?? link}>; rel="next", </api/default/keyed/a>; rel="prev"`]);
  });

  it('the key in the query does not come back in a header', async () => {
    upstream.handle(({ url }, response) => void response.writeHead(200, { 'x-echo': url, link: `<https://elsewhere.example${url}>; rel="next"`, 'content-location': url, 'x-fine': '1' }).end());
    const reply = await send('GET /api/default/keyed/items?a=1');
    expect(reply.head).not.toMatch(/stored.*k3y/);
    expect([headersOf(reply, 'x-fine'), headersOf(reply, 'content-location')]).toEqual([['1'], ['/api/default/keyed/items?a=1']]);
  });
});

describe('what is wrong is said as a problem (RFC 9457)', () => {
  const big = 'x'.repeat(5_000);

  it.each<[string, string, string[], string, number, string]>([
    ['no server', 'GET /api/default/nope', [], '', 404, 'server_not_found'],
    ['no workspace', 'GET /api/nope/orders/items', [], '', 404, 'server_not_found'],
    ['no name', 'GET /api/default', [], '', 404, 'server_not_found'],
    ['nothing at all', 'GET /api/', [], '', 404, 'server_not_found'],
    ['a disabled server', 'GET /api/default/off/x', [], '', 404, 'server_disabled'],
    ['a server that is no API', 'GET /api/default/tools/x', [], '', 404, 'not_found'],
    ['a server with rules for tools', 'GET /api/default/ruled/x', [], '', 403, 'tool_not_allowed'],
    ['a caller that is nobody', 'GET /api/default/guarded/x', [], '', 401, 'unauthenticated'],
    ['a page that may not', 'GET /api/default/orders', ['Origin: https://evil.example'], '', 403, 'origin_not_allowed'],
    ['an image of another site’s page', 'GET /api/default/orders', ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: image'], '', 403, 'origin_not_allowed'],
    ['TRACE', 'TRACE /api/default/orders', [], '', 405, 'method_not_allowed'],
    ['a path that climbs', 'GET /api/default/orders/../../admin', [], '', 400, 'invalid_path'],
    ['a path that climbs in disguise', 'GET /api/default/orders/%2e%2e%2fadmin', [], '', 400, 'invalid_path'],
    ['a path to another host', 'GET /api/default/orders//evil.example/', [], '', 400, 'invalid_path'],
    ['a server in disguise', 'GET /api/default/%6frders/x', [], '', 404, 'server_not_found'],
    ['a WebSocket', 'GET /api/default/orders/live', ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'], '', 501, 'upgrade_not_supported'],
    ['a header twice', 'GET /api/default/orders', ['Range: bytes=0-1', 'Range: bytes=1-2'], '', 400, 'duplicate_header'],
    ['too many headers', 'GET /api/default/orders', Array.from({ length: 120 }, (_, index) => `X-${index}: y`), '', 431, 'headers_too_large'],
    ['an upload beyond the limit', 'PUT /api/default/orders', [], 'x'.repeat(100_001), 413, 'body_too_large'],
    ['an upstream that is not there', 'PUT /api/default/down', [], big, 502, 'upstream_unreachable'],
  ])('%s', async (_, start, lines, body, status, code) => {
    const reply = await send(start, lines, body);
    expect([reply.status, headersOf(reply, 'content-type')]).toEqual([status, ['application/problem+json']]);
    expect(JSON.parse(reply.body)).toMatchObject({ type: `urn:gatehouse:problem:${code}`, status, code, title: expect.any(String) as string });
    expect(upstream.requests).toHaveLength(0);
  });

  it.each(['Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: chunked, chunked', 'Transfer-Encoding: identity, chunked'])('%s never gets through', async (line) => {
    const reply = await rawRequest(dataPlane.url, ['POST /api/default/orders HTTP/1.1', `Host: ${host}`, line, 'Connection: close'], '1\r\nx\r\n0\r\n\r\n');
    expect([400, 501]).toContain(reply.status);
    expect(upstream.requests).toHaveLength(0);
  });

  it.each([
    ['two lengths', ['Content-Length: 5', 'Content-Length: 1']],
    ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['a header without an end', [`X-Large: ${'y'.repeat(60_000)}`]],
  ])('%s: what the parser refuses is a problem, too', async (_, lines) => {
    const reply = await rawRequest(dataPlane.url, ['POST /api/default/orders HTTP/1.1', `Host: ${host}`, ...lines], '0\r\n\r\n');
    expect([reply.status >= 400, headersOf(reply, 'content-type')]).toEqual([true, ['application/problem+json']]);
    expect(JSON.parse(reply.body)).toMatchObject({ status: reply.status, code: expect.any(String) as string });
  });

  it('names what is allowed, and when to come again', async () => {
    expect(headersOf(await send('TRACE /api/default/orders'), 'allow')).toEqual([expect.stringContaining('PATCH')]);
    expect(headersOf(await send('GET /api/default/guarded'), 'www-authenticate')).toEqual([expect.stringMatching(/^Bearer /)]);
  });

  it.each([401, 302])('an upstream’s %i is not the gateway’s', async (status) => {
    upstream.handle((_request, response) => void response.writeHead(status, { location: 'https://elsewhere.example/secret', 'www-authenticate': 'Basic' }).end());
    const reply = await get('');
    expect(JSON.parse(reply.body)).toMatchObject(status === 401 ? { status: 502, code: 'upstream_rejected_credentials' } : { status: 502, code: 'upstream_redirected', redirectOrigin: 'https://elsewhere.example' });
    expect([headersOf(reply, 'location'), headersOf(reply, 'www-authenticate')]).toEqual([[], []]);
    expect(reply.body + reply.head).not.toContain('secret');
  });

  it('one that hangs is not waited for', async () => {
    upstream.handle(() => undefined);
    expect(JSON.parse((await get('')).body)).toMatchObject({ status: 504, code: 'upstream_timeout', server: 'default/orders' });
  });
});

describe('other protocols', () => {
  it.each(['h2c', 'HTTP/2.0, TLS/1.3'])('Upgrade: %s is an offer that is declined in silence', async (offer) => {
    expect((await get('', [`Upgrade: ${offer}`, 'HTTP2-Settings: AAMAAABkAAQAAP__'])).status).toBe(200);
    expect(ownHeaders(arrived()).map((line) => line.split(':')[0])).toEqual(['user-agent']);
  });

  it('CONNECT is refused', async () => {
    const reply = await send('CONNECT evil.example:443');
    expect([reply.status, headersOf(reply, 'connection')]).toEqual([405, ['close']]);
  });

  it('HTTP/2 with prior knowledge is refused', async () => {
    expect((await rawRequest(dataPlane.url, ['PRI * HTTP/2.0'], 'SM\r\n\r\n')).status).toBe(400);
  });
});

describe('pages that may call', () => {
  const page = 'Origin: https://page.example';

  it('are told so: any method, what HTTP needs, and what a policy may let pass', async () => {
    const reply = await send('OPTIONS /api/default/orders/x', [page, 'Access-Control-Request-Method: PATCH', 'Access-Control-Request-Headers: if-match, content-encoding, x-tenant, cookie, x-gatehouse-user']);
    expect([reply.status, headersOf(reply, 'access-control-allow-methods'), upstream.requests.length]).toEqual([204, ['*'], 0]);
    const [allowed = ''] = headersOf(reply, 'access-control-allow-headers');
    expect(allowed.toLowerCase().split(', ')).toEqual(expect.arrayContaining(['if-match', 'content-encoding', 'x-tenant', 'content-type']));
    expect(allowed).not.toMatch(/cookie|x-gatehouse-user/i);
  });

  it('may, from another site too; and so may people who type an address', async () => {
    expect((await get('', [page, 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: cors'])).status).toBe(200);
    expect((await get('', ['Sec-Fetch-Site: none', 'Sec-Fetch-Mode: navigate'])).status).toBe(200);
  });

  it('read every header of an answer', async () => {
    expect(headersOf(await get('', [page]), 'access-control-expose-headers').join(', ')).toContain('*');
  });
});

it('a call is logged and counted like any other, without its path', async () => {
  const before = dataPlane.log.length;
  await get('/secret-path?secret=query');
  const lines = dataPlane.log.slice(before);
  expect(lines.map((line) => JSON.parse(line) as { msg: string }).find(({ msg }) => msg === 'call')).toMatchObject({ server: 'orders', endpoint: 'api', http: 'GET', outcome: 'ok', upstreamStatus: 200 });
  expect(lines.join()).not.toContain('"era"');
  expect(lines.join()).not.toContain('secret');
  expect(await (await fetch(`${dataPlane.internalUrl}/metrics`)).text()).toMatch(/gatehouse_requests_total\{workspace="default",server="orders",outcome="ok"\} \d/);
});

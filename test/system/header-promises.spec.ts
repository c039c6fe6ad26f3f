import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { postLines, type RawReply, rawRequest } from '../support/raw-request.ts';
import { headerPairs, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { type RunningGatehouse, startUp } from '../support/start-up.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

/*
 * The promises about headers through the public interface: documents by REST, calls as bytes on a socket, an upstream that
 * keeps what reaches it. P1 and P23 say the same of API servers: `api-tools-credentials` and
 * `api-route-credentials` in `test/data-plane`.
 */
let gatehouse: RunningGatehouse;
let upstream: RecordingUpstream;
let elsewhere: RecordingUpstream;
let issuer: TokenIssuer;

beforeAll(async () => {
  [upstream, elsewhere, issuer] = await Promise.all([startRecordingUpstream(), startRecordingUpstream(), startTokenIssuer()]);
  gatehouse = await startUp({ env: { GATEHOUSE_LOG_LEVEL: 'debug' } });
});
afterAll(async () => {
  await gatehouse.close();
  await Promise.all([upstream.close(), elsewhere.close(), issuer.close()]);
});

let servers = 0;
/** Registers a server that lets anyone in, unless it says otherwise; resolves to its URL. */
async function server(document: Record<string, unknown>, path = '/mcp'): Promise<string> {
  servers += 1;
  const name = `server-${servers}`;
  const { mcp } = await gatehouse.addServer({ name, type: 'mcp', upstream: { url: `${upstream.origin}${path}` }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' }, ...document });
  return mcp;
}

const toolCall = (name = 'echo'): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: { a: 1 } } });

const post = (url: string, lines: readonly string[], body = toolCall()): Promise<RawReply> =>
  rawRequest(url, postLines(new URL(url).pathname, new URL(url).host, body, ...lines), body);

/** What every request has from the gateway or its connection. */
const ordinary = new Set(['accept', 'connection', 'content-length', 'content-type', 'host', 'user-agent', 'mcp-protocol-version', 'mcp-session-id']);
const own = (request: RecordedRequest | undefined): string[] =>
  headerPairs(request as RecordedRequest).filter(([name]) => !ordinary.has(name.toLowerCase())).map(([name, value]) => `${name}: ${value}`);

/** Sends a call; resolves to the caller's headers (and credentials) that the upstream saw, as written on the wire. */
async function leaving(url: string, lines: readonly string[], body = toolCall()): Promise<string[]> {
  const before = upstream.requests.length;
  const reply = await post(url, lines, body);
  expect(`${reply.status} ${reply.status === 200 ? '' : reply.body}`).toBe('200 ');
  return own(upstream.requests[before]);
}

describe('P1 the caller’s headers reach an MCP server, and the body is not touched', () => {
  it.each(['tools/call', 'resources/read', 'prompts/get', 'tools/list', 'resources/list', 'prompts/list', 'completion/complete'])('%s', async (method) => {
    const url = await server({ appAuth: { type: 'passthrough' } });
    const body = `{"jsonrpc" :"2.0", "id":"\\u00fc-1","method":"${method}","params":{"name":"echo","uri":"a://b","z":1e400}}`;
    expect(await leaving(url, ['Authorization: Bearer theirs', 'X-Tenant: acme'], body)).toEqual(['X-Tenant: acme', 'Authorization: Bearer theirs']);
    expect(upstream.requests.at(-1)?.body.toString('latin1')).toBe(body);
  });
});

describe('P2, P3 modes and spelling', () => {
  const lines = ['x-TENANT: acme', 'X-Correlation-Id: abc-123', 'X-Internal-Token: key'];

  it('forward all eligible headers is what pass-through means; the caller’s case is kept', async () => {
    expect(await leaving(await server({ appAuth: { type: 'passthrough' } }), lines)).toEqual(lines);
  });

  it('mappings: matched without case, renamed, an empty target is the same name, as many rows as wanted', async () => {
    const many = Array.from({ length: 60 }, (_, index) => ({ source: `X-Row-${index}`, target: `Y-Row-${index}` }));
    const mappings = [{ source: 'X-Internal-Token', target: 'X-API-Key' }, { source: 'X-Tenant' }, { source: 'x-correlation-id', target: '' }, ...many];
    const url = await server({ headerPolicy: { mode: 'mappings', mappings } });
    expect(await leaving(url, [...lines, 'x-row-59: last', 'X-Else: no'])).toEqual(['X-Tenant: acme', 'x-correlation-id: abc-123', 'X-API-Key: key', 'Y-Row-59: last']);
  });

  it('mappings forward exactly what they name: the token stays unless it is mapped', async () => {
    const tokenOnly = await server({ appAuth: { type: 'passthrough' }, headerPolicy: { mode: 'mappings', mappings: [{ source: 'Authorization', target: 'X-User-Token' }] } });
    expect(await leaving(tokenOnly, ['Authorization: Bearer theirs', ...lines])).toEqual(['X-User-Token: Bearer theirs']);
    const without = await server({ appAuth: { type: 'passthrough' }, headerPolicy: { mode: 'mappings', mappings: [{ source: 'X-Tenant' }] } });
    expect(await leaving(without, ['Authorization: Bearer theirs', ...lines])).toEqual(['X-Tenant: acme']);
  });

  it('a list sends the configured spelling', async () => {
    expect(await leaving(await server({ headerPolicy: { mode: 'list', list: ['X-Tenant', 'x-correlation-id'] } }), lines)).toEqual(['X-Tenant: acme', 'x-correlation-id: abc-123']);
  });

  it('trace context goes on unchanged, whatever the policy', async () => {
    const trace = ['traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'tracestate: a=1,b=2', 'baggage: user=1'];
    expect(await leaving(await server({ headerPolicy: { mode: 'none' } }), [...trace, 'X-Tenant: acme'])).toEqual(trace);
  });

  it('nothing passes where no server says so', async () => {
    expect(await leaving(await server({}), [...lines, 'Authorization: Bearer theirs', 'Cookie: a=b', 'X-Gatehouse-Key: k'])).toEqual([]);
  });
});

describe('P4 headers and credentials go to the configured URL only', () => {
  const everything = { appAuth: { type: 'api-key', name: 'X-Key', in: 'header', value: 'stored' }, headerPolicy: { mode: 'all' }, outboundHeaders: [{ name: 'X-Service', source: { type: 'static', value: 'fixed' } }] };

  it('a redirect within the configured path is followed, with all of them', async () => {
    const url = await server(everything, '/base');
    upstream.handle((request, response) => void (request.url === '/base' ? response.writeHead(308, { location: '/base/v2' }).end() : response.writeHead(200, { 'content-type': 'application/json' }).end('{}')));
    const before = upstream.requests.length;
    expect((await post(url, ['X-Tenant: acme'])).status).toBe(200);
    expect(upstream.requests.slice(before).map((request) => [request.url, own(request), request.body.toString()])).toEqual(
      ['/base', '/base/v2'].map((path) => [path, ['X-Tenant: acme', 'X-Key: stored', 'X-Service: fixed'], toolCall()]),
    );
  });

  it.each([
    ['another port', () => `${elsewhere.origin}/base`],
    ['another host', () => `http://localhost:${upstream.port}/base/v2`],
    ['out of the base path', () => `${upstream.origin}/other`],
  ])('one to %s is not: the caller is told the origin, and nothing reaches it', async (_name, location) => {
    const url = await server(everything, '/base');
    upstream.handle((_request, response) => void response.writeHead(307, { location: location() }).end());
    const before = [upstream.requests.length, elsewhere.requests.length];
    const reply = await post(url, ['X-Tenant: acme']);
    expect([reply.status, reply.body]).toEqual([502, expect.stringContaining(new URL(location()).origin)]);
    expect([upstream.requests.length, elsewhere.requests.length]).toEqual([(before[0] as number) + 1, before[1]]);
  });

  afterAll(() => upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{}}')));
});

describe('P5 some headers never pass', () => {
  const never = ['Cookie: a=b', 'Set-Cookie: c=d', 'Keep-Alive: timeout=5', 'TE: trailers', 'Proxy-Authorization: Basic x', 'X-Forwarded-For: 1.2.3.4', 'X_Forwarded_Host: evil', 'Via: 1.1 x', 'X-Real-IP: 1.2.3.4', 'Sec-Fetch-Site: none', 'Referer: https://x', 'X-Gatehouse-User: root', 'Mcp-Other: 1'];

  it('with all headers passing', async () => {
    expect(await leaving(await server({ appAuth: { type: 'passthrough' } }), [...never, 'X-Tenant: acme'])).toEqual(['X-Tenant: acme']);
  });

  it.each([
    ['a mapping from one', { mode: 'mappings', mappings: [{ source: 'Cookie', target: 'X-Session' }] }, '/headerPolicy/mappings/0/source'],
    ['a mapping to one', { mode: 'mappings', mappings: [{ source: 'X-Session', target: 'set_cookie' }] }, '/headerPolicy/mappings/0/target'],
    ['a list with one', { mode: 'list', list: ['X-Tenant', 'Host'] }, '/headerPolicy/list/1'],
  ])('%s is refused, by name', async (_name, headerPolicy, pointer) => {
    const document = { name: 'refused', type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' }, headerPolicy };
    const { status, body } = await gatehouse.admin.post('/v1/workspaces/default/servers', document);
    expect([status, body]).toMatchObject([422, { errors: [{ pointer }] }]);
  });
});

describe('P9 agent authentication passthrough', () => {
  it('without validation: credentials as they are', async () => {
    expect(await leaving(await server({ appAuth: { type: 'passthrough' } }), ['Authorization: Custom anything'])).toEqual(['Authorization: Custom anything']);
  });

  it('with validation: a good token passes, a missing or invalid one is rejected with a challenge', async () => {
    const agentAuth = { type: 'passthrough', jwt: { jwksUrl: issuer.jwksUrl, issuer: issuer.url, audience: 'orders' } };
    const url = await server({ agentAuth, appAuth: { type: 'passthrough' } });
    const good = await issuer.sign({ aud: 'orders', sub: 'ana' });
    expect(await leaving(url, [`Authorization: Bearer ${good}`])).toEqual([`Authorization: Bearer ${good}`]);
    const missing = await post(url, []);
    expect([missing.status, missing.head]).toEqual([401, expect.stringMatching(/www-authenticate: Bearer realm="gatehouse"\r?$/im)]);
    const wrong = await post(url, [`Authorization: Bearer ${await issuer.sign({ aud: 'others', sub: 'ana' })}`]);
    expect([wrong.status, wrong.head]).toEqual([401, expect.stringMatching(/www-authenticate: Bearer realm="gatehouse", error="invalid_token", error_description="[^"]+"/i)]);
  });

  it('restricted headers by pattern, in any spelling; authorization only with app authentication passthrough', async () => {
    const agentAuth = { type: 'passthrough', restrictedHeaders: ['x-internal-*'] };
    const lines = ['Authorization: Bearer theirs', 'X-Internal-Id: 1', 'X_Internal_Id: 2', 'x.internal.id: 3', 'X-Public: 4'];
    expect(await leaving(await server({ agentAuth, headerPolicy: { mode: 'all' } }), lines)).toEqual(['X-Public: 4']);
    expect(await leaving(await server({ agentAuth, appAuth: { type: 'passthrough' } }), lines)).toEqual(['X-Public: 4', 'Authorization: Bearer theirs']);
  });
});

describe('P17 conflicts', () => {
  it('a header that passes does not replace one the gateway sets, unless that is switched on', async () => {
    const list = { mode: 'list', list: ['User-Agent'] };
    const agent = (request: RecordedRequest | undefined): (string | undefined)[] => headerPairs(request as RecordedRequest, 'user-agent').map(([, value]) => value);
    await post(await server({ headerPolicy: list }), ['User-Agent: theirs']);
    expect(agent(upstream.requests.at(-1))).toEqual([expect.stringMatching(/^gatehouse\//)]);
    await post(await server({ headerPolicy: { ...list, overwriteBaseHeaders: true } }), ['User-Agent: theirs']);
    expect(agent(upstream.requests.at(-1))).toEqual(['theirs']);
  });

  it('nothing replaces app authentication or an outbound header, whatever is on and however it is spelled', async () => {
    const document = {
      appAuth: { type: 'custom-headers', headers: [{ name: 'X-API-Key', value: 'stored' }, { name: 'Authorization', value: 'Bearer stored' }] },
      outboundHeaders: [{ name: 'X-User', source: { type: 'static', value: 'gateway' } }],
      headerPolicy: { mode: 'all', overwriteBaseHeaders: true },
    };
    const lines = ['X-API-Key: theirs', 'x_api_key: theirs', 'Authorization: Bearer theirs', 'X-Upstream-Authorization: Bearer theirs', 'X.User: theirs', 'X-USER: theirs'];
    expect(await leaving(await server(document), lines)).toEqual(['X-API-Key: stored', 'Authorization: Bearer stored', 'X-User: gateway']);
  });
});

describe('P18 X-Upstream-Authorization', () => {
  const lines = ['Authorization: Bearer callers', 'X-Upstream-Authorization: Bearer upstreams'];

  it.each([
    ['none', { type: 'none' }, ['Authorization: Bearer upstreams']],
    ['passthrough, where it wins over the caller’s Authorization', { type: 'passthrough' }, ['Authorization: Bearer upstreams']],
    ['a stored credential, in whatever place', { type: 'api-key', name: 'X-Key', in: 'header', value: 'k' }, ['X-Key: k']],
    ['a bearer token', { type: 'bearer', token: 'stored' }, ['Authorization: Bearer stored']],
  ])('with app authentication %s', async (_name, appAuth, expected) => {
    expect(await leaving(await server({ appAuth }), lines)).toEqual(expected);
  });

  it('not where an outbound header sets Authorization', async () => {
    const outboundHeaders = [{ name: 'Authorization', prefix: 'Bearer', source: { type: 'static', value: 'service' } }];
    expect(await leaving(await server({ outboundHeaders }), lines)).toEqual(['Authorization: Bearer service']);
  });
});

describe('P19 values are fit to leave or do not leave, and every drop can be seen', () => {
  it('by name and reason, never by value', async () => {
    const url = await server({ headerPolicy: { mode: 'all', maxValueBytes: 16 } });
    expect(await leaving(url, ['X-Good:  \t fits \t ', 'X-Long: 17-bytes-of-value', 'X-Empty:   ', 'Cookie: hidden=value'])).toEqual(['X-Good: fits']);
    const log = await vi.waitFor(async () => {
      const text = await readFile(join(gatehouse.dataDir, 'gatehouse.log'), 'utf8');
      for (const [name, reason] of [['X-Long', 'value_too_long'], ['X-Empty', 'empty_value'], ['Cookie', 'blocked']]) expect(text).toContain(`"name":"${name}","reason":"${reason}"`);
      return text;
    });
    expect(log).not.toMatch(/17-bytes-of-value|hidden=value/);
  });

  it('control characters and line breaks are refused before anything leaves', async () => {
    const url = await server({ headerPolicy: { mode: 'all' } });
    const before = upstream.requests.length;
    for (const value of ['a\u0001b', 'a\u0000b', 'a\rb', 'a\u007fb']) expect((await post(url, [`X-Bad: ${value}`])).status).toBe(400);
    expect(upstream.requests.length).toBe(before);
  });

  it('a singleton sent twice is refused', async () => {
    const reply = await post(await server({ appAuth: { type: 'passthrough' } }), ['Authorization: Bearer a', 'Authorization: Bearer b']);
    expect([reply.status, reply.body]).toEqual([400, expect.stringContaining('duplicate_header')]);
  });
});

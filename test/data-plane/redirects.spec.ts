import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { headerPairs, headerValue, type RecordedRequest, type RecordingHandler, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startUntouchedServer, type UntouchedServer } from '../support/untouched-server.ts';

/* D7 (docs/rules.md): same scheme, host, port and inside the base path is followed, anything else is not, and nothing of a request goes there. */

let upstream: RecordingUpstream;
let other: UntouchedServer;
let dataPlane: InProcessDataPlane;
const key = 'stored-k3y';
// Bytes that any re-encoding would change.
const call = '{ "jsonrpc":"2.0",\t"id":7, "method":"tools/call","params":{"name":"wörter","arguments":{"a":1.0,"b":"\\u00fc 🎈"}} }\n';
const answer = '{"jsonrpc":"2.0","id":7,"result":{}}';

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  other = await startUntouchedServer();
  // One connection: a place that is not given back would stop the next test.
  dataPlane = await startInProcessDataPlane({ GATEHOUSE_CONNECTIONS_PER_ORIGIN: '1', GATEHOUSE_RESPONSE_TIMEOUT_MS: '2000' });
  const target = { url: `${upstream.origin}/team/mcp` };
  await dataPlane.publish(
    { name: 'orders', upstream: target, appAuth: { type: 'bearer', token: key }, headerPolicy: { mode: 'all' } },
    { name: 'keyed', upstream: { url: `${upstream.origin}/team/mcp?tenant=1` }, appAuth: { type: 'api-key', name: 'key', in: 'query', value: key } },
    { name: 'legacy', upstream: { url: `${upstream.origin}/team/sse`, transport: 'sse' }, appAuth: { type: 'api-key', name: 'key', in: 'query', value: key } },
  );
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
  await other.close();
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.handle(redirectOnce(307, '/team/mcp/'));
});

interface Sent {
  server?: string;
  endpoint?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const post = ({ server = 'orders', endpoint = 'mcp', headers, signal }: Sent = {}): Promise<Response> =>
  fetch(`${dataPlane.url}/${endpoint}/default/${server}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: call, redirect: 'manual', ...(signal && { signal }) });

async function refusalOf(response: Response): Promise<{ code: unknown; origin: unknown; text: string }> {
  const text = await response.text();
  const { data } = (JSON.parse(text) as { error: { data: { code: string; redirectOrigin?: string } } }).error;
  expect([response.status, response.headers.get('location')]).toEqual([502, null]);
  return { code: data.code, origin: data.redirectOrigin, text };
}

/** Redirects the first request, and answers whatever comes after it. */
const redirectOnce = (status: number, location: string): RecordingHandler => (_request, response) => {
  if (upstream.requests.length > 1) return void response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  response.writeHead(status, { location }).end('moved');
};

const targets = (): string[] => upstream.requests.map(({ method, url }) => `${method} ${url}`);
const metric = async (name: string): Promise<number> => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(await (await fetch(`${dataPlane.internalUrl}/metrics`)).text())?.[1]);

describe('inside of the base path', () => {
  it.each([
    [307, '/team/mcp/', '/team/mcp/'],
    [308, '/team/mcp/v2/?x=%2F', '/team/mcp/v2/?x=%2F'],
    [307, '?page=2', '/team/mcp?page=2'],
    [308, 'mcp/../mcp/deeper', '/team/mcp/deeper'],
  ])('%i to %s is followed, with every byte and every header of the request', async (status, location, path) => {
    upstream.handle(redirectOnce(status, location));
    const response = await post({ headers: { 'X-Tenant': 'acme', authorization: 'Bearer of-the-caller' } });
    expect([response.status, await response.text()]).toEqual([200, answer]);
    expect(targets()).toEqual(['POST /team/mcp', `POST ${path}`]);
    const [first, second] = upstream.requests as [RecordedRequest, RecordedRequest];
    expect(second.rawHeaders).toEqual(first.rawHeaders);
    expect([headerValue(second, 'authorization'), headerValue(second, 'x-tenant'), headerValue(second, 'location')]).toEqual([`Bearer ${key}`, 'acme', undefined]);
    expect(headerPairs(second, 'referer')).toEqual([]);
    expect([first.body, second.body]).toEqual([Buffer.from(call), Buffer.from(call)]);
  });

  it('an absolute URL is the same as its path', async () => {
    upstream.handle(redirectOnce(307, `${upstream.origin.toUpperCase()}/team/mcp/x#part`));
    expect((await post()).status).toBe(200);
    expect(targets()).toEqual(['POST /team/mcp', 'POST /team/mcp/x']);
  });

  it.each([301, 302, 303])('%i does not make a GET of a POST', async (status) => {
    upstream.handle(redirectOnce(status, '/team/mcp/'));
    expect(await refusalOf(await post())).toMatchObject({ code: 'upstream_redirected', origin: upstream.origin });
    expect(targets()).toEqual(['POST /team/mcp']);
  });

  it('five are followed, six are not, a loop ends', async () => {
    const steps = (count: number): RecordingHandler => ({ url }, response) => {
      const step = Number(url.split('/').at(-1)) || 0;
      response.writeHead(step < count ? 307 : 200, { location: `/team/mcp/${step + 1}` }).end(answer);
    };
    upstream.handle(steps(5));
    expect((await post()).status).toBe(200);
    expect(targets().at(-1)).toBe('POST /team/mcp/5');
    upstream.handle(steps(6));
    expect(await refusalOf(await post())).toMatchObject({ code: 'upstream_redirected', origin: upstream.origin });
    expect(upstream.requests).toHaveLength(6 + 6);
    upstream.handle((_request, response) => void response.writeHead(308, { location: '/team/mcp' }).end());
    expect(await refusalOf(await post())).toMatchObject({ code: 'upstream_redirected' });
    expect(upstream.requests).toHaveLength(6 + 6 + 6);
  });

  it.each([
    ['lacks the key', '/team/mcp/?page=2'],
    ['has it', `/team/mcp/?key=${key}&page=2`],
    ['has it in another spelling', `/team/mcp/?page=2&k%65y=${key}`],
    ['has another', '/team/mcp/?key=another&page=2&key=third'],
  ])('a target that %s has the query key exactly once', async (_, location) => {
    upstream.handle(redirectOnce(307, location));
    expect((await post({ server: 'keyed' })).status).toBe(200);
    expect(targets()).toEqual([`POST /team/mcp?tenant=1&key=${key}`, `POST /team/mcp/?page=2&key=${key}`]);
  });

  it('an answer that is refused after a redirect is refused', async () => {
    upstream.handle((_request, response) => void (upstream.requests.length > 1 ? response.writeHead(401).end() : response.writeHead(307, { location: '/team/mcp/' }).end()));
    expect(await refusalOf(await post())).toMatchObject({ code: 'upstream_rejected_credentials', origin: undefined });
  });

  it('one that hangs after a redirect is not waited for any longer than another', async () => {
    upstream.handle((_request, response) => void (upstream.requests.length > 1 || response.writeHead(307, { location: '/team/mcp/' }).end()));
    const response = await post();
    expect([response.status, await response.text()]).toEqual([504, expect.stringContaining('upstream_timeout')]);
  });
});

describe('elsewhere', () => {
  const mark = '/opaque-path?opaque=query';
  const elsewhere: [string, () => string, (() => string | undefined)?][] = [
    ['another port', () => `${other.origin}/team/mcp/${mark}`],
    ['another name of the same address', () => `http://localhost:${upstream.port}/team/mcp/${mark}`],
    ['a sub-domain', () => `http://sub.localhost:${upstream.port}/team/mcp/${mark}`],
    ['another scheme', () => `https://127.0.0.1:${upstream.port}/team/mcp/${mark}`],
    ['another server without a scheme', () => `//127.0.0.1:${other.port}${mark}`],
    ['another server with back slashes', () => `\\\\127.0.0.1:${other.port}\\opaque-path`, () => other.origin],
    ['another server behind our name', () => `http://127.0.0.1:${upstream.port}@127.0.0.1:${other.port}${mark}`, () => other.origin],
    ['the metadata address', () => `http://169.254.169.254/latest/meta-data${mark}`],
    ['a path outside', () => mark],
    ['a path outside by dots', () => `/team/mcp/..${mark}`],
    ['a path that begins like ours', () => `/team/mcpx${mark}`],
    ['dots in disguise', () => `/team/mcp/%2e%2e%2fopaque-path`],
    ['our server with a password', () => `http://opaque:pass@127.0.0.1:${upstream.port}/team/mcp/`],
  ];

  it.each(elsewhere)('%s: not followed, whatever the status; its origin is named and no more', async (_, location, origin = () => new URL(location(), upstream.origin).origin) => {
    for (const status of [301, 302, 303, 307, 308]) {
      for (const server of ['orders', 'keyed']) {
        upstream.requests.length = 0;
        upstream.handle((_request, response) => void response.writeHead(status, { location: location() }).end('moved'));
        const refusal = await refusalOf(await post({ server, headers: { 'X-Tenant': 'acme' } }));
        expect(refusal).toMatchObject({ code: 'upstream_redirected', origin: origin() });
        expect(refusal.text).not.toMatch(/opaque|stored-k3y/);
        expect(upstream.requests).toHaveLength(1);
      }
    }
    expect(other.connections).toBe(0);
    expect(dataPlane.log.join('')).not.toMatch(/opaque|stored-k3y/);
  });

  it.each<[string, Record<string, string | string[]>]>([
    ['without a location', {}],
    ['with two', { location: ['/team/mcp/', '/team/mcp/'] }],
    ['with one that is none', { location: 'http://[nonsense' }],
    ['with a huge one', { location: `/team/mcp/${'x'.repeat(9_000)}` }],
  ])('a redirect %s leads nowhere', async (_, headers) => {
    upstream.handle((_request, response) => void response.writeHead(307, headers).end());
    expect(await refusalOf(await post())).toMatchObject({ code: 'upstream_redirected', origin: undefined });
    expect(upstream.requests).toHaveLength(1);
  });

  it('what is followed first goes no further than this', async () => {
    upstream.handle((_request, response) => void response.writeHead(307, { location: upstream.requests.length > 1 ? `${other.origin}/team/mcp` : '/team/mcp/' }).end());
    expect(await refusalOf(await post())).toMatchObject({ code: 'upstream_redirected', origin: other.origin });
    expect([upstream.requests.length, other.connections]).toEqual([2, 0]);
  });
});

describe('the redirect’s own body', () => {
  it.each<[string, (response: ServerResponse) => void]>([
    ['is long', (response) => void response.end(Buffer.alloc(1_000_000))],
    ['does not end', (response) => void response.write('moved')],
    ['breaks off', (response) => void response.write('moved', () => response.destroy())],
  ])('%s: it is not waited for, and its place is free', async (_, write) => {
    upstream.handle((request, response) => {
      if (upstream.requests.length > 1) return redirectOnce(307, '')(request, response);
      response.writeHead(307, { location: '/team/mcp/' });
      write(response);
    });
    expect((await post()).status).toBe(200);
    upstream.requests.length = 0;
    upstream.handle(redirectOnce(307, '/team/mcp/'));
    expect((await post()).status).toBe(200);
  });

  it('a caller that leaves meanwhile is not followed for', async () => {
    const leave = new AbortController();
    const closed = new Promise<void>((resolve) => {
      upstream.handle((_request, response) => {
        response.on('close', resolve).writeHead(307, { location: '/team/mcp/' }).write('moved', () => leave.abort());
      });
    });
    await expect(post({ signal: leave.signal })).rejects.toThrow();
    await closed;
    upstream.handle((_request, response) => void response.end(answer));
    expect((await post()).status).toBe(200);
    expect(targets()).toEqual(['POST /team/mcp', 'POST /team/mcp']);
  });
});

it('calls that are redirected one after the other and all at once have each its turn', async () => {
  upstream.handle(({ url }, response) => void response.writeHead(url === '/team/mcp' ? 307 : 200, { location: '/team/mcp/' }).end(answer));
  const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await post()).status));
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(upstream.requests).toHaveLength(40);
});

describe('streams', () => {
  /** Streams the answer to whatever ends with a slash. */
  const streamAt = (streams: ServerResponse[], endpoint?: string) => ({ method, url }: RecordedRequest, response: ServerResponse): void => {
    const [path = '', query] = url.split('?');
    if (!path.endsWith('/')) return void response.writeHead(method === 'GET' ? 302 : 307, { location: `${path}/${query === undefined ? '' : `?${query}`}` }).end();
    if (method === 'POST') return void response.writeHead(202).end('Accepted');
    streams.push(response.writeHead(200, { 'content-type': 'text/event-stream' }));
    response.write(endpoint === undefined ? 'data: first\n\n' : `event: endpoint\ndata: ${endpoint}\n\n`);
  };

  async function listen(path: string): Promise<{ answer: IncomingMessage; next: () => Promise<string> }> {
    const outgoing = httpRequest(`${dataPlane.url}${path}`, { headers: { accept: 'text/event-stream' } });
    outgoing.end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    answer.on('error', () => undefined);
    return { answer, next: async () => String(((await once(answer, 'data')) as [Buffer])[0]) };
  }

  it.each([301, 302, 303, 307, 308])('one that listens is followed after %i, and ends with its caller', async (status) => {
    const streams: ServerResponse[] = [];
    upstream.handle((request, response) => (request.url.endsWith('/') ? streamAt(streams)(request, response) : void response.writeHead(status, { location: '/team/mcp/' }).end()));
    const { answer, next } = await listen('/mcp/default/orders');
    expect(await next()).toBe('data: first\n\n');
    streams[0]?.write('data: second\n\n');
    expect(await next()).toBe('data: second\n\n');
    const closed = once(streams[0] as ServerResponse, 'close');
    answer.destroy();
    await closed;
    expect(targets()).toEqual(['GET /team/mcp', 'GET /team/mcp/']);
    await vi.waitFor(async () => expect(await metric('gatehouse_open_streams')).toBe(0));
  });

  it('HTTP+SSE: the stream and what is posted to it, each with the key', async () => {
    const streams: ServerResponse[] = [];
    upstream.handle(streamAt(streams, '/team/sse/messages?s=1'));
    const { answer, next } = await listen('/sse/default/legacy');
    const [, path = ''] = /data: (\S+)/.exec(await next()) ?? [];
    const posted = await fetch(new URL(path, dataPlane.url), { method: 'POST', headers: { 'content-type': 'application/json' }, body: call });
    expect(posted.status).toBe(202);
    expect(targets()).toEqual([
      `GET /team/sse?key=${key}`,
      `GET /team/sse/?key=${key}`,
      `POST /team/sse/messages?s=1&key=${key}`,
      `POST /team/sse/messages/?s=1&key=${key}`,
    ]);
    answer.destroy();
  });

  it('over a bridge too: a Streamable HTTP caller of an HTTP+SSE upstream', async () => {
    const streams: ServerResponse[] = [];
    upstream.handle((request, response) => {
      streamAt(streams, '/team/sse/messages?s=1')(request, response);
      const isMessage = request.method === 'POST' && request.url.startsWith('/team/sse/messages/');
      if (isMessage) streams[0]?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id: 0, result: { protocolVersion: '2024-11-05' } })}\n\n`);
    });
    const initialize = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize' });
    const response = await fetch(`${dataPlane.url}/mcp/default/legacy`, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }, body: initialize });
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('2024-11-05')]);
    expect(targets().at(-1)).toBe(`POST /team/sse/messages/?s=1&key=${key}`);
  });

  it('over a bridge too: out of scope is out of scope', async () => {
    upstream.handle((_request, response) => void response.writeHead(307, { location: `${other.origin}/team/sse` }).end());
    const initialize = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize' });
    const response = await fetch(`${dataPlane.url}/mcp/default/legacy`, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }, body: initialize });
    expect(await refusalOf(response)).toMatchObject({ code: 'upstream_redirected', origin: other.origin });
    expect(other.connections).toBe(0);
  });
});

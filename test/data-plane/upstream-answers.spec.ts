import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { type RecordingHandler, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
const call = JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'echo', arguments: {} } });

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane({ GATEHOUSE_KEEP_ALIVE_COMMENT_MS: '20' });
  await dataPlane.publish({
    name: 'orders',
    upstream: { url: upstream.url, timeouts: { responseSeconds: 0.3, streamIdleSeconds: 0.3 } },
    appAuth: { type: 'bearer', token: 'stored-token' },
  });
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});

const post = (): Promise<Response> => fetch(`${dataPlane.url}/mcp/default/orders`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: call, redirect: 'manual' });
const codeOf = async (response: Response): Promise<unknown> => ((await response.json()) as { error: { data: { code: string } } }).error.data.code;
const json = (extra: Record<string, string | string[]>): RecordingHandler => (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', ...extra });
  response.end('{"jsonrpc":"2.0","id":5,"result":{}}');
};

describe('what an upstream says of itself does not come back (D8)', () => {
  it.each([
    ['set-cookie', ['a=1', 'b=2']],
    ['access-control-allow-origin', '*'],
    ['access-control-allow-credentials', 'true'],
    ['strict-transport-security', 'max-age=1'],
    ['alt-svc', 'h3=":443"'],
    ['clear-site-data', '"*"'],
    ['www-authenticate', 'Bearer resource_metadata="https://evil.example/"'],
    ['keep-alive', 'timeout=1'],
    ['x-gatehouse-anything', 'x'],
  ])('%s', async (name, value) => {
    upstream.handle(json({ [name]: value }));
    const response = await post();
    expect(response.status).toBe(200);
    expect([...response.headers].filter(([, text]) => String(value).includes(text) && text !== '*')).toEqual([]);
    if (name !== 'keep-alive') expect(response.headers.has(name)).toBe(false);
  });

  it('nor what its Connection header nominates; the rest does', async () => {
    upstream.handle(json({ connection: 'x-hop, keep-alive', 'x-hop': '1', 'x-request-id': 'r1', 'cache-control': 'private' }));
    const { headers } = await post();
    expect([headers.get('x-hop'), headers.get('x-request-id'), headers.get('cache-control')]).toEqual([null, 'r1', 'private']);
  });
});

describe('an upstream that goes wrong', () => {
  it.each<[string, RecordingHandler, number, string]>([
    ['refuses the stored credential: not the caller’s 401', (_request, response) => void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end(), 502, 'upstream_rejected_credentials'],
    ['does not answer in time', () => undefined, 504, 'upstream_timeout'],
    ['hangs up', (_request, response) => void response.destroy(), 502, 'upstream_failed'],
    ['does not speak HTTP', (_request, response) => void response.socket?.end('hello\r\n\r\n'), 502, 'upstream_failed'],
  ])('%s', async (_name, handler, status, code) => {
    upstream.handle(handler);
    const before = upstream.requests.length;
    const response = await post();
    expect(response.status).toBe(status);
    expect(response.headers.get('www-authenticate')).toBeNull();
    expect(await codeOf(response)).toBe(code);
    // Nothing that may have had an effect is sent again (fault 14).
    expect(upstream.requests.length).toBe(before + 1);
  });

  it.each([301, 302, 303, 307, 308])('redirects with %i: not followed, nothing reaches the other origin (D7)', async (status) => {
    const other = await startRecordingUpstream();
    upstream.handle((_request, response) => void response.writeHead(status, { location: other.url }).end());
    const response = await post();
    expect([response.status, await codeOf(response)]).toEqual([502, 'upstream_redirected']);
    expect(response.headers.get('location')).toBeNull();
    expect(other.requests).toEqual([]);
    await other.close();
  });

  it.each([400, 403, 404, 409, 429, 500, 503])('answers %i: passed on as it is', async (status) => {
    upstream.handle((_request, response) => void response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '7' }).end('{"jsonrpc":"2.0","id":5,"error":{"code":-32601,"message":"no"}}'));
    const response = await post();
    expect([response.status, response.headers.get('retry-after'), await response.json()]).toEqual([status, '7', { jsonrpc: '2.0', id: 5, error: { code: -32601, message: 'no' } }]);
  });

  it('accepts and is silent, behind a line that went dead', async () => {
    const proxy = await startTcpProxy({ targetPort: upstream.port });
    await proxy.set({ mode: 'timeout' });
    await dataPlane.publish({ name: 'dead', upstream: { url: `http://127.0.0.1:${proxy.port}/mcp`, timeouts: { responseSeconds: 0.2 } } });
    const response = await fetch(`${dataPlane.url}/mcp/default/dead`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: call });
    expect([response.status, await codeOf(response)]).toEqual([504, 'upstream_timeout']);
    await proxy.close();
  });
});

/** A streamed answer, and the upstream's side of it. */
async function openStream(method: 'GET' | 'POST' = 'POST'): Promise<{ answer: IncomingMessage; write: (text: string) => void; end: () => void; destroy: () => void; closed: Promise<unknown> }> {
  const opened = new Promise<{ write: (text: string) => void; end: () => void; destroy: () => void; closed: Promise<unknown> }>((resolve) => {
    upstream.handle((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      resolve({ write: (text) => void response.write(text), end: () => void response.end(), destroy: () => void response.destroy(), closed: once(response, 'close') });
    });
  });
  const outgoing = httpRequest(`${dataPlane.url}/mcp/default/orders`, { method, headers: { accept: 'text/event-stream', ...(method === 'POST' && { 'content-type': 'application/json' }) } });
  outgoing.end(method === 'POST' ? call : undefined);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { answer, ...(await opened) };
}

const nextText = async (answer: IncomingMessage): Promise<string> => String(((await once(answer, 'data')) as [Buffer])[0]);
const event = (text: string): string => `event: message\ndata: ${text}\n\n`;

describe('an event stream', () => {
  it('is passed on piece by piece, not gathered', async () => {
    const { answer, write, end } = await openStream();
    expect(answer.headers['x-accel-buffering']).toBe('no');
    for (const text of ['one', 'two', 'three']) {
      const next = nextText(answer);
      write(event(text));
      expect(await next).toBe(event(text));
    }
    end();
    answer.resume();
    await once(answer, 'end');
  });

  it('says once that nobody may gather it, whatever the upstream says', async () => {
    upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' }).end('data: x\n\n'));
    const response = await post();
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    await response.body?.cancel();
  });

  it('gets comments while it is silent, never inside an event', async () => {
    const { answer, write, end } = await openStream('GET');
    expect(await nextText(answer)).toBe(': keep-alive\n\n');
    write('data: half of ');
    expect(await nextText(answer)).toBe('data: half of ');
    const rest = nextText(answer);
    await new Promise((resolve) => setTimeout(resolve, 80));
    write('an event\n\n');
    expect(await rest).toBe('an event\n\n');
    expect(await nextText(answer)).toBe(': keep-alive\n\n');
    end();
  });

  it('that only listens is not bound by the idle timeout', async () => {
    const { answer, write, end } = await openStream('GET');
    let text = '';
    answer.on('data', (chunk: Buffer) => (text += String(chunk)));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    write(event('late'));
    end();
    await once(answer, 'end');
    expect(text).toContain('late');
  });

  it('of an answer is ended when the upstream falls silent, and not as if it were whole', async () => {
    const { answer } = await openStream();
    answer.resume();
    const [error] = (await once(answer, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
  });

  it('that the upstream breaks off is not ended as if it were whole', async () => {
    const { answer, write, destroy } = await openStream();
    const first = nextText(answer);
    write(event('one'));
    await first;
    const failed = once(answer, 'error');
    destroy();
    await failed;
    expect(answer.complete).toBe(false);
  });

  it('is closed at the upstream when the caller goes away', async () => {
    const { answer, closed } = await openStream('GET');
    answer.destroy();
    await closed;
  });

  it('waits for a slow reader instead of filling memory', async () => {
    const total = 64 * 1024 * 1024;
    let sent = 0;
    upstream.handle((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      const piece = Buffer.alloc(64 * 1024, 1);
      const pump = (): void => {
        let wantsMore = true;
        while (sent < total && wantsMore) {
          wantsMore = response.write(piece);
          sent += piece.length;
        }
        if (sent < total) response.once('drain', pump);
        else response.end();
      };
      pump();
    });
    await dataPlane.publish({ name: 'patient', upstream: { url: upstream.url } });
    const outgoing = httpRequest(`${dataPlane.url}/mcp/default/patient`, { method: 'POST', headers: { 'content-type': 'application/json' } });
    outgoing.end(call);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    answer.pause();
    // The upstream stops once the buffers on the way are full, far from everything.
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(sent).toBeLessThan(total / 2);
    let received = 0;
    answer.on('data', (chunk: Buffer) => (received += chunk.length)).resume();
    await once(answer, 'end');
    expect(received).toBe(total);
  });
});

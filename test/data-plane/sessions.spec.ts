import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let ana: string;
let ben: string;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane();
  await dataPlane.publish(
    { name: 'orders', upstream: { url: upstream.url }, agentAuth: { type: 'api-key' } },
    { name: 'other', upstream: { url: upstream.url }, agentAuth: { type: 'api-key' } },
  );
  [ana, ben] = [await dataPlane.addServiceAccount('ana'), await dataPlane.addServiceAccount('ben')];
  upstream.handle(({ method, body }, response) => {
    const message = method === 'POST' ? (JSON.parse(body.toString()) as { id?: number; method?: string }) : {};
    const session = message.method === 'initialize' ? { 'mcp-session-id': 'upstream-session-1' } : {};
    response.writeHead(200, { 'content-type': 'application/json', ...session });
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id ?? null, result: {} }));
  });
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});

const send = (server: string, key: string | undefined, message: object | undefined, session?: string, method = 'POST', more: Record<string, string> = {}): Promise<Response> =>
  fetch(`${dataPlane.url}/mcp/default/${server}`, {
    method,
    headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }), ...(session && { 'mcp-session-id': session }), ...more },
    ...(message && { body: JSON.stringify(message) }),
  });
const initialize = async (key: string, server = 'orders'): Promise<string> =>
  (await send(server, key, { jsonrpc: '2.0', id: 0, method: 'initialize', params: {} })).headers.get('mcp-session-id') ?? '';
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

describe('a legacy session', () => {
  it('is known to the caller by a sealed id, to the upstream by its own', async () => {
    const session = await initialize(ana);
    expect(session).not.toContain('upstream-session-1');
    const seen = upstream.nextRequest();
    expect((await send('orders', ana, ping, session)).status).toBe(200);
    expect(headerValue(await seen, 'mcp-session-id')).toBe('upstream-session-1');
  });

  it('is ended at the upstream by DELETE', async () => {
    const session = await initialize(ana);
    const seen = upstream.nextRequest();
    await send('orders', ana, undefined, session, 'DELETE');
    const request = await seen;
    expect([request.method, headerValue(request, 'mcp-session-id')]).toEqual(['DELETE', 'upstream-session-1']);
  });

  it.each<[string, (session: string) => Promise<Response>]>([
    ['of another caller', (session) => send('orders', ben, ping, session)],
    ['of another server', (session) => send('other', ana, ping, session)],
    ['tampered with', (session) => send('orders', ana, ping, `${session.slice(0, 30)}${session[30] === 'A' ? 'B' : 'A'}${session.slice(31)}`)],
    ['of the upstream’s own making', () => send('orders', ana, ping, 'upstream-session-1')],
    ['on a GET of another caller', (session) => send('orders', ben, undefined, session, 'GET')],
  ])('is none when it is %s: 404, and nothing reaches the upstream', async (_name, use) => {
    const session = await initialize(ana);
    const before = upstream.requests.length;
    const response = await use(session);
    expect([response.status, ((await response.json()) as { error: { data: { code: string } } }).error.data.code]).toEqual([404, 'session_not_found']);
    expect(upstream.requests.length).toBe(before);
  });

  it('never authenticates: without a key it is 401', async () => {
    expect((await send('orders', undefined, ping, await initialize(ana))).status).toBe(401);
  });

  it('does not exist in the modern era: not passed on, not answered (MCP 2026-07-28)', async () => {
    const version = '2026-07-28';
    const message = { ...ping, method: 'tools/list', params: { _meta: { 'io.modelcontextprotocol/protocolVersion': version } } };
    upstream.requests.length = 0;
    const response = await send('orders', ana, message, 'whatever', 'POST', { 'mcp-protocol-version': version, 'mcp-method': 'tools/list' });
    expect([response.status, response.headers.get('mcp-session-id')]).toEqual([200, null]);
    expect(upstream.requests.map((request) => headerValue(request, 'mcp-session-id'))).toEqual([undefined]);
    for (const method of ['GET', 'DELETE']) expect((await send('orders', ana, undefined, undefined, method, { 'mcp-protocol-version': version })).status).toBe(405);
  });
});

describe('P34 a gateway-issued key', () => {
  it('lets its service account in, and never reaches the upstream', async () => {
    const seen = upstream.nextRequest();
    expect((await send('orders', ana, ping)).status).toBe(200);
    expect((await seen).rawHeaders.join('\n')).not.toContain(ana);
  });

  it.each<[string, string | undefined, string]>([
    ['missing', undefined, 'Bearer realm="gatehouse"'],
    ['wrong', 'gatehouse_0123456789abcdef_x', 'Bearer realm="gatehouse", error="invalid_token"'],
  ])('%s: 401 with a challenge (RFC 6750 section 3.1)', async (_name, key, challenge) => {
    const response = await send('orders', key, ping);
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, challenge]);
  });

  it('stops at once when its account is removed', async () => {
    const key = await dataPlane.addServiceAccount('gone');
    expect((await send('orders', key, ping)).status).toBe(200);
    await dataPlane.remove('account-gone');
    expect((await send('orders', key, ping)).status).toBe(401);
  });
});

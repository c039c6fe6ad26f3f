import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connected, dataPlaneUrl, resourceUrl, useAgents } from '../../apps/control-plane/src/spec-support/use-agents.ts';
import { logIn, publicOrigin } from '../../apps/control-plane/src/spec-support/use-login.ts';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

const shared = { GATEHOUSE_DATA_PLANE_TOKEN: 'data-plane-token-0123456789abcdefghij' };
const fixture = useAgents(shared);
let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  const { plane } = fixture;
  const key = Buffer.from(plane.environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '', 'base64');
  dataPlane = await startInProcessDataPlane({ ...shared, GATEHOUSE_INTERNAL_URL: plane.internalUrl, GATEHOUSE_DATA_PLANE_URL: dataPlaneUrl }, { key, channel: plane.channel });
});
afterAll(async () => {
  await dataPlane?.close();
  await upstream?.close();
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.handle(answerAsMcp);
});

const inWorkspace = '/v1/workspaces/default';
const send = async <Body = Record<string, unknown>>(method: string, path: string, body?: unknown) => fixture.plane.send<Body>(method, `${inWorkspace}${path}`, { ...(body !== undefined && { body }), headers: { 'If-Match': '*' } });
async function make(path: string, body: unknown): Promise<void> {
  const reply = await send('POST', path, body);
  expect(reply.status, reply.text).toBe(201);
}
const keyHeader = (name: string, scope: string, more: object = {}) => ({ name: 'X-Key', source: { type: 'credential', name, scope }, ...more });
const addServer = (name: string, outboundHeaders: unknown, more: object = {}) =>
  make('/servers', { name, type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' }, outboundHeaders, ...more });

const inspect = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'inspect', arguments: {} } };
const call = (server: string, authorization?: string): Promise<Response> =>
  fetch(`${dataPlane.url}/mcp/default/${server}`, {
    method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...(authorization !== undefined && { authorization }) }, body: JSON.stringify(inspect),
  });
/** Calls as someone, each with an agent of their own. */
async function tokenOf(login: 'ana' | 'ben', server: string): Promise<string> {
  const { tokens } = await connected(fixture, { login, overrides: { resource: resourceUrl(server) } });
  return `Bearer ${tokens.access_token}`;
}
const modern = (message: object, more: object = {}) => ({
  ...message,
  params: { name: 'inspect', arguments: {}, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } }, 'io.modelcontextprotocol/clientInfo': { name: 'spec', version: '1' } }, ...more },
});
const callModern = (server: string, authorization: string, more: object = {}): Promise<Response> =>
  fetch(`${dataPlane.url}/mcp/default/${server}`, {
    method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'inspect' },
    body: JSON.stringify(modern(inspect, more)),
  });
const linkIn = (text: string): string => /https:\/\/gatehouse\.example\/connect\?link=[\w-]+/.exec(text)?.[0] ?? `no link in ${text}`;

/** What the upstream sees of a call; or how it is refused. */
async function keySeen(server: string, authorization?: string): Promise<string | undefined> {
  upstream.requests.length = 0;
  const response = await call(server, authorization);
  const text = await response.text();
  const [request] = upstream.requests;
  return request === undefined ? /"code":"(\w+)"/.exec(text)?.[1] : headerValue(request, 'x-key');
}

describe('P11 a credential of the workspace, beside app authentication', () => {
  it('is sent by every server that names it, and changes on all of them at once', async () => {
    await make('/credentials', { name: 'search-key', scope: 'workspace', value: 'first-value' });
    await addServer('search', [keyHeader('search-key', 'workspace', { prefix: 'Key' })], { appAuth: { type: 'bearer', token: 'of-the-app' } });
    await addServer('other', [keyHeader('search-key', 'workspace')]);
    await vi.waitFor(async () => expect([await keySeen('search'), await keySeen('other')]).toEqual(['Key first-value', 'first-value']));
    await keySeen('search');
    expect(upstream.requests.map((request) => headerValue(request, 'authorization'))).toEqual(['Bearer of-the-app']);

    expect((await send('PATCH', '/credentials/search-key', { value: 'second-value' })).status).toBe(200);
    await vi.waitFor(async () => expect([await keySeen('search'), await keySeen('other')]).toEqual(['Key second-value', 'second-value']));
  });

  it('is nowhere to be read: not where servers are, nor in the channel', async () => {
    const texts = [(await send('GET', '/servers/search')).text, (await send('GET', '/credentials/search-key')).text];
    for (const text of texts) expect(text).not.toContain('second-value');
    const { index } = (await fixture.plane.channel.readIndex()) ?? { index: new Map<string, string>() };
    for (const { sealed } of await fixture.plane.channel.readDocuments([...index.keys()])) expect(sealed.toString('latin1')).not.toContain('second-value');
    const explained = await fixture.plane.send('POST', `${inWorkspace}/servers/search/explain`, { body: { request: { headers: [] } } });
    expect(explained.text).toContain('X-Key');
    expect(explained.text).not.toContain('second-value');
  });

  it('that is missing fails the call, where it is required, and is served from the moment that it is there', async () => {
    await addServer('early', [keyHeader('late-key', 'workspace')]);
    await addServer('optional', [keyHeader('late-key', 'workspace', { required: false })]);
    await vi.waitFor(async () => expect([await keySeen('early'), await keySeen('optional')]).toEqual(['credential_unavailable', undefined]));
    await make('/credentials', { name: 'late-key', scope: 'workspace', value: 'late-value' });
    await vi.waitFor(async () => expect([await keySeen('early'), await keySeen('optional')]).toEqual(['late-value', 'late-value']));
    expect((await send('PATCH', '/credentials/late-key', { value: null })).status).toBe(200);
    await vi.waitFor(async () => expect(await keySeen('early')).toBe('credential_unavailable'));
  });

  it('is not sent by a server that names it as each person’s own, nor that of another workspace', async () => {
    await fixture.plane.send('POST', '/v1/workspaces', { body: { name: 'sales' } });
    await fixture.plane.send('POST', '/v1/workspaces/sales/credentials', { body: { name: 'sales-key', scope: 'workspace', value: 'of-sales' } });
    await addServer('as-users', [keyHeader('search-key', 'user')]);
    await addServer('of-others', [keyHeader('sales-key', 'workspace')]);
    await vi.waitFor(async () => expect(await keySeen('of-others')).toBe('credential_unavailable'));
    expect(await keySeen('as-users')).not.toContain('value');
  });

  it('is not deleted while a server names it', async () => {
    expect(await send('DELETE', '/credentials/search-key')).toMatchObject({ status: 409, body: { errors: [{ code: 'credential_in_use', detail: 'is used by as-users, other, search' }] } });
  });
});

describe('P11 a credential of each person', () => {
  let anas: string;
  let bens: string;
  beforeAll(async () => {
    await make('/credentials', { name: 'tracker-token', title: 'tracker token', description: 'Profile → API tokens', scope: 'user' });
    await addServer('tracker', [keyHeader('tracker-token', 'user', { prefix: 'Token' })], { title: 'Tracker', agentAuth: { type: 'interactive' } });
    await vi.waitFor(async () => expect((await call('tracker')).status).toBe(401));
    [anas, bens] = [await tokenOf('ana', 'tracker'), await tokenOf('ben', 'tracker')];
  });

  it('is asked for by a link, entered there once, and then sent with that person’s calls only', async () => {
    const asked = await (await call('tracker', anas)).text();
    expect(asked).toContain('Enter your tracker token to go on.');
    expect(upstream.requests).toEqual([]);
    const browser = fixture.browser();
    await logIn(browser, 'ana');
    const page = await browser.open(linkIn(asked));
    expect(page.text).toContain('Profile → API tokens');
    const done = await browser.submit(page, { value: ' value-of-ana\n' });
    expect([done.status, done.url.origin, done.text]).toEqual([200, publicOrigin, expect.stringContaining('return to your chat')]);

    expect(await keySeen('tracker', anas)).toBe('Token value-of-ana');
    expect(await (await call('tracker', bens)).text()).toContain('Enter your tracker token to go on.');
    expect(upstream.requests).toHaveLength(1);
  });

  it('lets a call go on that waits for it', async () => {
    const asked = (await (await callModern('tracker', bens)).json()) as { result: { resultType: string; requestState: string; inputRequests: object } };
    expect(asked.result).toMatchObject({ resultType: 'input_required', inputRequests: { gatehouse_connect: { params: { mode: 'url', message: 'Enter your tracker token to go on.' } } } });
    const waiting = callModern('tracker', bens, { requestState: asked.result.requestState, inputResponses: { gatehouse_connect: { action: 'accept' } } });
    const browser = fixture.browser();
    await logIn(browser, 'ben');
    await browser.submit(await browser.open(linkIn(JSON.stringify(asked))), { value: 'value-of-ben' });
    expect((await waiting).status).toBe(200);
    expect(upstream.requests.map((request) => headerValue(request, 'x-key'))).toEqual(['Token value-of-ben']);
  });

  it('that is changed or deleted is used no more, from the next revision on', async () => {
    const browser = fixture.browser();
    await logIn(browser, 'ana');
    const own = async (method: string, body?: unknown) => {
      const headers = { Cookie: browser.cookieHeader(new URL(publicOrigin)), 'X-Gatehouse-CSRF': '1' };
      const { body: mine } = await fixture.plane.send<{ items: { id: string; name: string }[] }>('GET', '/v1/me/credentials', { authorization: undefined, headers });
      const id = mine.items.find(({ name }) => name === 'tracker-token')?.id ?? '';
      return fixture.plane.send(method, `/v1/me/credentials/${id}`, { authorization: undefined, headers, ...(body !== undefined && { body }) });
    };
    expect(await keySeen('tracker', anas)).toBe('Token value-of-ana');
    expect((await own('PUT', { value: 'another-of-ana' })).status).toBe(200);
    await vi.waitFor(async () => expect(await keySeen('tracker', anas)).toBe('Token another-of-ana'));
    expect((await own('DELETE')).status).toBe(204);
    await vi.waitFor(async () => expect(await (await call('tracker', anas)).text()).toContain('Enter your tracker token'));
    expect(await keySeen('tracker', bens)).toBe('Token value-of-ben');
    await own('PUT', { value: 'value-of-ana' });
    await vi.waitFor(async () => expect(await keySeen('tracker', anas)).toBe('Token value-of-ana'));
  });

  it('that the upstream does not take is asked for anew', async () => {
    upstream.handle((_request, response) => void response.writeHead(401).end('no'));
    const text = await (await call('tracker', anas)).text();
    expect(text).toContain('Your tracker token is not accepted: enter another one to go on.');
    expect(linkIn(text)).toContain('/connect?link=');
  });

  it('is not what an upstream means that wants more scopes: the call is not made again', async () => {
    const tokens = await startRecordingUpstream();
    tokens.handle((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ access_token: 'of-the-gateway', token_type: 'Bearer', expires_in: 600 })));
    const appAuth = { type: 'oauth-client-credentials', tokenUrl: tokens.url, clientId: 'gateway', clientSecret: 's' };
    await addServer('tracker-scoped', [keyHeader('tracker-token', 'user')], { agentAuth: { type: 'interactive' }, appAuth });
    await vi.waitFor(async () => expect((await call('tracker-scoped')).status).toBe(401));
    upstream.handle((_request, response) => void response.writeHead(403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="admin"' }).end('no'));
    await call('tracker-scoped', await tokenOf('ana', 'tracker-scoped'));
    expect(upstream.requests.map((request) => [headerValue(request, 'authorization'), headerValue(request, 'x-key')])).toEqual([['Bearer of-the-gateway', 'value-of-ana']]);
    await tokens.close();
  });

  it('is named, and nothing of it shown, when a request is explained', async () => {
    const explained = await fixture.plane.send<{ request: { headers: { name: string; value: string }[] }; credentials: unknown[] }>('POST', `${inWorkspace}/servers/tracker/explain`, { body: { request: { headers: [{ name: 'Authorization', value: anas }] } } });
    expect(explained.body.credentials).toEqual([{ source: 'outboundHeaders X-Key', location: { in: 'header', name: 'X-Key' }, wouldCall: 'the token broker, for what the caller has entered as tracker-token' }]);
    expect(explained.text).not.toContain('value-of-ana');
  });

  it('is left out where it is not required, and nobody is asked', async () => {
    await addServer('tracker-optional', [keyHeader('tracker-token', 'user', { required: false })], { agentAuth: { type: 'passthrough' } });
    await addServer('tracker-mine', [keyHeader('spare-token', 'user', { required: false })], { agentAuth: { type: 'interactive' } });
    await make('/credentials', { name: 'spare-token', scope: 'user' });
    await vi.waitFor(async () => expect((await call('tracker-optional')).status).toBe(200));
    expect(await keySeen('tracker-optional')).toBeUndefined();
    expect(upstream.requests).toHaveLength(1);
    const authorization = await tokenOf('ana', 'tracker-mine');
    expect(await keySeen('tracker-mine', authorization)).toBeUndefined();
    expect(upstream.requests).toHaveLength(1);
  });

  it('that was left out is sent as soon as it is entered, where it is needed', async () => {
    await addServer('spare-needed', [keyHeader('spare-token', 'user')], { agentAuth: { type: 'interactive' } });
    await vi.waitFor(async () => expect((await call('spare-needed')).status).toBe(401));
    const [optional, needed] = [await tokenOf('ana', 'tracker-mine'), await tokenOf('ana', 'spare-needed')];
    expect(await keySeen('tracker-mine', optional)).toBeUndefined();
    const browser = fixture.browser();
    await logIn(browser, 'ana');
    const page = await browser.open(linkIn(await (await call('spare-needed', needed)).text()));
    expect((await browser.submit(page, { value: 'spare-of-ana' })).status).toBe(200);
    expect(await keySeen('tracker-mine', optional)).toBe('spare-of-ana');
  });

  it('is nobody’s where callers are no people', async () => {
    await addServer('tracker-open', [keyHeader('tracker-token', 'user')], { agentAuth: { type: 'passthrough' } });
    await vi.waitFor(async () => expect(await keySeen('tracker-open')).toBe('connection_needs_person'));
  });
});

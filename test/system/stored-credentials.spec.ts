import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { dataPlaneUrl, useAgents } from '../../apps/control-plane/src/spec-support/use-agents.ts';
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

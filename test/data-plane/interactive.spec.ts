import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ana, ben, signAccessToken } from '../support/access-token.ts';
import { type InProcessDataPlane, type SpecServer, startInProcessDataPlane, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { startSampleUpstream, type SampleUpstream } from '../support/mcp-sample-upstream.ts';
import { sdkClients } from '../support/mcp-clients/sdk-clients.ts';
import { inspectorClients } from '../support/mcp-clients/inspector-clients.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

let upstream: RecordingUpstream;
let issuer: TokenIssuer;
let dataPlane: InProcessDataPlane;
const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'inspect', arguments: {} } });

beforeAll(async () => {
  [upstream, issuer, dataPlane] = await Promise.all([startRecordingUpstream(), startTokenIssuer(), startPublicDataPlane()]);
  await dataPlane.publishAuthorizationServer(issuer);
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close()]);
});
beforeEach(() => void (upstream.requests.length = 0));

const publish = (name: string, agentAuth: object = {}, more: Partial<SpecServer> = {}): Promise<void> =>
  dataPlane.publish({ name, upstream: { url: upstream.url }, agentAuth: { type: 'interactive', ...agentAuth }, ...more });
const urlOf = (name: string, form = 'mcp', workspace = 'default'): string => `${dataPlane.url}/${form}/${workspace}/${name}`;
const tokenFor = async (name: string, claims: object = {}, audience = urlOf(name)): Promise<string> => `Bearer ${await signAccessToken(issuer, audience, { ...claims })}`;
const post = (name: string, authorization?: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(urlOf(name), { method: 'POST', headers: { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }), ...headers }, body: call });
const codeOf = async (response: Response): Promise<unknown> => [response.status, ((await response.json()) as { error: { data: { code: string } } }).error.data.code];

describe('a person with a token', () => {
  it('is served, with the stored credential, and the token goes no further (D2)', async () => {
    await publish('orders', {}, { appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value: 'stored' } });
    const authorization = await tokenFor('orders');
    expect((await post('orders', authorization)).status).toBe(200);
    const sent = JSON.stringify(upstream.requests[0]?.rawHeaders);
    expect(sent).toContain('stored');
    expect(sent.toLowerCase()).not.toContain('authorization');
    expect(sent).not.toContain(authorization.slice(-40));
  });

  it('is in the log by id, and nothing of the token is', async () => {
    await publish('logged');
    const authorization = await tokenFor('logged');
    await post('logged', authorization);
    const log = dataPlane.log.join('\n');
    expect(log).toContain(`"caller":"person:${ana.sub}"`);
    for (const text of [ana.email, ana.grant, authorization.slice(-40)]) expect(log).not.toContain(text);
  });

  it('is not passed on even where app authentication is pass-through (D2)', async () => {
    await publish('through', {}, { appAuth: { type: 'passthrough' } });
    await post('through', await tokenFor('through'), { 'x-tenant': 'acme' });
    expect(JSON.stringify(upstream.requests[0]?.rawHeaders).toLowerCase()).toContain('x-tenant');
    expect(JSON.stringify(upstream.requests[0]?.rawHeaders).toLowerCase()).not.toContain('authorization');
  });

  it('may have it for either URL of the server', async () => {
    await publish('forms');
    for (const form of ['mcp', 'sse']) expect((await post('forms', await tokenFor('forms', {}, urlOf('forms', form)))).status).toBe(200);
  });

  it('owns the sessions it opens: nobody else does, with whatever token', async () => {
    await publish('sessions');
    upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's1' }).end('{}'));
    const session = (await post('sessions', await tokenFor('sessions'))).headers.get('mcp-session-id') ?? '';
    // After a refresh, or a new login: the same person.
    expect((await post('sessions', await tokenFor('sessions', { grant: 'another-grant' }), { 'mcp-session-id': session })).status).toBe(200);
    expect(await codeOf(await post('sessions', await tokenFor('sessions', ben), { 'mcp-session-id': session }))).toEqual([404, 'session_not_found']);
    expect((await post('sessions', undefined, { 'mcp-session-id': session })).status).toBe(401);
  });
});

describe('a token', () => {
  it('is good until its grant is revoked, which is one more revision, and other grants go on', async () => {
    await publish('revoking');
    const [first, second] = [await tokenFor('revoking'), await tokenFor('revoking', { grant: 'second-login' })];
    const statuses = async (): Promise<number[]> => [(await post('revoking', first)).status, (await post('revoking', second)).status];
    expect(await statuses()).toEqual([200, 200]);
    await dataPlane.publishAuthorizationServer(issuer, ['unrelated', ana.grant]);
    expect(await statuses()).toEqual([401, 200]);
    expect((await post('revoking', await tokenFor('revoking'))).headers.get('www-authenticate')).toContain('error="invalid_token", error_description="The token has been revoked."');
    await dataPlane.publishAuthorizationServer(issuer);
  });

  it('is refused once its key is withdrawn', async () => {
    await publish('rotating');
    const before = await tokenFor('rotating');
    expect((await post('rotating', before)).status).toBe(200);
    await issuer.rotate();
    await dataPlane.publishAuthorizationServer(issuer);
    expect((await post('rotating', before)).status).toBe(401);
    expect((await post('rotating', await tokenFor('rotating'))).status).toBe(200);
  });

  it('of another provider’s login is not what the server wants', async () => {
    await publish('provider', { identityProvider: 'corporate' });
    expect((await post('provider', await tokenFor('provider'))).status).toBe(200);
    const other = await post('provider', await tokenFor('provider', { idp: 'partners' }));
    expect([other.status, other.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('error="invalid_token"')]);
  });

  it('is good for another server’s configuration no longer than this one’s says', async () => {
    await publish('changing');
    const token = await tokenFor('changing');
    expect((await post('changing', token)).status).toBe(200);
    await publish('changing', { scopes: ['orders:read'] });
    expect((await post('changing', token)).status).toBe(403);
    await publish('changing', { type: 'api-key' });
    expect((await post('changing', token)).status).toBe(401);
  });
});

it('a data plane that was told of no authorization server lets nobody in, and says so', async () => {
  const alone = await startInProcessDataPlane();
  await alone.publish({ name: 'orders', upstream: { url: upstream.url }, agentAuth: { type: 'interactive' } });
  const token = `Bearer ${await signAccessToken(issuer, 'http://localhost:3001/mcp/default/orders')}`;
  const ask = (authorization?: string): Promise<Response> => fetch(`${alone.url}/mcp/default/orders`, { method: 'POST', headers: { 'content-type': 'application/json', ...(authorization && { authorization }) }, body: call });
  for (const authorization of [token, undefined]) expect(await codeOf(await ask(authorization))).toEqual([503, 'caller_keys_unavailable']);
  expect((await fetch(`${alone.url}/.well-known/oauth-protected-resource/mcp/default/orders`)).status).toBe(503);
  await alone.publishAuthorizationServer(issuer);
  expect((await ask(token)).status).toBe(200);
  await alone.close();
});

describe('every client, once it has a token', () => {
  let sample: SampleUpstream;
  beforeAll(async () => {
    sample = await startSampleUpstream();
    await dataPlane.publish({ name: 'sample', upstream: { url: sample.url }, agentAuth: { type: 'interactive' } });
  });
  afterAll(() => sample.close());

  it.each([...sdkClients, ...inspectorClients])('$name', { timeout: 60_000 }, async (client) => {
    const url = urlOf('sample', client.endpoint);
    const authorization = await tokenFor('sample', {}, url);
    expect(await client.callTool({ url, headers: { Authorization: authorization } }, 'echo', { text: 'hello' })).toBe('hello');
  });
});

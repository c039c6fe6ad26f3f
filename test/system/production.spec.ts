import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AlternatingProxy, startAlternatingProxy } from '../support/alternating-proxy.ts';
import { type FleetBehindNginx, startFleetBehindNginx } from '../support/fleet-behind-nginx.ts';
import { textOf } from '../support/mcp-clients/mcp-client.ts';
import { sdkClients } from '../support/mcp-clients/sdk-clients.ts';
import { startSampleSseUpstream } from '../support/mcp-sample-sse-upstream.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/mcp-sample-upstream.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { rollUnderLoad } from '../support/rolling-restarts.ts';
import { steadyKinds } from '../support/steady-callers.ts';

/* All processes of production on this machine: Postgres, Redis, the migration, two control planes, two data planes, and nginx as docker-compose.yml has it. */

const clientInfo = { name: 'gatehouse-production', version: '1.0.0' };
const patience = { timeout: 30_000, interval: 50 };
/** Without a program of its own, which would have to start each time. */
const clients = sdkClients.filter(({ name }) => name.startsWith('SDK'));

let fleet: FleetBehindNginx;
let proxy: AlternatingProxy;
let mcp: SampleUpstream;
let sse: SampleUpstream;
let api: RecordingUpstream;

beforeAll(async () => {
  [fleet, proxy, mcp, sse, api] = await Promise.all([startFleetBehindNginx(), startAlternatingProxy(), startSampleUpstream(), startSampleSseUpstream(), startRecordingUpstream()]);
  api.handle((_request, response) => void response.end('pets'));
  const appAuth = { type: 'api-key', name: 'X-API-Key', in: 'header', value: 'stored-key' };
  for (const document of [
    { name: 'orders', type: 'mcp', upstream: { url: mcp.url }, appAuth },
    { name: 'legacy-orders', type: 'mcp', upstream: { url: sse.url, transport: 'sse' }, appAuth },
    { name: 'pets', type: 'api', upstream: { url: api.origin }, appAuth, tools: { operations: [{ name: 'ping', method: 'GET', path: '/ping' }] } },
    { name: 'guarded', type: 'mcp', upstream: { url: mcp.url }, agentAuth: { type: 'interactive' } },
  ]) {
    const { status, body } = await fleet.admin.post('/v1/workspaces/default/servers', { agentAuth: { type: 'passthrough' }, ...document });
    expect([status, body]).toEqual([201, expect.anything()]);
  }
  for (const { name, process } of fleet.dataPlanes) {
    proxy.targets.set(name, process.dataPlaneUrl);
    await vi.waitFor(async () => expect((await fetch(`${process.dataPlaneUrl}/mcp/default/guarded`, { method: 'POST' })).status).toBe(401), patience);
  }
});
afterAll(async () => {
  await fleet?.close();
  await Promise.all([proxy?.close(), mcp?.close(), sse?.close(), api?.close()]);
});

const serverAt = (url: string, endpoint: 'mcp' | 'sse'): string => `${url}/${endpoint}/default/${endpoint === 'mcp' ? 'orders' : 'legacy-orders'}`;

// In this order: what is killed below is back behind the ingress afterwards.
describe('the shape of production, through its ingress', () => {
  it.each(clients)('$name calls a tool', async ({ endpoint, callTool }) => {
    expect(JSON.parse(await callTool({ url: serverAt(fleet.url, endpoint), headers: {} }, 'whoami', {}))).toMatchObject({ 'x-api-key': 'stored-key' });
  });

  it('an API is called directly', async () => {
    const answer = await fetch(`${fleet.url}/api/default/pets/v1/pets%2F1?limit=2`, { method: 'PUT', body: 'a body' });
    expect([answer.status, await answer.text()]).toEqual([200, 'pets']);
    expect(api.requests.at(-1)).toMatchObject({ method: 'PUT', url: '/v1/pets%2F1?limit=2', body: Buffer.from('a body') });
  });

  it('a client without a token finds out where it gets one', async () => {
    const challenge = (await fetch(serverAt(fleet.url, 'mcp').replace('orders', 'guarded'), { method: 'POST' })).headers.get('www-authenticate') ?? '';
    const metadataUrl = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? '';
    expect(metadataUrl).toBe(`${fleet.url}/.well-known/oauth-protected-resource/mcp/default/guarded`);
    const { authorization_servers: issuers } = (await (await fetch(metadataUrl)).json()) as { authorization_servers: string[] };
    expect(issuers).toEqual([fleet.url]);
    expect(await (await fetch(`${issuers[0]}/.well-known/oauth-authorization-server`)).json()).toMatchObject({ issuer: fleet.url, token_endpoint: `${fleet.url}/oauth/token` });
  });

  it('configuration is read and written by REST, and every data plane says that it serves it', async () => {
    expect((await fleet.admin.patch('/v1/workspaces/default/servers/orders', { title: 'Orders' }, { 'if-match': '*' })).status).toBe(200);
    expect((await fleet.admin.get<{ title: string }>('/v1/workspaces/default/servers/orders')).body.title).toBe('Orders');
    await vi.waitFor(async () => {
      const { body } = await fleet.admin.get<{ items: { id: string; drift: boolean }[] }>('/v1/data-planes');
      expect(body.items.map(({ id, drift }) => [id, drift]).sort()).toEqual(fleet.dataPlanes.map(({ name }) => [name, false]));
    }, patience);
  });
});

describe('P31 any replica serves any request: each goes to another one than the one before', () => {
  it.each(clients)('$name, $revision', async ({ endpoint, listTools, callTool }) => {
    for (const { name } of fleet.dataPlanes) {
      proxy.requests.length = 0;
      proxy.beginWith(name);
      const target = { url: serverAt(proxy.url, endpoint), headers: {} };
      expect(await listTools(target)).toEqual(['echo', 'whoami', 'slow']);
      for (const text of ['one', 'two']) expect(await callTool(target, 'echo', { text })).toBe(text);
      const posts = proxy.requests.filter(({ method }) => method === 'POST').map(({ target: replica }) => replica);
      expect(new Set(posts)).toEqual(new Set(fleet.dataPlanes.map((replica) => replica.name)));
    }
  });
});

describe('one replica of each plane is killed', () => {
  it('whoever is connected goes on, with the same session, and so does configuration', async () => {
    const legacy = new Client(clientInfo);
    await legacy.connect(new StreamableHTTPClientTransport(new URL(serverAt(fleet.url, 'mcp'))));
    const modern = new ModernClient(clientInfo, { versionNegotiation: { mode: 'auto' } });
    await modern.connect(new ModernTransport(new URL(serverAt(fleet.url, 'mcp'))));
    const everyoneCalls = async (text: string): Promise<void> => {
      for (const client of [legacy, modern]) expect(textOf(await client.callTool({ name: 'echo', arguments: { text } }))).toBe(text);
    };
    await everyoneCalls('before');
    const [dataPlane, controlPlane] = [fleet.dataPlanes[0], fleet.controlPlanes[0]];
    await Promise.all([dataPlane?.process.kill9(), controlPlane?.process.kill9()]);
    // A call that is sent in the moment of the death may be lost with it; then the ingress knows.
    await vi.waitFor(() => everyoneCalls('after'), patience);
    for (let call = 0; call < 10; call += 1) await everyoneCalls(`after ${call}`);
    await vi.waitFor(async () => expect((await fleet.admin.patch('/v1/workspaces/default/servers/orders', { title: 'Others' }, { 'if-match': '*' })).status).toBe(200), patience);
    expect((await fleet.admin.get<{ title: string }>('/v1/workspaces/default/servers/orders')).body.title).toBe('Others');
    await Promise.all([legacy.close(), modern.close()]);
    for (const replica of [dataPlane, controlPlane]) if (replica) await fleet.startAgain(replica);
  });
});

describe('replicas are replaced, one after the other', () => {
  // The long form: npm run faults.
  it('nothing is reset, and no call fails: neither on connections that are kept, nor in the middle of a stream or a body', async () => {
    const { done, failures } = await rollUnderLoad(fleet, 2);
    expect(failures).toEqual([]);
    for (const kind of steadyKinds) expect([kind, done[kind] > 0]).toEqual([kind, true]);
  }, 120_000);
});

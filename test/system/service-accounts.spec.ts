import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCanaries } from '../support/canary.ts';
import { inspectorClients } from '../support/mcp-clients/inspector-clients.ts';
import { sdkClients } from '../support/mcp-clients/sdk-clients.ts';
import { startSampleUpstream, type SampleUpstream } from '../support/mcp-sample-upstream.ts';
import { startUp, type RunningGatehouse } from '../support/start-up.ts';

interface Issued {
  readonly id: string;
  readonly key: string;
}

let gatehouse: RunningGatehouse;
let upstream: SampleUpstream;
let url: string;
let nightly: Issued;
let weekly: Issued;
const accounts = '/v1/workspaces/default/service-accounts';

beforeAll(async () => {
  [gatehouse, upstream] = await Promise.all([startUp(), startSampleUpstream()]);
  const issue = async (name: string): Promise<Issued> => (await gatehouse.admin.post<Issued>(accounts, { name })).body;
  [nightly, weekly] = [await issue('nightly'), await issue('weekly')];
  const server = {
    name: 'orders', type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'api-key' }, access: { allow: [{ serviceAccount: 'nightly' }], tools: { deny: ['slow'] } },
    outboundHeaders: [{ name: 'X-Caller', source: { type: 'caller-identity', claim: 'name' } }],
  };
  url = (await gatehouse.addServer(server)).mcp;
});
afterAll(() => Promise.all([gatehouse?.close(), upstream?.close()]));

const initialize = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'job', version: '1' } } });
const ask = (headers: Record<string, string>): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...headers }, body: initialize });
const codeOf = async (response: Response): Promise<unknown> => [response.status, ((await response.json()) as { error: { data: { code: string } } }).error.data.code];

const programs = [...sdkClients, ...inspectorClients].filter(({ endpoint }) => endpoint === 'mcp');

describe.each(programs)('P34 $name, in a job of CI, with a key that the gateway issued', ({ callTool, listTools }) => {
  it.each([['Authorization', 'Bearer '], ['X-Gatehouse-Key', '']])('as %s', async (header, prefix) => {
    upstream.log.headers.length = 0;
    const target = { url, headers: { [header]: prefix + nightly.key } };
    expect(JSON.parse(await callTool(target, 'whoami', {}))).toMatchObject({ 'x-caller': 'nightly' });
    expect(findCanaries(JSON.stringify(upstream.log.headers), [nightly.key])).toEqual([]);
  });

  it('lists what it may call', async () => expect(await listTools({ url, headers: { 'X-Gatehouse-Key': nightly.key } })).toEqual(['echo', 'whoami']));
});

describe('P34 a job', () => {
  it('without a key is refused, and sent to no browser', async () => {
    for (const headers of [{}, { Authorization: 'Bearer gatehouse_0123456789abcdef_x' }]) {
      const response = await ask(headers);
      expect(response.headers.get('www-authenticate')).not.toContain('resource_metadata');
      expect(await codeOf(response)).toEqual([401, 'unauthenticated']);
    }
  });

  it('with the key of another account is refused where that may not call', async () =>
    expect(await codeOf(await ask({ 'X-Gatehouse-Key': weekly.key }))).toEqual([403, 'forbidden']));

  it('goes on with a new key, and the old one stops', async () => {
    const { body } = await gatehouse.admin.post<Issued>(`${accounts}/${nightly.id}/rotate-key`);
    while ((await ask({ 'X-Gatehouse-Key': body.key })).status !== 200) await pause(10);
    expect(await codeOf(await ask({ 'X-Gatehouse-Key': nightly.key }))).toEqual([401, 'unauthenticated']);
  });

  it('ends with its account', async () => {
    const { body: issued } = await gatehouse.admin.post<Issued>(`${accounts}/${nightly.id}/rotate-key`);
    while ((await ask({ 'X-Gatehouse-Key': issued.key })).status !== 200) await pause(10);
    const { headers } = await gatehouse.admin.get(`${accounts}/${nightly.id}`);
    expect((await gatehouse.admin.delete(`${accounts}/${nightly.id}`, { 'If-Match': headers.get('etag') ?? '' })).status).toBe(204);
    while ((await ask({ 'X-Gatehouse-Key': issued.key })).status === 200) await pause(10);
    expect(await codeOf(await ask({ 'X-Gatehouse-Key': issued.key }))).toEqual([401, 'unauthenticated']);
  });
});

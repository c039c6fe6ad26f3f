import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCanaries, makeCanary } from '../support/canary.ts';
import { inspectorClients } from '../support/mcp-clients/inspector-clients.ts';
import type { Target } from '../support/mcp-clients/mcp-client.ts';
import { sdkClients } from '../support/mcp-clients/sdk-clients.ts';
import { startSampleSseUpstream } from '../support/mcp-sample-sse-upstream.ts';
import { startSampleUpstream, type SampleUpstream } from '../support/mcp-sample-upstream.ts';
import { startUp, type RunningGatehouse } from '../support/start-up.ts';

/** `MCP_CLIENTS_DIRECT=1` leaves the gateway out, to tell a client's fault from the gateway's. */
const isDirect = process.env['MCP_CLIENTS_DIRECT'] === '1';

const storedKey = makeCanary('stored-key');
const callerHeaders = { 'X-Marked': makeCanary('caller-header'), 'X-Api-Key': makeCanary('caller-key') };
const upstreams = {} as Record<'mcp' | 'sse', SampleUpstream>;
const urls = {} as Record<'mcp' | 'sse', string>;
let gatehouse: RunningGatehouse | undefined;

beforeAll(async () => {
  upstreams.mcp = await startSampleUpstream();
  upstreams.sse = await startSampleSseUpstream();
  urls.mcp = upstreams.mcp.url;
  urls.sse = upstreams.sse.url;
  if (isDirect) return;
  gatehouse = await startUp();
  const common = {
    type: 'mcp',
    agentAuth: { type: 'passthrough' },
    appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value: storedKey },
  };
  const orders = { ...common, name: 'orders', upstream: { url: upstreams.mcp.url, transport: 'streamable-http' } };
  const legacy = { ...common, name: 'legacy-orders', upstream: { url: upstreams.sse.url, transport: 'sse' } };
  urls.mcp = (await gatehouse.addServer(orders)).mcp;
  urls.sse = (await gatehouse.addServer(legacy)).sse;
});

afterAll(async () => {
  await gatehouse?.close();
  await Promise.all(Object.values(upstreams).map((upstream) => upstream.close()));
});

describe.each([...sdkClients, ...inspectorClients])('$name', ({ endpoint, revision, listTools, callTool }) => {
  const target = (): Target => ({ url: urls[endpoint], headers: callerHeaders });

  it('lists the upstream’s tools', async () => {
    expect(await listTools(target())).toEqual(['echo', 'whoami', 'slow']);
  });

  it('calls a tool with its argument', async () => {
    const text = 'grüße, Welt';
    expect(await callTool(target(), 'echo', { text })).toBe(text);
  });

  it(`speaks ${revision} with the upstream`, async () => {
    const { headers } = upstreams[endpoint].log;
    headers.length = 0;
    await callTool(target(), 'whoami', {});
    expect(new Set(headers.map((seen) => seen['mcp-protocol-version']))).toContain(revision);
  });

  if (isDirect) {
    it('sends the caller’s headers', async () => {
      expect(JSON.parse(await callTool(target(), 'whoami', {}))).toMatchObject({
        'x-marked': callerHeaders['X-Marked'],
        'x-api-key': callerHeaders['X-Api-Key'],
      });
    });
  } else {
    it('reaches the upstream with the stored key and nothing of the caller’s', async () => {
      const { headers } = upstreams[endpoint].log;
      headers.length = 0;
      expect(JSON.parse(await callTool(target(), 'whoami', {}))).toMatchObject({ 'x-api-key': storedKey });
      expect(headers.map((seen) => seen['x-api-key'])).toEqual(headers.map(() => storedKey));
      expect(findCanaries(JSON.stringify(headers), Object.values(callerHeaders))).toEqual([]);
    });
  }
});

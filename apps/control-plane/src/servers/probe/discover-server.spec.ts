import { Secret } from '@gatehouse/sealing';
import { afterEach, describe, expect, it } from 'vitest';
import { startSampleSseUpstream } from '../../../../../test/support/mcp-sample-sse-upstream.ts';
import { startSampleUpstream } from '../../../../../test/support/mcp-sample-upstream.ts';
import { headerPairs, startRecordingUpstream } from '../../../../../test/support/recording-upstream.ts';
import { discoverServer } from './discover-server.ts';
import { apiKey, apiKeyValue, impatient, localOnly, serverAt } from './probe.fixture.ts';
import { discovery } from './probe-results.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

interface Call {
  readonly id?: number;
  readonly method: string;
  readonly params?: { cursor?: string };
}

/** A modern upstream that answers lists as it is told; `undefined` hangs. */
async function upstreamListing(list: (call: Call) => object | undefined, capabilities: object = { tools: {} }): Promise<string> {
  const upstream = await startRecordingUpstream({
    handler: (request, response) => {
      const call = JSON.parse(request.body.toString()) as Call;
      const basics = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
      const answer = call.method === 'server/discover' ? { result: { supportedVersions: ['2026-07-28'], capabilities, instructions: `Use ${apiKeyValue}.` } } : list(call);
      if (!answer) return;
      const body = 'error' in answer ? answer : { result: { ...basics, ...(answer as { result: object }).result } };
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: call.id, ...body }));
    },
  });
  cleanUps.push(() => upstream.close());
  return upstream.url;
}

const tool = (name: string, description = '') => ({ name, description, inputSchema: { type: 'object' } });

it('gives what a modern upstream offers', async () => {
  const upstream = await startSampleUpstream();
  cleanUps.push(() => upstream.close());
  const found = await discoverServer(serverAt(upstream.url), localOnly);
  expect(found).toMatchObject({ protocolVersion: '2026-07-28', era: 'modern', serverInfo: { name: 'gatehouse-sample-upstream' }, truncated: false, resources: [], prompts: [] });
  expect(found.tools.map(({ name }) => name)).toEqual(['echo', 'whoami', 'slow']);
  expect(found.tools[0]).toMatchObject({ description: expect.any(String) as unknown, inputSchema: { type: 'object', required: ['text'] } });
  expect(discovery.safeParse(JSON.parse(JSON.stringify(found))).success).toBe(true);
});

it('gives what a legacy upstream offers over HTTP+SSE', async () => {
  const upstream = await startSampleSseUpstream();
  cleanUps.push(() => upstream.close());
  const found = await discoverServer(serverAt(upstream.url, apiKey(), 'sse'), localOnly);
  expect(found).toMatchObject({ protocolVersion: '2025-11-25', era: 'legacy' });
  expect(found.tools).toHaveLength(3);
});

describe('follows pages', () => {
  const endless = ({ params }: Call): object => ({ result: { tools: [tool(`t${params?.cursor ?? 0}`, 'x'.repeat(1_000))], nextCursor: String(Number(params?.cursor ?? 0) + 1) } });

  it('to the end', async () => {
    const url = await upstreamListing(({ params }) => ({ result: params?.cursor ? { tools: [tool('b')] } : { tools: [tool('a')], nextCursor: 'next' } }));
    expect(await discoverServer(serverAt(url), localOnly)).toMatchObject({ tools: [{ name: 'a' }, { name: 'b' }], truncated: false });
  });

  it.each([
    ['so many items', { maxItems: 5 }, 5],
    ['so many bytes', { maxBytes: 4_000 }, 3],
  ])('up to %s', async (_, limits, count) => {
    const found = await discoverServer(serverAt(await upstreamListing(endless)), { ...localOnly, limits });
    expect([found.tools.length, found.truncated]).toEqual([count, true]);
  });

  it('no further than a cursor that comes again, a page that fails, or one that hangs', async () => {
    const again = await upstreamListing(() => ({ result: { tools: [tool('a')], nextCursor: 'same' } }));
    expect(await discoverServer(serverAt(again), localOnly)).toMatchObject({ truncated: true });
    const failing = await upstreamListing(({ params }) => (params?.cursor ? { error: { code: -32603, message: 'no' } } : endless({ method: '' })));
    expect(await discoverServer(serverAt(failing), localOnly)).toMatchObject({ tools: [{ name: 't0' }], truncated: true });
    const hanging = await upstreamListing(({ params }) => (params?.cursor ? undefined : endless({ method: '' })));
    expect(await discoverServer(serverAt(hanging), impatient)).toMatchObject({ tools: [{ name: 't0' }], truncated: true });
  });
});

it('takes a list that the upstream does not know for empty', async () => {
  const url = await upstreamListing(({ method }) => (method === 'tools/list' ? { result: { tools: [tool('a')] } } : { error: { code: -32601, message: 'Method not found' } }), { tools: {}, resources: {}, prompts: {} });
  expect(await discoverServer(serverAt(url), localOnly)).toMatchObject({ tools: [{ name: 'a' }], resources: [], resourceTemplates: [], prompts: [], truncated: false });
});

it('hides secrets wherever the upstream repeats them', async () => {
  const url = await upstreamListing(() => ({ result: { tools: [{ ...tool(`call-${apiKeyValue}`, apiKeyValue), inputSchema: { type: 'object', properties: { [apiKeyValue]: { default: apiKeyValue } } } }] } }));
  const found = await discoverServer(serverAt(url, apiKey()), localOnly);
  expect(found.instructions).toBe('Use [secret].');
  expect(JSON.stringify(found)).not.toContain(apiKeyValue);
});

describe('fails with the reason of the step', () => {
  it.each([
    ['refused credentials', 401, {}, 'upstream_rejected_credentials', '/appAuth'],
    ['a redirect', 302, { Location: 'https://elsewhere.example/login?token=1' }, 'upstream_redirected', '/upstream/url'],
    ['a web page', 200, { 'Content-Type': 'text/html' }, 'upstream_not_mcp', '/upstream/url'],
  ])('%s', async (_, status, headers, code, pointer) => {
    const upstream = await startRecordingUpstream({ handler: (_request, response) => void response.writeHead(status, headers).end('<html></html>') });
    cleanUps.push(() => upstream.close());
    await expect(discoverServer(serverAt(upstream.url, apiKey()), localOnly)).rejects.toMatchObject({ code, problems: [{ pointer, code }] });
  });

  it('a refused outbound header, where nothing else is sent', async () => {
    const upstream = await startRecordingUpstream({ handler: (_request, response) => void response.writeHead(401).end() });
    cleanUps.push(() => upstream.close());
    const server = { ...serverAt(upstream.url), outboundHeaders: [{ name: 'X-Service-Key', source: { type: 'static' as const, value: new Secret('of-the-service') } }] };
    await expect(discoverServer(server, localOnly)).rejects.toMatchObject({ code: 'upstream_rejected_credentials', problems: [{ pointer: '/outboundHeaders' }] });
    expect(upstream.requests.map((request) => headerPairs(request, 'x-service-key'))).toEqual([[['X-Service-Key', 'of-the-service']]]);
  });

  it('a first page that fails is no empty list', async () => {
    const url = await upstreamListing(() => ({ error: { code: -32603, message: 'the token has expired' } }));
    await expect(discoverServer(serverAt(url), localOnly)).rejects.toMatchObject({ code: 'upstream_failed' });
  });

  it('a refused address, a name that does not resolve', async () => {
    await expect(discoverServer(serverAt('http://10.0.0.1/mcp'), localOnly)).rejects.toMatchObject({ code: 'upstream_address_refused' });
    await expect(discoverServer(serverAt('http://nowhere.invalid/mcp'), localOnly)).rejects.toMatchObject({ code: 'upstream_unreachable' });
  });
});

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DemoUpstream, startDemoUpstream } from './demo-upstream.ts';

const key = 'demo_0123456789abcdef';
let upstream: DemoUpstream;
beforeAll(async () => {
  upstream = await startDemoUpstream({ key });
});
afterAll(() => upstream.close());

it.each(['legacy', 'auto'] as const)('serves its tools to a client of the %s era', async (mode) => {
  const client = new Client({ name: 'spec', version: '1.0.0' }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(upstream.url), { requestInit: { headers: { 'X-Api-Key': key, 'X-Tenant': 'acme' } } }));
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['whoami', 'add', 'echo']);
  expect(await client.callTool({ name: 'add', arguments: { a: 2, b: 40 } })).toMatchObject({ structuredContent: { sum: 42 } });
  const whoami = await client.callTool({ name: 'whoami' });
  expect(whoami.structuredContent).toMatchObject({ storedKey: { header: 'X-Api-Key', lastCharacters: 'cdef' }, callerHeaders: expect.arrayContaining(['x-tenant']) as string[] });
  expect(JSON.stringify(whoami)).not.toContain(key);
  await client.close();
});

it('serves the same as a REST API', async () => {
  const url = new URL('/api/add?a=1&b=2', upstream.url);
  expect(await (await fetch(url, { headers: { 'X-Api-Key': key } })).json()).toEqual({ sum: 3 });
});

it.each([undefined, 'demo_wrong'])('refuses everything with the key %s', async (wrong) => {
  for (const path of ['/mcp', '/api/whoami', '/']) {
    const response = await fetch(new URL(path, upstream.url), { headers: wrong === undefined ? {} : { 'X-Api-Key': wrong } });
    expect(response.status).toBe(401);
  }
});

it('takes another port when the preferred one is in use', async () => {
  const taken = Number(new URL(upstream.url).port);
  const second = await startDemoUpstream({ key, preferredPort: taken });
  expect(second.url).not.toBe(upstream.url);
  await second.close();
});

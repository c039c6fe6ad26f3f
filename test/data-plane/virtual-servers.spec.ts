import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { textOf } from '../support/mcp-clients/mcp-client.ts';
import { startSampleSseUpstream } from '../support/mcp-sample-sse-upstream.ts';
import type { SampleUpstream } from '../support/mcp-sample-upstream.ts';
import { type MemberUpstream, startMemberUpstream } from '../support/virtual-members.ts';

let legacy: MemberUpstream;
let modern: MemberUpstream;
let both: MemberUpstream;
let sse: SampleUpstream;
let dataPlane: InProcessDataPlane;
let key: string;

beforeAll(async () => {
  [legacy, modern, both, sse] = await Promise.all([
    startMemberUpstream('legacy', { only: 'legacy', tools: ['echo', 'old'] }),
    startMemberUpstream('modern', { only: 'modern', tools: ['echo', 'new'] }),
    startMemberUpstream('both', { tools: ['echo', 'old', 'any'] }),
    startSampleSseUpstream(),
  ]);
  dataPlane = await startInProcessDataPlane();
  key = await dataPlane.addServiceAccount('ana');
  const agentAuth = { type: 'api-key' } as const;
  await dataPlane.publish(
    { name: 'legacy', upstream: { url: legacy.url }, agentAuth, appAuth: { type: 'api-key', name: 'X-Key', in: 'header', value: 'of-legacy' } },
    { name: 'modern', upstream: { url: modern.url }, agentAuth, appAuth: { type: 'api-key', name: 'X-Key', in: 'header', value: 'of-modern' } },
    { name: 'both', upstream: { url: both.url }, agentAuth },
    { name: 'sse', upstream: { url: sse.url, transport: 'sse' }, agentAuth },
    {
      name: 'all', type: 'virtual', agentAuth,
      members: [
        { server: 'legacy', prefix: 'l_' },
        { server: 'modern', prefix: 'm_', rename: { new: 'brand_new' } },
        { server: 'both', tools: ['echo', 'any'] },
        { server: 'sse', prefix: 's_' },
      ],
    },
    { name: 'mixed', type: 'virtual', agentAuth, members: [{ server: 'legacy' }, { server: 'both' }, { server: 'modern' }] },
  );
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([legacy, modern, both, sse].map((upstream) => upstream.close()));
});

type AnyClient = Client | ModernClient;

const headers = (): { headers: Record<string, string> } => ({ headers: { authorization: `Bearer ${key}` } });
const clientInfo = { name: 'spec', version: '1.0.0' };

async function connect(era: 'legacy' | 'modern', server: string): Promise<AnyClient> {
  const url = new URL(`${dataPlane.url}/mcp/default/${server}`);
  if (era === 'legacy') {
    const client = new Client(clientInfo);
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: headers() }));
    return client;
  }
  const client = new ModernClient(clientInfo, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new ModernTransport(url, { requestInit: headers() }));
  return client;
}

async function using<T>(era: 'legacy' | 'modern', server: string, use: (client: AnyClient) => Promise<T>): Promise<T> {
  const client = await connect(era, server);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

const call = async (client: AnyClient, name: string, text = 'hi'): Promise<string> => textOf(await client.callTool({ name, arguments: { text } }));

describe.each(['legacy', 'modern'] as const)('P32 a virtual server of members of all eras, for a client of the %s one', (era) => {
  it('lists the tools of all, by the names that they have there', async () => {
    const names = await using(era, 'all', async (client) => (await client.listTools()).tools.map(({ name }) => name));
    expect(names).toEqual(['l_echo', 'l_old', 'm_echo', 'brand_new', 'echo', 'any', 's_echo', 's_whoami', 's_slow']);
  });

  it('calls each at its member, with that member’s own credential', async () => {
    await using(era, 'all', async (client) => {
      expect(await call(client, 'l_echo')).toBe('legacy echo hi of-legacy');
      expect(await call(client, 'm_echo')).toBe('modern echo hi of-modern');
      expect(await call(client, 'brand_new')).toBe('modern new hi of-modern');
      expect(await call(client, 'any')).toBe('both any hi');
      expect(await call(client, 's_echo')).toBe('hi');
    });
  });

  it('calls nothing that is not listed', async () => {
    await using(era, 'all', async (client) => {
      for (const name of ['old', 'm_new', 'new', 'l_', 'nothing']) await expect(client.callTool({ name, arguments: {} }).then((result) => (result.isError === true ? Promise.reject(new Error('is an error')) : result))).rejects.toThrow();
    });
  });

  it('of two with the same name the first has it, in lists and in calls', async () => {
    await using(era, 'mixed', async (client) => {
      const { tools, _meta } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(['echo', 'old', 'any', 'new']);
      expect(_meta?.['gatehouse/shadowed']).toEqual([{ server: 'both', name: 'echo' }, { server: 'both', name: 'old' }, { server: 'modern', name: 'echo' }]);
      expect(await call(client, 'echo')).toBe('legacy echo hi of-legacy');
      expect(await call(client, 'any')).toBe('both any hi');
      expect(await call(client, 'new')).toBe('modern new hi of-modern');
    });
  });

  it('has prompts and resources of each', async () => {
    await using(era, 'all', async (client) => {
      expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['l_review', 'm_review', 'review']);
      const { messages } = await client.getPrompt({ name: 'm_review' });
      expect(messages.map(({ content }) => content)).toEqual([{ type: 'text', text: 'review by modern' }]);
      expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual(['about://legacy', 'about://modern', 'about://both']);
      for (const [uri, text] of [['about://both', 'about both'], ['about://legacy', 'about legacy'], ['item://modern/7', 'modern 7']] as const) {
        expect((await client.readResource({ uri })).contents).toEqual([expect.objectContaining({ uri, text })]);
      }
      await expect(client.readResource({ uri: 'item://nobody/7' })).rejects.toThrow();
    });
  });

  it('says what its members say', async () => {
    await using(era, 'all', (client) => {
      expect(client.getServerCapabilities()).toMatchObject({ tools: { listChanged: true }, prompts: {}, resources: {} });
      expect(client.getInstructions()).toContain('modern: Use modern well.');
      expect(client.getServerVersion()).toMatchObject({ name: 'all' });
      return Promise.resolve();
    });
  });
});

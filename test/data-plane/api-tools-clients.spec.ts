import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiOperation } from '@gatehouse/api-tools';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { inspectorClients } from '../support/mcp-clients/inspector-clients.ts';
import { sdkClients } from '../support/mcp-clients/sdk-clients.ts';
import { answerAsPets, petsOperations } from '../support/pets-api.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* P31, P32: the programs that people use call an API's tools, with nothing but the URL and a key. */

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let headers: Record<string, string>;

const many = Array.from({ length: 2_500 }, (_, index): ApiOperation => ({ name: `tool_${index}`, method: 'GET', path: `/tools/${index}`, parameters: [], accept: '*/*', inputSchema: { type: 'object' }, annotations: {} }));

beforeAll(async () => {
  [upstream, dataPlane] = await Promise.all([startRecordingUpstream({ handler: answerAsPets }), startInProcessDataPlane()]);
  const server = { type: 'api', upstream: { url: `${upstream.origin}/v1` }, agentAuth: { type: 'api-key' }, appAuth: { type: 'bearer', token: 'stored' } } as const;
  await dataPlane.publish(
    { ...server, name: 'pets', tools: { operations: petsOperations } },
    { ...server, name: 'many', tools: { operations: many } },
    { ...server, name: 'few-of-many', tools: { operations: many }, access: { tools: { allow: ['*_1*'], deny: ['*7*'] } } },
  );
  headers = { authorization: `Bearer ${await dataPlane.addServiceAccount('ci')}` };
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});

const clients = [...sdkClients, ...inspectorClients].filter(({ endpoint }) => endpoint === 'mcp');
it.each(clients.map((client) => [client.name, client] as const))('%s', async (_name, client) => {
  const target = { url: `${dataPlane.url}/mcp/default/pets`, headers };
  expect(await client.listTools(target)).toEqual(petsOperations.map(({ name }) => name));
  upstream.requests.length = 0;
  expect(await client.callTool(target, 'getPet', { petId: 'wörter' })).toBe('{"id":"w%C3%B6rter","name":"Rex"}');
  expect(upstream.requests.map((request) => [request.method, request.url, headerValue(request, 'authorization')])).toEqual([['GET', '/v1/pets/w%C3%B6rter', 'Bearer stored']]);
  expect(await client.callTool(target, 'getPet', {}).catch(String)).toContain('petId');
});

describe('a list of thousands', () => {
  const pages = async (list: (cursor?: string) => Promise<{ tools: { name: string }[]; nextCursor?: string | undefined }>): Promise<string[][]> => {
    const found: string[][] = [];
    let cursor: string | undefined;
    do {
      const { tools, nextCursor } = await list(cursor);
      found.push(tools.map(({ name }) => name));
      cursor = nextCursor;
    } while (cursor !== undefined);
    return found;
  };
  const listWith = {
    'SDK 1.32': async (url: URL) => {
      const client = new Client({ name: 'spec', version: '1' });
      await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
      return pages((cursor) => client.listTools({ ...(cursor !== undefined && { cursor }) })).finally(() => client.close());
    },
    'SDK 2.4': async (url: URL) => {
      const client = new ModernClient({ name: 'spec', version: '1' }, { versionNegotiation: { mode: 'auto' } });
      await client.connect(new ModernTransport(url, { requestInit: { headers } }));
      return pages((cursor) => client.listTools({ ...(cursor !== undefined && { cursor }) })).finally(() => client.close());
    },
  };

  it.each(Object.entries(listWith))('%s', async (_name, list) => {
    const found = await list(new URL(`${dataPlane.url}/mcp/default/many`));
    expect(found.flat()).toEqual(many.map(({ name }) => name));
  });

  it('a page has a thousand; of what may not be called there is none', async () => {
    expect((await listWith['SDK 1.32'](new URL(`${dataPlane.url}/mcp/default/many`))).map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
    const allowed = many.map(({ name }) => name).filter((name) => name.includes('_1') && !name.includes('7'));
    expect((await listWith['SDK 1.32'](new URL(`${dataPlane.url}/mcp/default/few-of-many`))).flat()).toEqual(allowed);
  });

  it('a cursor of other tools is none', async () => {
    const list = async (server: string, cursor?: string): Promise<{ result?: { nextCursor?: string }; error?: { code: number } }> =>
      (await fetch(`${dataPlane.url}/mcp/default/${server}`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { cursor } }) })).json() as never;
    const { result } = await list('many');
    expect((await list('many', result?.nextCursor)).result).toBeDefined();
    for (const [server, cursor] of [['pets', result?.nextCursor], ['many', 'x'], ['many', `${result?.nextCursor}1`]] as const) expect((await list(server, cursor)).error?.code).toBe(-32602);
  });
});

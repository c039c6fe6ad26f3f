import { readWrittenOperations } from '@gatehouse/api-tools';
import { completeServer, noGlobalPolicy, type ServerDocument } from '@gatehouse/gateway-config';
import { Secret } from '@gatehouse/sealing';
import { prepareServer } from '@gatehouse/upstream-request';
import { expect, it } from 'vitest';
import { someone } from './caller-authentication.ts';
import { explainRequest } from './explain-request.ts';

const operations = readWrittenOperations([
  { name: 'show', method: 'GET', path: '/pets/{id}', parameters: [{ name: 'id', in: 'path', required: true }, { name: 'X-Detail', in: 'header' }] },
  { name: 'make', method: 'POST', path: '/pets', body: { schema: { type: 'object', properties: { name: { type: 'string' } } } } },
  { name: 'drop', method: 'DELETE', path: '/pets' },
]);
const server = prepareServer('1', 'default', completeServer.parse({
  name: 'pets', type: 'api', upstream: { url: 'https://pets.example/v1' }, agentAuth: { type: 'passthrough' }, access: { tools: { deny: ['drop'] } },
  appAuth: { type: 'api-key', name: 'X-Key', in: 'header', value: new Secret('key-of-the-pets') }, tools: { operations },
} satisfies ServerDocument));

const explain = (params: object, method = 'tools/call') =>
  explainRequest(server, noGlobalPolicy, { method: 'POST', path: '/mcp/default/pets', rows: [], body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) }, () => Promise.resolve(someone));
const shown = async (params: object, method?: string) => {
  const { method: sent, path, tool, headers } = await explain(params, method);
  return [tool, sent, path, headers.map(({ name }) => name.toLowerCase()).toSorted()];
};

it('of a tool’s call it is the request of its operation that is explained', async () => {
  expect(await shown({ name: 'show', arguments: { id: 'a/b', 'X-Detail': 'all' } })).toEqual(['show', 'GET', '/v1/pets/a%2Fb', ['accept', 'accept-encoding', 'user-agent', 'x-detail', 'x-key']]);
  expect(await shown({ name: 'make', arguments: { name: 'Rex' } })).toEqual(['make', 'POST', '/v1/pets', ['accept', 'accept-encoding', 'content-type', 'user-agent', 'x-key']]);
});

it.each([
  ['a tool that there is none of', { name: 'other', arguments: {} }],
  ['one that may not be called', { name: 'drop' }],
  ['arguments that do not fit', { name: 'show', arguments: {} }],
  ['arguments that are none', { name: 'show', arguments: [] }],
])('%s is no request of a tool', async (_name, params) => {
  expect((await shown(params))[0]).toBeUndefined();
});

it('a list is no request of a tool', async () => {
  expect((await shown({}, 'tools/list'))[0]).toBeUndefined();
});

import { GatewayError } from '@gatehouse/errors';
import { expect, test } from 'vitest';
import { buildApiRequest } from './request/build-api-request.ts';
import { readWrittenOperations, type WrittenOperation, writtenOperation } from './written-operations.ts';

const find: WrittenOperation = { name: 'find', method: 'GET', path: '/orders/{id}', parameters: [{ name: 'id', in: 'path' }, { name: 'tags', in: 'query', explode: false, schema: { type: 'array', items: { type: 'string' } } }] };
const add: WrittenOperation = { name: 'add', title: 'Add', method: 'POST', path: '/orders', body: { schema: { type: 'object', required: ['sku'], properties: { sku: { type: 'string' } } } }, output: { properties: { id: {} } } };

test('they become tools as those of a document do', () => {
  const [first, second] = readWrittenOperations([find, add].map((written) => writtenOperation.parse(written)));
  expect(buildApiRequest(first ?? expect.fail(), { id: 'a/b', tags: ['x', 'y'] }, new URL('https://api.example/v1'))).toMatchObject({ method: 'GET', path: '/v1/orders/a%2Fb?tags=x,y' });
  expect(buildApiRequest(second ?? expect.fail(), { sku: '1' }, new URL('https://api.example'))).toMatchObject({ method: 'POST', path: '/orders', body: '{"sku":"1"}' });
  expect(second).toMatchObject({ title: 'Add', inputSchema: { required: ['sku'] }, outputSchema: { type: 'object' } });
});

test.each<[string, WrittenOperation[], string[]]>([
  ['a name twice', [find, { ...add, name: 'find' }], ['/1/name']],
  ['a path that leads elsewhere', [{ ...find, path: '/../{id}' }], ['/0']],
  ['a header that no caller may set', [{ ...add, parameters: [{ name: 'Cookie', in: 'header' }] }], ['/0']],
  ['a parameter that its path has and nobody declares', [add, { ...find, parameters: [] }], ['/1']],
  ['a reference to elsewhere', [{ ...add, body: { schema: { $ref: 'https://evil.example' } } }], ['/0']],
])('refused whole: %s', (_what, written, pointers) => {
  let found: unknown;
  try {
    readWrittenOperations(written);
  } catch (error) {
    found = error instanceof GatewayError && error.problems.map(({ pointer }) => pointer);
  }
  expect(found).toEqual(pointers);
});

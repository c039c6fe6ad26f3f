import { GatewayError } from '@gatehouse/errors';
import { describe, expect, test } from 'vitest';
import { validateArguments } from '../arguments/validate-arguments.ts';
import { readApiDocument } from '../read-api-document.ts';
import { importOpenApi } from './import-openapi.ts';

const document = (schemas: Record<string, unknown>, schema: unknown = { $ref: '#/components/schemas/A' }) => ({
  openapi: '3.1.0',
  info: {},
  paths: { '/x': { post: { operationId: 'x', requestBody: { required: true, content: { 'application/json': { schema } } }, responses: { '200': { content: { 'application/json': { schema } } } } } } },
  components: { schemas },
});
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const series = (count: number, of: (index: number) => unknown): Record<string, unknown> => Object.fromEntries(Array.from({ length: count }, (_, index) => [index === 0 ? 'A' : `A${index}`, of(index)]));
const sizeOf = (value: unknown): number => JSON.stringify(value).length;

function nested(depth: number, inner: unknown, wrap: (value: unknown) => unknown): unknown {
  let value = inner;
  for (let level = 0; level < depth; level += 1) value = wrap(value);
  return value;
}

const deepArguments = nested(90, 1, (value) => ({ a: value })) as Record<string, unknown>;

// Each of them has to end, with tools of bounded size or without; what it is then is of no matter.
describe.each<[string, unknown]>([
  ['a schema that is itself', document({ A: ref('A') })],
  ['two that are each other', document({ A: ref('B'), B: ref('A') })],
  ['an allOf of itself', document({ A: { allOf: [ref('A'), { properties: { a: ref('A') } }] } })],
  ['an allOf in a circle', document({ A: { allOf: [ref('B')] }, B: { allOf: [ref('C'), ref('A')] }, C: { allOf: [ref('A'), ref('B')] } })],
  ['an allOf that doubles with each step', document(series(40, (index) => ({ allOf: [ref(`A${index + 1}`), ref(`A${index + 1}`)] })), ref('A'))],
  ['properties that double with each step', document({ ...series(40, (index) => ({ type: 'object', properties: { a: ref(`A${index + 1}`), b: ref(`A${index + 1}`) } })), A40: { type: 'string' } })],
  ['alternatives that double with each step', document({ ...series(40, (index) => ({ anyOf: [{ properties: { a: ref(`A${index + 1}`) } }, { properties: { a: ref(`A${index + 1}`) } }] })), A40: { type: 'string' } })],
  ['alternatives that double with each level of the arguments', document({ A: { anyOf: [{ required: ['x'], properties: { a: ref('A') } }, { required: ['y'], properties: { a: ref('A') } }] } })],
  ['a chain of 5,000 references', document({ ...series(5_000, (index) => ref(`A${index + 1}`)), A5000: { type: 'object', properties: { a: {} } } })],
  ['a chain of 5,000 members', document({ ...series(5_000, (index) => ({ type: 'object', properties: { a: ref(`A${index + 1}`) } })), A5000: { type: 'string' } })],
  ['a schema nested 150 deep', document({ A: nested(90, { type: 'string' }, (value) => ({ type: 'object', properties: { a: value } })) })],
  ['members by names that every object has', document({ A: JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"},"toString":{"type":"string"}},"required":["__proto__"]}') as unknown })],
  ['paths and operations by such names', JSON.parse('{"openapi":"3.1.0","paths":{"__proto__":{"get":{}},"/x":{"__proto__":{},"get":{"operationId":"__proto__","parameters":[{"name":"__proto__","in":"path"}]}}}}') as unknown],
  ['keywords of every wrong kind', document({ A: { type: 'any', properties: [], required: 'a', minLength: -1, enum: [], items: 5, allOf: {}, anyOf: [], pattern: '(', multipleOf: 0, maximum: '1', $ref: 5, additionalProperties: 'no' } })],
  ['a pattern that takes exponential time', document({ A: { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' }, b: { type: 'string', pattern: '(?=(a+)+b)\\1' } } } })],
  ['10,000 members', document({ A: { type: 'object', properties: Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`p${index}`, { type: 'string' }])) } })],
  ['operations that are everything but operations', { openapi: '3.1.0', paths: { '/a': { get: [], post: null, put: 1, parameters: 'x' }, '/b': { get: { parameters: { a: 1 }, requestBody: [], responses: 'x', servers: 3, operationId: {} } } }, servers: {}, components: [], security: 5, info: 'x' }],
])('%s', (_what, hostile) => {
  test('ends', { timeout: 60_000 }, () => {
    const { operations } = importOpenApi(hostile);
    for (const operation of operations) {
      expect(sizeOf(operation)).toBeLessThan(1_000_000);
      const validate = validateArguments(operation);
      for (const args of [{}, deepArguments, { body: deepArguments }, { a: 'a'.repeat(50_000) + '!', b: 'a'.repeat(50_000) }]) expect(Array.isArray(validate(args))).toBe(true);
    }
  });
});

const problemsOf = (act: () => unknown): (string | undefined)[] => {
  try {
    act();
  } catch (error) {
    if (error instanceof GatewayError) return error.problems.map(({ code, pointer }) => `${code} ${pointer.slice(0, 12)}`);
    throw error;
  }
  return [];
};

test.each<[string, () => string, string]>([
  ['21 MiB', () => ' '.repeat(21 * 1024 * 1024), 'too_large '],
  ['1,000,000 open brackets', () => '['.repeat(1_000_000), 'unreadable '],
  ['100,000 levels of JSON', () => `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'too_deep /a/0/0/0/0/0'],
  ['100,000 levels of YAML', () => Array.from({ length: 2_000 }, (_, index) => `${' '.repeat(index)}a:`).join('\n'), 'unreadable '],
  ['aliases that multiply', () => `a0: &a0 [x]\n${Array.from({ length: 40 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}, *a${index}]`).join('\n')}\n`, 'too_large '],
  ['an alias of itself', () => 'a: &a [*a]', 'too_deep /a/0/0/0/0/0'],
  ['neither JSON nor YAML', () => '{"a": [}', 'unreadable '],
  ['text', () => 'hello', 'not_an_object '],
  ['nothing', () => '', 'unreadable '],
])('no document: %s', (_what, text, problem) => {
  expect(problemsOf(() => readApiDocument(text()))).toEqual([problem]);
});

test('a code tag of YAML runs nothing', () => {
  expect(problemsOf(() => readApiDocument('a: !!js/function "function () { throw 1 }"'))).toEqual(['unreadable ']);
});

test('10,000 operations are as many tools', { timeout: 20_000 }, () => {
  const paths = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`/p${index}/{id}`, { get: { operationId: 'same', parameters: [{ name: 'id', in: 'path', required: true, schema: ref('A') }], responses: {} } }]));
  const { operations } = importOpenApi({ ...document({ A: { type: 'string' } }), paths });
  expect(operations).toHaveLength(10_000);
  expect(new Set(operations.map(({ name }) => name)).size).toBe(10_000);
});

test('10,000 operations that all have one large schema are no more than a server can have', { timeout: 30_000 }, () => {
  const large = { type: 'object', properties: Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`p${index}`, { type: 'string', description: 'x'.repeat(200) }])) };
  const paths = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`/p${index}`, { $ref: '#/x-shared' }]));
  const shared = { post: { requestBody: { content: { 'application/json': { schema: large } } }, responses: {} } };
  const { operations, leftOut } = importOpenApi({ ...document({}), paths, 'x-shared': shared });
  expect(sizeOf(operations)).toBeLessThan(80_000_000);
  expect(operations.length + leftOut.length).toBe(10_000);
});

test('Swagger 2.0 of every wrong kind is refused or read, and nothing else', () => {
  for (const paths of [null, [], 5, { '/x': null }, { '/x': { get: null } }, { '/x': { get: { parameters: [null, 5, { in: 'body' }, { $ref: '#/nowhere' }, { in: 'formData', type: 'file' }] } } }, { '/x': { post: { parameters: 'a', responses: [], consumes: {} } } }]) {
    try {
      expect(importOpenApi({ swagger: '2.0', paths, definitions: { A: { $ref: '#/definitions/A' } } }).operations.length).toBeLessThan(2);
    } catch (error) {
      expect(error).toBeInstanceOf(GatewayError);
    }
  }
});

test('an encoding keeps nothing busy, and no URL of a server grows', { timeout: 30_000 }, () => {
  const body = { content: { 'multipart/form-data': { schema: { type: 'object', properties: { f: { type: 'string' } } }, encoding: { f: { contentType: `a${';b'.repeat(5_000)},` } } }, [`application/${'a+'.repeat(500_000)}`]: {} } };
  const variables = { v: { default: 'x'.repeat(1_000_000), enum: ['y'.repeat(1_000_000)] } };
  const servers = [{ url: '{v}'.repeat(680), variables }, { url: 'https://{v}.example', variables }];
  const imported = importOpenApi({ openapi: '3.1.0', info: {}, servers, paths: { '/x': { post: { operationId: 'x', requestBody: body } } } });
  expect(imported.operations).toHaveLength(1);
  expect(imported.servers).toHaveLength(1);
  expect(sizeOf(imported)).toBeLessThan(10_000);
});

test('a long pointer is not repeated with whatever refers to it', () => {
  const key = 'k'.repeat(300_000);
  const paths = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`/p${index}`, { $ref: `#/components/pathItems/${key}` }]));
  expect(sizeOf(importOpenApi({ openapi: '3.1.0', info: {}, paths, components: { pathItems: { [key]: { head: {} } } } }))).toBeLessThan(5_000_000);
});

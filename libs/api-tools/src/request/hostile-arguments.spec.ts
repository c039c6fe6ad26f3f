import { expect, test } from 'vitest';
import { apiOperation, type ApiParameter } from '../api-operation.ts';
import { ArgumentError } from '../argument-error.ts';
import { buildApiRequest } from './build-api-request.ts';
import { fileValue } from './file-value.ts';
import { operationWith } from '../spec-support/operation-with.ts';

const base = new URL('https://api.example/v1/');
const inPath: ApiParameter = { argument: 'id', name: 'id', in: 'path', required: true, style: 'simple', explode: false };
const inHeader: ApiParameter = { argument: 'tag', name: 'X-Tag', in: 'header', required: false, style: 'simple', explode: false };

const problemsOf = (build: () => unknown): readonly string[] => {
  try {
    build();
  } catch (error) {
    if (error instanceof ArgumentError) return error.problems.map(({ pointer }) => pointer);
    throw error;
  }
  return [];
};

const deep = (depth: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
};

test.each<[unknown]>([['..'], ['.'], [''], ['../admin'], ['a/../../admin'], ['a/..'], ['..\\admin'], ['%2e%2e'], ['%2E%2E%2Fadmin'], ['%252e%252e%252fadmin'], ['a/%2e%2e/b'], [['a', '..']], ['\ud800'], [null], [undefined], [[]]])(
  'no path is made of %j',
  (id) => {
    expect(problemsOf(() => buildApiRequest(operationWith({ path: '/users/{id}/posts', parameters: [inPath] }), { id }, base))).toEqual(['/id']);
  },
);

test.each<[string, string]>([
  ['a/b', 'a%2Fb'],
  ['a..b', 'a..b'],
  ['v1.2', 'v1.2'],
  ['a?b#c', 'a%3Fb%23c'],
  ['a%2fb', 'a%252fb'],
  ['a\r\nb', 'a%0D%0Ab'],
  ['__proto__', '__proto__'],
])('the segment of %j is %s', (id, segment) => {
  expect(buildApiRequest(operationWith({ path: '/users/{id}', parameters: [inPath] }), { id }, base).path).toBe(`/v1/users/${segment}`);
});

test('two values that are a dot each make no segment of two dots', () => {
  const operation = operationWith({ path: '/x/{id}{more}/y', parameters: [inPath, { ...inPath, argument: 'more', name: 'more' }] });
  expect(problemsOf(() => buildApiRequest(operation, { id: '.', more: '.' }, base))).toEqual(['/more']);
  expect(buildApiRequest(operation, { id: 'a', more: '.' }, base).path).toBe('/v1/x/a./y');
});

test.each([['a line more', 'a\r\nX-Admin: true'], ['a line feed', 'a\nb'], ['NUL', 'a\0b'], ['8193 bytes', 'x'.repeat(8_193)], ['8194 bytes', 'ü'.repeat(4_097)]])('no header is made of a value with %s', (_what, tag) => {
  expect(problemsOf(() => buildApiRequest(operationWith({ parameters: [inHeader] }), { tag }, base))).toEqual(['/tag']);
});

test('arguments come from the arguments alone, never from what every object has', () => {
  const operation = operationWith({ parameters: [{ ...inHeader, argument: 'constructor', in: 'query', style: 'form' }] });
  expect(buildApiRequest(operation, {}, base).path).toBe('/v1/x');
});

test('arguments nested without end are refused, and not walked', () => {
  const operation = operationWith({ method: 'POST', body: { mediaType: 'application/json', kind: 'json', required: true, argument: 'body' } });
  expect(problemsOf(() => buildApiRequest(operation, { body: deep(100_000) }, base))).toHaveLength(1);
  expect(buildApiRequest(operation, { body: deep(50) }, base).body).toHaveLength(101);
});

test('no entry of a list is made two', () => {
  const operation = operationWith({ parameters: [{ argument: 'ids', name: 'ids', in: 'query', required: false, style: 'pipeDelimited', explode: false }] });
  expect(problemsOf(() => buildApiRequest(operation, { ids: ['a|b'] }, base))).toEqual(['/ids']);
  expect(buildApiRequest(operation, { ids: ['a b', 'c'] }, base).path).toBe('/v1/x?ids=a%20b%7Cc');
});

test('every problem is named at once', () => {
  const operation = operationWith({ path: '/{id}', parameters: [inPath, inHeader, { ...inHeader, argument: 'page', name: 'page', in: 'query', style: 'form', required: true }] });
  expect(problemsOf(() => buildApiRequest(operation, { id: '..', tag: '\n' }, base))).toEqual(['/id', '/tag', '/page']);
});

test.each<[string, string, string]>([
  ['https://api.example', '/x', '/x'],
  ['https://api.example/', '/x', '/x'],
  ['https://api.example/v1/', '/', '/v1/'],
  ['https://api.example/v1?tenant=a', '/x', '/v1/x?tenant=a'],
  ['https://api.example/graphql', '', '/graphql'],
  ['https://api.example/v1', '/a b/{c', '/v1/a%20b/%7Bc'],
  ['https://api.example/v1', '/calc:run;v=1/%41', '/v1/calc:run;v=1/%41'],
])('under %s the path %j is %s', (url, path, expected) => {
  expect(buildApiRequest(operationWith({ path }), {}, new URL(url)).path).toBe(expected);
});

test.each(['x/..;/..;/admin', 'x/．．/admin', 'x/.. /admin', 'x/..%3b/admin', '..', '.', '%2e%2e', '%252e%252e', 'a\\..\\b'])('the path argument %j leads nowhere else', (id) => {
  const operation = apiOperation.parse({ name: 'get', method: 'GET', path: '/items/{id}', parameters: [{ argument: 'id', name: 'id', in: 'path', required: true, style: 'simple', explode: false }], accept: '*/*', inputSchema: {}, annotations: {} });
  expect(() => buildApiRequest(operation, { id }, new URL('https://api.example/v1'))).toThrow(ArgumentError);
});

test.each<[string, Record<string, unknown>]>([['tenant', { tenant: 'evil' }], ['more', { more: { tenant: 'evil', 'tenant[]': 'evil' } }]])('what the URL pins in its query is not set by %s', (_argument, args) => {
  const parameter = (name: string) => ({ argument: name, name, in: 'query', required: false, style: 'form', explode: true });
  const operation = apiOperation.parse({ name: 'get', method: 'GET', path: '/a', parameters: [parameter('tenant'), parameter('more')], accept: '*/*', inputSchema: {}, annotations: {} });
  expect(buildApiRequest(operation, args, new URL('https://api.example/v1?tenant=acme')).path).toBe('/v1/a?tenant=acme');
});

test('a media type keeps nothing busy, whatever it is', { timeout: 30_000 }, () => {
  expect(typeof fileValue({ base64: '', contentType: `a/b${';a=""'.repeat(39)}!` })).toBe('string');
  expect(fileValue({ base64: '', contentType: 'a/b; c="d\\";e"; f=g' })).toMatchObject({ contentType: 'a/b; c="d\\";e"; f=g' });
});

import { GatewayError } from '@gatehouse/errors';
import { describe, expect, test } from 'vitest';
import { apiOperation } from '../api-operation.ts';
import { validateArguments } from '../arguments/validate-arguments.ts';
import { isObject } from '../json-value.ts';
import { fixtureNames, importFixture } from '../spec-support/fixtures.ts';
import { importOpenApi } from './import-openapi.ts';

const document = (paths: unknown, rest: Record<string, unknown> = {}) => ({ openapi: '3.1.0', info: { title: 'A', version: '1' }, paths, ...rest });
const get = (operation: Record<string, unknown> = {}) => ({ get: { responses: {}, ...operation } });
const only = (paths: unknown, rest?: Record<string, unknown>) => {
  const { operations, leftOut } = importOpenApi(document(paths, rest));
  expect(leftOut).toEqual([]);
  const [operation] = operations;
  if (operation === undefined) throw new Error('no operation');
  return operation;
};
const reasons = (paths: unknown, rest?: Record<string, unknown>) => importOpenApi(document(paths, rest)).leftOut.map(({ operation, reason, pointer }) => [operation, reason, pointer]);

describe.each(fixtureNames)('%s', (fixture) => {
  test('its tools are what is stored, complete in themselves, and take no argument that they do not know', () => {
    const { operations } = importFixture(fixture);
    expect(operations.length).toBeGreaterThan(1);
    for (const operation of operations) {
      expect(apiOperation.parse(JSON.parse(JSON.stringify(operation)))).toEqual(operation);
      expect(operation.name).toMatch(/^[A-Za-z0-9_.-]{1,128}$/);
      expect(Object.keys(operation.inputSchema['properties'] as object).every((name) => /^[A-Za-z0-9_.-]{1,64}$/.test(name))).toBe(true);
      for (const schema of [operation.inputSchema, operation.outputSchema ?? {}]) expect(danglingReferences(schema)).toEqual([]);
      expect(validateArguments(operation)({ 'no such argument': 1 }).map(({ pointer }) => pointer)).toContain('/no such argument');
    }
  });
});

function danglingReferences(schema: Readonly<Record<string, unknown>>): string[] {
  const known = new Set(Object.keys(isObject(schema['$defs']) ? schema['$defs'] : {}).map((name) => `#/$defs/${name}`));
  const found: string[] = [];
  JSON.stringify(schema, (key, value: unknown) => {
    if (key === '$ref' && typeof value === 'string') found.push(value);
    return value;
  });
  return found.filter((reference) => !known.has(reference));
}

test.each<[string, [string, string][]]>([
  ['github.json', [['POST /repos/{owner}/{repo}/releases/{release_id}/assets', 'other_server']]],
  ['weather.json', [['* /icons', 'remote_ref'], ['GET /alerts', 'broken_ref'], ['TRACE /alerts', 'method_unsupported']]],
  ['petstore.yaml', [['HEAD /user/login', 'method_unsupported']]],
])('what %s has that no tool is made of', (fixture, expected) => {
  expect(importFixture(fixture).leftOut.map(({ operation, reason }) => [operation, reason])).toEqual(expected);
});

test.each<[string, string[]]>([
  ['github.json', ['blocked_header']],
  ['petstore.yaml', ['credential_parameter', 'cookie_parameter']],
  ['gitlab.yaml', ['credential_parameter']],
])('what tools of %s do not have', (fixture, codes) => {
  expect(importFixture(fixture).warnings.map(({ code }) => code)).toEqual(codes);
});

test.each<[string, unknown[]]>([
  ['spotify.yaml', [
    { type: 'oauth-authorization-code', authorizationUrl: 'https://accounts.spotify.com/authorize', tokenUrl: 'https://accounts.spotify.com/api/token', scopes: ['streaming'] },
    { type: 'oauth-client-credentials', tokenUrl: 'https://accounts.spotify.com/api/token', scopes: [] },
  ]],
  ['gitlab.yaml', [{ type: 'api-key', name: 'PRIVATE-TOKEN', in: 'header' }, { type: 'api-key', name: 'private_token', in: 'query' }]],
  ['twilio.json', [{ type: 'basic' }]],
  ['openai.yaml', [{ type: 'bearer' }]],
  ['kubernetes.json', [{ type: 'bearer' }]],
  ['slack.json', [{ type: 'oauth-authorization-code', authorizationUrl: 'https://slack.com/oauth/authorize', tokenUrl: 'https://slack.com/api/oauth.access', scopes: ['chat:write'] }]],
])('the app authentication that %s suggests', (fixture, expected) => {
  expect(importFixture(fixture).suggestedAuth.map(({ appAuth }) => appAuth)).toEqual(expected);
});

test('names: fit for MCP, the same each time, each once', () => {
  const paths = { '/a': get({ operationId: 'issues/list for-repo' }), '/b': get({ operationId: 'issues_list_for-repo' }), '/c/{d}': { ...get(), parameters: [{ name: 'd', in: 'path' }] }, '/e': get({ operationId: '???' }), '/f': get({ operationId: 'x'.repeat(300) }) };
  const names = importOpenApi(document(paths)).operations.map(({ name }) => name);
  expect(names).toEqual(['issues_list_for-repo', 'issues_list_for-repo_2', 'get__c_d', 'get__e', 'x'.repeat(128)]);
});

test('include and exclude are globs over names; what is excluded is named and keeps the names of the others', () => {
  const paths = { '/a': get({ operationId: 'pets_list' }), '/b': get({ operationId: 'pets_list' }), '/c': get({ operationId: 'users_list' }) };
  const { operations, leftOut } = importOpenApi(document(paths), { include: ['pets_*'], exclude: ['pets_list'] });
  expect(operations.map(({ name }) => name)).toEqual(['pets_list_2']);
  expect(leftOut.map(({ reason }) => reason)).toEqual(['excluded', 'excluded']);
});

test('arguments of one name say where they go', () => {
  const operation = only({
    '/x/{id}': {
      post: {
        parameters: [{ name: 'id', in: 'path', required: true }, { name: 'id', in: 'query' }, { name: 'id', in: 'header' }, { name: 'filter[a]', in: 'query' }, { name: '__proto__', in: 'query' }],
        requestBody: { content: { 'application/json': { schema: { type: 'object', properties: { id: {}, id_body: {}, other: {} } } } } },
        responses: {},
      },
    },
  });
  expect(operation.parameters.map(({ argument, name }) => [argument, name])).toEqual([['id_path', 'id'], ['id_query', 'id'], ['id_header', 'id'], ['filter_a', 'filter[a]'], ['proto', '__proto__']]);
  expect(operation.body?.fields?.map(({ argument, name }) => [argument, name])).toEqual([['id_body_2', 'id'], ['id_body', 'id_body'], ['other', 'other']]);
});

test('an operation’s own parameter replaces its path’s', () => {
  const operation = only({ '/x': { parameters: [{ name: 'a', in: 'query', required: true }, { name: 'b', in: 'query' }], ...get({ parameters: [{ name: 'a', in: 'query', schema: { type: 'integer' } }] }) } });
  expect(operation.inputSchema).toEqual({ type: 'object', properties: { a: { type: 'integer' }, b: {} }, additionalProperties: false });
});

test.each<[string, unknown, string, string]>([
  ['a remote parameter', { '/x': get({ parameters: [{ $ref: 'https://evil.example/p.json' }] }) }, 'remote_ref', '/paths/~1x/get/parameters/0'],
  ['a remote file', { '/x': get({ parameters: [{ name: 'a', in: 'query', schema: { properties: { b: { $ref: 'file:///etc/passwd' } } } }] }) }, 'remote_ref', '/paths/~1x/get/parameters/0/schema/properties/b'],
  ['a missing one', { '/x': get({ parameters: [{ $ref: '#/nowhere' }] }) }, 'broken_ref', '/paths/~1x/get/parameters/0'],
  ['what every object has', { '/x': get({ parameters: [{ $ref: '#/__proto__/toString' }] }) }, 'broken_ref', '/paths/~1x/get/parameters/0'],
  ['no pointer', { '/x': get({ parameters: [{ $ref: '#anchor' }] }) }, 'broken_ref', '/paths/~1x/get/parameters/0'],
  ['broken encoding', { '/x': get({ parameters: [{ $ref: '#/%E0%A4%A' }] }) }, 'broken_ref', '/paths/~1x/get/parameters/0'],
  ['a style that its place has not', { '/x': get({ parameters: [{ name: 'a', in: 'query', style: 'matrix' }] }) }, 'unsupported_parameter', '/paths/~1x/get/parameters/0'],
  ['a required parameter elsewhere', { '/x': get({ parameters: [{ name: 'a', in: 'querystring', required: true }] }) }, 'unsupported_parameter', '/paths/~1x/get/parameters/0'],
  ['no name', { '/x': get({ parameters: [{ in: 'query' }] }) }, 'unsupported_parameter', '/paths/~1x/get/parameters/0'],
  ['no slash', { x: get() }, 'invalid_path', '/paths/x/get'],
  ['a query in the path', { '/x?a=b': get() }, 'invalid_path', '/paths/~1x?a=b/get'],
  ['dots in the path', { '/x/%2e%2E/y': get() }, 'invalid_path', '/paths/~1x~1%2e%2E~1y/get'],
  ['a parameter without a name in the path', { '/x/{}': get() }, 'invalid_path', '/paths/~1x~1{}/get'],
  ['another server', { '/x': get({ servers: [{ url: 'https://evil.example' }] }) }, 'other_server', '/paths/~1x/get'],
  ['a body that nobody can write', { '/x': { post: { requestBody: { content: { 'multipart/mixed': {} } } } } }, 'unsupported_body', '/paths/~1x/post/requestBody'],
])('left out, with reason and pointer: %s', (_what, paths, reason, pointer) => {
  expect(reasons(paths).map(([, why, where]) => [why, where])).toEqual([[reason, pointer]]);
});

test('every part of what is left out leaves the rest', () => {
  expect(importOpenApi(document({ '/a': get({ parameters: [{ $ref: 'x' }] }), '/b': get(), '/c': null, '/d': 5, 'x-e': get() })).operations.map(({ path }) => path)).toEqual(['/b']);
});

test.each<[string, unknown, string]>([
  ['null', null, ''],
  ['a list', [], ''],
  ['no version', {}, '/openapi'],
  ['version 4', { openapi: '4.0.0', paths: {} }, '/openapi'],
  ['no paths', { openapi: '3.1.0' }, '/paths'],
])('no document at all: %s', (_what, value, pointer) => {
  expect(problemPointers(() => importOpenApi(value))).toEqual([pointer]);
});

function problemPointers(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'validation_failed') return error.problems.map(({ pointer }) => pointer);
    throw error;
  }
  return [];
}

test('methods say what they do', () => {
  const all = Object.fromEntries(['get', 'post', 'put', 'patch', 'delete'].map((method) => [method, { responses: {} }]));
  expect(importOpenApi(document({ '/x': all })).operations.map(({ annotations }) => [annotations.readOnlyHint, annotations.destructiveHint, annotations.idempotentHint])).toEqual([
    [true, undefined, undefined],
    [false, undefined, undefined],
    [false, true, true],
    [false, true, undefined],
    [false, true, true],
  ]);
});

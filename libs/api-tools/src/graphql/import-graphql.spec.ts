import { GatewayError } from '@gatehouse/errors';
import { buildSchema, introspectionFromSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { apiOperation } from '../api-operation.ts';
import { validateArguments } from '../arguments/validate-arguments.ts';
import { buildApiRequest } from '../request/build-api-request.ts';
import { importGraphql } from './import-graphql.ts';

const sdl = `
  "A query" type Query { user(id: ID!, first: Int = 10): User node: Node version: String! search(filter: Filter): [Found!]! }
  type Mutation { addUser(input: NewUser!): User }
  type Subscription { changed: User }
  interface Node { id: ID! }
  type User implements Node { id: ID! name: String friends(first: Int): [User!]! secret(key: String!): String posts: Posts }
  type Posts { nodes: [Post] }
  type Post implements Node { id: ID! title: String author: User at: Date }
  union Found = User | Post
  input Filter { text: String! and: [Filter!] kind: Kind at: Date }
  input NewUser { name: String! age: Int role: Kind = ADMIN parent: NewUser }
  enum Kind { ADMIN USER }
  scalar Date
`;
const base = new URL('https://api.example/graphql?v=1');
const tools = new Map(importGraphql(sdl).operations.map((tool) => [tool.name, tool]));
const tool = (name: string) => tools.get(name) ?? expect.fail(`no tool ${name}`);

test('a tool for each field of queries and mutations, each with a document of the schema’s', () => {
  expect([...tools.keys()]).toEqual(['user', 'node', 'version', 'search', 'addUser']);
  for (const operation of tools.values()) {
    expect(apiOperation.parse(JSON.parse(JSON.stringify(operation)))).toEqual(operation);
    expect(validate(buildSchema(sdl), parse(operation.graphql?.document ?? ''))).toEqual([]);
  }
});

test('what is asked for ends at a depth, and needs no arguments of its own', () => {
  expect(tool('user').graphql?.document).toBe(
    'query ($id: ID!, $first: Int) { user(id: $id, first: $first) { id name friends { id name friends { id name } posts { __typename } } posts { nodes { id title at } } } }',
  );
  expect(tool('node').graphql?.document).toBe('query { node { __typename id } }');
  expect(tool('search').graphql?.document).toBe('query ($filter: Filter) { search(filter: $filter) { __typename } }');
  expect(tool('version').graphql?.document.trim()).toBe('query { version  }');
});

test('introspection says the same as SDL', () => {
  const introspection = introspectionFromSchema(buildSchema(sdl));
  expect(importGraphql(JSON.stringify({ data: introspection })).operations).toEqual([...tools.values()]);
  expect(importGraphql(JSON.stringify(introspection)).operations).toEqual([...tools.values()]);
});

test.each<[string, Record<string, unknown>, string[]]>([
  ['user', { id: 'a' }, []],
  ['user', { id: 1, first: null }, []],
  ['user', { first: 'x' }, ['/id', '/first']],
  ['addUser', { input: { name: 'a', parent: { name: 'b', role: 'USER' } } }, []],
  ['addUser', { input: { name: null, x: 1 } }, ['/input/x', '/input/name']],
  ['search', { filter: { text: 'a', and: [{ text: 'b', at: 5 }] } }, []],
])('variables are typed: %s %j', (name, args, problems) => {
  const found = validateArguments(tool(name))(args).map(({ pointer }) => pointer);
  expect(found).toEqual(problems.length === 0 ? [] : expect.arrayContaining(problems));
});

test('the request is a POST of document and variables to the URL itself', () => {
  const { method, path, headers, body } = buildApiRequest(tool('user'), { id: 'a' }, base);
  expect([method, path, new Map(headers).get('content-type')]).toEqual(['POST', '/graphql?v=1', 'application/json']);
  expect(JSON.parse(body as string)).toEqual({ query: tool('user').graphql?.document, variables: { id: 'a' } });
});

test('chosen documents, with their variables', () => {
  const { operations: [found] } = importGraphql(sdl, { operations: [{ name: 'find', document: 'query Find($text: String!, $n: Int = 3) { search(filter: {text: $text}) { ... on User { name friends(first: $n) { id } } } }' }] });
  expect(found?.inputSchema).toMatchObject({ required: ['text'], properties: { text: { type: 'string' } } });
});

test.each([['{ nothing }'], ['{'], ['query A { version } query B { version }'], ['subscription { changed { id } }'], ['fragment F on User { id }']])('no tool of the document %s', (document) => {
  let problems: unknown;
  try {
    importGraphql(sdl, { operations: [{ name: 'a', document }] });
  } catch (error) {
    problems = error instanceof GatewayError && error.problems.map(({ pointer }) => pointer);
  }
  expect(problems).toEqual(['/operations/0/document']);
});

test.each([['type Query {'], ['{"data":{}}'], ['{"__schema":{"types":5}}'], ['{'], [''], [`type Query { a: ${'['.repeat(100_000)}Int${']'.repeat(100_000)} }`]])('no schema', (schema) => {
  expect(() => importGraphql(schema)).toThrow(GatewayError);
});

test.each([['id: ID'], ['']])('types that all have each other, and %j, are asked for in bounded size', (leaf) => {
  const types = Array.from({ length: 60 }, (_, index) => `type T${index} { ${leaf} ${Array.from({ length: 60 }, (_unused, other) => `f${other}: T${other}`).join(' ')} }`);
  const { operations: [operation] } = importGraphql(`type Query { a: T0 } ${types.join('\n')}`, { maxDepth: 10 });
  expect(operation?.graphql?.document.length).toBeLessThan(50_000);
});

test('two documents of one name are told apart by whoever wrote them', () => {
  const twice = ['a', 'a'].map((name) => ({ name, document: '{ version }' }));
  expect(() => importGraphql(sdl, { operations: twice })).toThrow(expect.objectContaining({ problems: [expect.objectContaining({ pointer: '/operations/1/name' })] }));
});

test('what is not imported is named with the reason', () => {
  expect(importGraphql(sdl, { include: ['user', 'node'] }).leftOut.map(({ operation, reason }) => `${operation}: ${reason}`)).toEqual(['query version: excluded', 'query search: excluded', 'mutation addUser: excluded']);
});

test('all tools together have a bound, however small the schema is that they come from', { timeout: 60_000 }, () => {
  const inputs = Array.from({ length: 300 }, (_, index) => `input I${index} { ${Array.from({ length: 6 }, (_value, member) => `member${member}: I${(index * 7 + member) % 300}`).join(' ')} }`);
  const fields = Array.from({ length: 3_000 }, (_, index) => `f${index}(a: I0): Int`);
  const { operations, leftOut } = importGraphql(`type Query { ${fields.join(' ')} } ${inputs.join(' ')}`);
  expect(operations.length + leftOut.length).toBe(3_000);
  expect(leftOut.at(-1)?.reason).toBe('too_many');
  expect(JSON.stringify(operations).length).toBeLessThan(20 * 1024 * 1024);
});

test('a text that is no schema is not told back: it may have been fetched from anywhere', () => {
  for (const text of ['root:x:0:0:SECRET', '{"token":"SECRET"', 'type Query { a: SECRET }']) {
    expect(() => importGraphql(text)).toThrow(expect.objectContaining({ problems: [expect.objectContaining({ detail: expect.not.stringContaining('SECRET') as unknown })] }));
  }
});

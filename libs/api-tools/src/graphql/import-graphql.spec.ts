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
const tools = new Map(importGraphql(sdl).map((tool) => [tool.name, tool]));
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
  expect(importGraphql(JSON.stringify({ data: introspection }))).toEqual([...tools.values()]);
  expect(importGraphql(JSON.stringify(introspection))).toEqual([...tools.values()]);
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
  const [found] = importGraphql(sdl, { operations: [{ name: 'find', document: 'query Find($text: String!, $n: Int = 3) { search(filter: {text: $text}) { ... on User { name friends(first: $n) { id } } } }' }] });
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
  const [operation] = importGraphql(`type Query { a: T0 } ${types.join('\n')}`, { maxDepth: 10 });
  expect(operation?.graphql?.document.length).toBeLessThan(50_000);
});

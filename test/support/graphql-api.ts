import { createServer } from 'node:http';
import { createHandler } from 'graphql-http/lib/use/http';
import { buildSchema, execute, GraphQLError, NoSchemaIntrospectionCustomRule, parse, specifiedRules, validate } from 'graphql';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

export interface GraphqlApi {
  readonly url: string;
  /** Head of each request, names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>[];
  close(): Promise<void>;
}

export const petsSchema = `
  enum Kind { CAT DOG }
  input Filter { kind: Kind, names: [String!] }
  type Owner { name: String! }
  type Pet { id: ID!, name: String!, kind: Kind!, owner: Owner }
  type Query { pet(id: ID!): Pet, pets(filter: Filter, first: Int = 10): [Pet!]!, broken: String }
  type Mutation { addPet(name: String!, kind: Kind!): Pet! }
`;

const pets = [
  { id: '1', name: 'Rex', kind: 'DOG', owner: { name: 'Ana' } },
  { id: '2', name: 'Tom', kind: 'CAT', owner: null },
];

const rootValue = {
  pet: ({ id }: { id: string }) => pets.find((pet) => pet.id === id) ?? null,
  pets: ({ filter, first }: { filter?: { kind?: string; names?: string[] }; first: number }) =>
    pets.filter(({ kind, name }) => (filter?.kind ?? kind) === kind && (filter?.names?.includes(name) ?? true)).slice(0, first),
  broken: () => {
    throw new GraphQLError('no such luck');
  },
  addPet: ({ name, kind }: { name: string; kind: string }) => ({ id: '3', name, kind, owner: null }),
};

/** A GraphQL API by the reference implementation of GraphQL over HTTP; who comes without the key learns nothing. */
export async function startGraphqlApi({ key, introspection }: { readonly key: string; readonly introspection: boolean }): Promise<GraphqlApi> {
  const headers: GraphqlApi['headers'] = [];
  // All of it of one copy of `graphql`: what builds specs resolves another than Node does.
  const rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  const handler = createHandler({ schema: buildSchema(petsSchema), rootValue, parse, validate, execute, validationRules: () => rules });
  const server = createServer((request, response) => {
    headers.push(request.headers);
    if (request.headers.authorization !== `Bearer ${key}`) return void response.writeHead(401).end();
    void handler(request, response);
  });
  const port = await listenOnLoopback(server);
  return { url: `http://127.0.0.1:${port}/graphql`, headers, close: () => closeHttpServer(server) };
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GraphqlApi, petsSchema, startGraphqlApi } from '../support/graphql-api.ts';
import { answerAsPets, petsDocument } from '../support/pets-api.ts';
import { type RawAnswer, sendRaw, textIn } from '../support/raw-mcp.ts';
import { headerValue } from '../support/recording-upstream.ts';
import { useGateway } from '../support/use-gateway.ts';

/* P32: from a description of an API, by the REST interface, to a tool that is called. */

const gateway = useGateway();
const key = 'gr4phql-k3y';
const open = { agentAuth: { type: 'passthrough' } };
const urlOf = (server: string): string => `${gateway.dataPlane.url}/mcp/default/${server}`;
const toolsOf = async (server: string): Promise<string[]> => (await sendRaw(urlOf(server), 'tools/list')).message.result?.tools?.map(({ name }) => name) ?? [];
const call = (server: string, name: string, args: object = {}): Promise<RawAnswer> => sendRaw(urlOf(server), 'tools/call', { name, arguments: args }, { modern: {} });

describe('P32 OpenAPI', () => {
  it('a document becomes tools; an edit of one is seen in the next list, and rules keep others away', async () => {
    gateway.upstream.handle(answerAsPets);
    const document = { ...open, type: 'api', upstream: { url: `${gateway.upstream.origin}/v1` }, appAuth: { type: 'bearer', token: 'stored' } };
    const tools = { openapi: { document: petsDocument, exclude: ['put*'] }, edits: [{ operation: 'listPets', name: 'find_pets', description: 'Finds pets' }, { operation: 'search', hidden: true }] };
    await gateway.serve({ ...document, name: 'pets', tools, access: { tools: { deny: ['delete*'] } } });
    expect(await toolsOf('pets')).toEqual(['find_pets', 'addPet', 'getPet']);
    expect((await call('pets', 'find_pets', { limit: 2 })).message).toMatchObject({ result: { content: [{ type: 'text', text: '[{"id":"1","name":"Rex"}]' }] } });
    const [request] = gateway.upstream.requests;
    expect([request?.method, request?.url, request && headerValue(request, 'authorization')]).toEqual(['GET', '/v1/pets?limit=2', 'Bearer stored']);
    for (const hidden of ['listPets', 'search', 'putPicture', 'deletePet']) expect((await call('pets', hidden)).message.error?.code).toBe(-32602);
  });
});

describe('P32 GraphQL', () => {
  let described: GraphqlApi;
  let silent: GraphqlApi;
  beforeAll(async () => {
    [described, silent] = await Promise.all([startGraphqlApi({ key, introspection: true }), startGraphqlApi({ key, introspection: false })]);
  });
  afterAll(() => Promise.all([described.close(), silent.close()]));
  const document = (url: string): object => ({ ...open, type: 'api', upstream: { url }, appAuth: { type: 'bearer', token: key } });

  async function callsWork(server: string, api: GraphqlApi): Promise<void> {
    expect((await toolsOf(server)).toSorted()).toEqual(['addPet', 'broken', 'pet', 'pets']);
    expect((await call(server, 'pet', { id: '1' })).message.result?.['structuredContent']).toEqual({ pet: { id: '1', name: 'Rex', kind: 'DOG', owner: { name: 'Ana' } } });
    expect((await call(server, 'pets', { filter: { kind: 'CAT', names: ['Tom', 'Rex'] }, first: 5 })).message.result?.['structuredContent']).toEqual({ pets: [{ id: '2', name: 'Tom', kind: 'CAT', owner: null }] });
    expect((await call(server, 'addPet', { name: 'Kitty "x"', kind: 'CAT' })).message.result?.['structuredContent']).toMatchObject({ addPet: { name: 'Kitty "x"', kind: 'CAT' } });
    const { accept, 'content-type': type } = api.headers.at(-1) ?? {};
    expect([accept, type]).toEqual(['application/graphql-response+json, application/json;q=0.9', 'application/json']);
    const failed = await call(server, 'broken');
    expect([failed.message.result?.isError, textIn(failed)]).toEqual([true, expect.stringContaining('no such luck')]);
    const unfit = await call(server, 'pets', { filter: { kind: 'FISH' } });
    expect([unfit.message.result?.isError, textIn(unfit)]).toEqual([true, expect.stringContaining('filter/kind: must be one of "CAT", "DOG"')]);
  }

  it('an API that describes itself, to who has the key', async () => {
    await gateway.serve({ ...document(described.url), name: 'described', tools: { graphql: {} } });
    await callsWork('described', described);
  });

  it('one that does not is refused, and taken with its schema', async () => {
    const refused = await gateway.send<{ errors?: { pointer: string }[] }>('POST', '/servers', { ...document(silent.url), name: 'silent', tools: { graphql: {} } });
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([422, expect.stringContaining('"/tools/graphql')]);
    await gateway.serve({ ...document(silent.url), name: 'silent', tools: { graphql: { schema: petsSchema } } });
    await callsWork('silent', silent);
  });

  it('documents of one’s own, each a tool', async () => {
    const operations = [{ name: 'names', description: 'Names of pets', document: 'query Names($kind: Kind) { pets(filter: {kind: $kind}) { name } }' }];
    await gateway.serve({ ...document(described.url), name: 'chosen', tools: { graphql: { operations } } });
    expect(await toolsOf('chosen')).toEqual(['names']);
    expect((await call('chosen', 'names', { kind: 'DOG' })).message.result?.['structuredContent']).toEqual({ pets: [{ name: 'Rex' }] });
  });
});

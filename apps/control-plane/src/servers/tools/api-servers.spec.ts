import { openDocument, type ReadableServer, snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { headerValue, type RecordingHandler, type RecordingUpstream, startRecordingUpstream } from '../../../../../test/support/recording-upstream.ts';
import { until } from '../../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../../spec-support/use-control-plane.ts';

const fixture = useControlPlane({ GATEHOUSE_EGRESS_ALLOWED_RANGES: '127.0.0.0/8' });
const servers = '/v1/workspaces/default/servers';

const petstore = (...names: string[]) => ({
  openapi: '3.1.0',
  info: { title: 'Pets', version: '1.2' },
  paths: Object.fromEntries(names.map((name) => [`/${name}`, { get: { operationId: name, summary: `Get ${name}`, responses: { 200: { description: 'ok' } } } }])),
});

let host: RecordingUpstream;
/** What the host answers with. */
let answer: { status: number; headers?: Record<string, string>; body: string };
const answering: RecordingHandler = (_request, response) => void response.writeHead(answer.status, answer.headers ?? {}).end(answer.body);
beforeAll(async () => {
  host = await startRecordingUpstream({ handler: answering });
});
afterAll(() => host.close());
beforeEach(() => {
  answer = { status: 200, body: JSON.stringify(petstore('list', 'show')) };
  host.requests.splice(0);
});

const api = (name: string, tools: object, more: object = {}) => ({ name, type: 'api', upstream: { url: 'https://pets.example/v1' }, agentAuth: { type: 'api-key' }, tools, ...more });
const save = (body: object) => fixture.plane.send<ApiServer>('POST', servers, { body });
const patch = (name: string, body: object) => fixture.plane.send<ApiServer>('PATCH', `${servers}/${name}`, { body, headers: { 'If-Match': '*' } });
type ApiServer = Extract<ReadableServer, { type: 'api' }>;
const problems = (reply: { body: unknown }) => (reply.body as { errors: { pointer: string; code?: string }[] }).errors.map(({ pointer, code }) => [pointer, code]);

interface Published {
  readonly server: { readonly tools: { readonly operations: readonly { name: string; title?: string; description?: string }[] } };
}

/** What data planes get, once they get this revision of it. */
async function published({ id, revision }: ApiServer): Promise<Published['server']> {
  const { plane } = fixture;
  await until(async () => ((await plane.channel.readState())?.revision ?? 0) >= revision);
  const [sealed] = await plane.channel.readDocuments([id]);
  const keys = snapshotKeysOf([parseKey(plane.environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]);
  return (openDocument(keys, sealed ?? expect.fail('not published')) as Published).server;
}
const namesOf = (server: Published['server']) => server.tools.operations.map(({ name }) => name);

describe('an API server', () => {
  it('has the tools of the document at its URL, which gets no credential', async () => {
    const reply = await save(api('by-url', { openapi: { url: host.url } }, { appAuth: { type: 'bearer', token: 'secret-of-the-api' } }));
    expect(reply.status, reply.text).toBe(201);
    expect(reply.body).toMatchObject({ type: 'api', tools: { openapi: { url: host.url } }, warnings: [], url: 'https://gateway.example/mcp/default/by-url' });
    expect(namesOf(await published(reply.body))).toEqual(['list', 'show']);
    expect(host.requests).toHaveLength(1);
    expect(JSON.stringify(host.requests[0])).not.toContain('secret-of-the-api');
  });

  it('imports nothing again for a change of something else', async () => {
    const reply = await patch('by-url', { title: 'Pets' });
    expect(reply.status, reply.text).toBe(200);
    expect(host.requests).toHaveLength(0);
    expect(namesOf(await published(reply.body))).toEqual(['list', 'show']);
  });

  it('imports again for a change of what is imported', async () => {
    const reply = await patch('by-url', { tools: { openapi: { include: ['sh*'] } } });
    expect(reply.status, reply.text).toBe(200);
    expect(host.requests).toHaveLength(1);
    expect(namesOf(await published(reply.body))).toEqual(['show']);
    expect(reply.body.warnings.map(({ code, pointer }) => [code, pointer])).toEqual([['operations_left_out', '/tools/openapi/url']]);
  });

  it('keeps a document that it is given apart, and shows a mark for it that may be sent back', async () => {
    const document = petstore('a', 'b');
    const { status, text, body } = await save(api('inline', { openapi: { document } }));
    expect(status, text).toBe(201);
    expect(body.tools.openapi?.document).toEqual({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string, bytes: JSON.stringify(document).length });
    expect(namesOf(await published(body))).toEqual(['a', 'b']);
    const stored = await fixture.query<{ document: string }>(`select document::text from servers where name = 'inline'`);
    expect(stored[0]?.document).not.toContain('Get a');

    const put = await fixture.plane.send<ApiServer>('PUT', `${servers}/inline`, { body: { ...body, tools: { openapi: { ...body.tools.openapi, exclude: ['a'] } } }, headers: { 'If-Match': '*' } });
    expect(put.status, put.text).toBe(200);
    expect(namesOf(await published(put.body))).toEqual(['b']);
  });

  it('says that a mark stands for nothing that is stored', async () => {
    const mark = { sha256: 'a'.repeat(64), bytes: 1 };
    expect(problems(await save(api('marked', { openapi: { document: mark } })))).toEqual([['/tools/openapi/document', 'source_unknown']]);
  });

  it('has the tools of a GraphQL schema', async () => {
    const { body, text, status } = await save(api('graph', { graphql: { schema: 'type Query { hero(id: ID!): String }' } }));
    expect(status, text).toBe(201);
    expect(namesOf(await published(body))).toEqual(['hero']);
  });

  it('has tools that are written out', async () => {
    const { body, text, status } = await save(api('written', { operations: [{ name: 'order', method: 'POST', path: '/orders', body: { schema: { type: 'object', properties: { item: { type: 'string' } } } } }] }));
    expect(status, text).toBe(201);
    expect(namesOf(await published(body))).toEqual(['order']);
  });

  it('has tools as they were edited, and no others', async () => {
    const edits = [{ operation: 'list', name: 'all', description: 'All of them' }, { operation: 'show', hidden: true }];
    const { body } = await save(api('edited', { openapi: { document: petstore('list', 'show', 'make') }, edits }));
    const { tools } = await published(body);
    expect(tools.operations.map(({ name, description }) => [name, description])).toEqual([['all', 'All of them'], ['make', 'Get make']]);
    const changed = await patch('edited', { tools: { edits: [{ operation: 'gone', title: 'Gone' }] } });
    expect(namesOf(await published(changed.body))).toEqual(['list', 'show', 'make']);
    expect(changed.body.warnings.map(({ code }) => code)).toEqual(['edits_orphaned']);
  });

  it('may become an MCP server, and its tools are gone', async () => {
    const { body } = await save(api('moving', { openapi: { document: petstore('a') } }));
    const mcp = { name: 'moving', type: 'mcp', upstream: { url: 'https://pets.example/mcp' }, agentAuth: { type: 'api-key' } };
    const put = await fixture.plane.send<ApiServer>('PUT', `${servers}/moving`, { body: mcp, headers: { 'If-Match': '*' } });
    expect(put.status, put.text).toBe(200);
    expect(put.body.id).toBe(body.id);
    expect(await published(put.body)).not.toHaveProperty('tools');
    expect(await fixture.query('select 1 from server_tools where server_id = $1', [body.id])).toEqual([]);
  });

  it('is not saved with tools that were imported for another document', async () => {
    await save(api('raced', { openapi: { url: host.url } }));
    const [asked, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    host.handle(async (_request, response) => {
      host.handle(answering);
      asked.resolve();
      await goOn.promise;
      return answering(_request, response);
    });
    const slow = patch('raced', { tools: { openapi: { include: ['list'] } } });
    await asked.promise;
    const quick = await patch('raced', { tools: { openapi: { url: `${host.origin}/v2` } } });
    goOn.resolve();
    expect([quick.status, (await slow).status]).toEqual([200, 409]);
    expect(namesOf(await published(quick.body))).toEqual(['list', 'show']);
  });

  it('is gone with its tools', async () => {
    const { body } = await save(api('leaving', { openapi: { document: petstore('a') } }));
    await fixture.plane.send('DELETE', `${servers}/leaving`, { headers: { 'If-Match': '*' } });
    expect(await fixture.query('select 1 from server_tools where server_id = $1', [body.id])).toEqual([]);
  });
});

describe('what is wrong is said, and nothing is saved', () => {
  it.each([
    ['no source', {}, ['/tools', 'invalid_value']],
    ['two sources', { openapi: { url: 'https://a.example' }, operations: [{ name: 'a', method: 'GET', path: '/' }] }, ['/tools', 'invalid_value']],
    ['a document that is none', { openapi: { document: { swagger: '1.2' } } }, ['/tools/openapi/document/openapi', undefined]],
    ['a document that cannot be read', { openapi: { document: '{"openapi": [' } }, ['/tools/openapi/document', 'unreadable']],
    ['an operation with a bad path', { operations: [{ name: 'a', method: 'GET', path: 'no slash' }] }, ['/tools/operations/0', undefined]],
    ['a schema that is none', { graphql: { schema: 'nonsense' } }, ['/tools/graphql/schema', undefined]],
    ['an operation that the schema does not have', { graphql: { schema: 'type Query { a: Int }', operations: [{ name: 'b', document: '{ b }' }] } }, ['/tools/graphql/operations/0/document', undefined]],
    ['a name that two tools have', { operations: [{ name: 'a', method: 'GET', path: '/a' }, { name: 'b', method: 'GET', path: '/b' }], edits: [{ operation: 'a', name: 'b' }] }, ['/tools/edits/0/name', 'name_taken']],
    ['a tool that is edited twice', { operations: [{ name: 'a', method: 'GET', path: '/a' }], edits: [{ operation: 'a' }, { operation: 'a' }] }, ['/tools/edits/1/operation', 'invalid_value']],
  ])('%s', async (_name, tools, [pointer, code]) => {
    const reply = await save(api('wrong', tools));
    expect(reply.status, reply.text).toBe(422);
    expect(problems(reply)).toEqual([[pointer, code]]);
    expect((await fixture.plane.send('GET', `${servers}/wrong`)).status).toBe(404);
  });

  it.each([
    ['refuses', () => ({ status: 404, body: 'not here' }), 'fetch_failed'],
    ['answers a web page', () => ({ status: 200, body: '<html><body>hello</body></html>' }), 'not_an_object'],
    ['sends away without end', () => ({ status: 302, headers: { Location: '/again' }, body: '' }), 'fetch_failed'],
    ['sends away with credentials', () => ({ status: 302, headers: { Location: `${host.origin.replace('//', '//user:hello@')}/` }, body: '' }), 'fetch_failed'],
    ['sends to where nobody may go', () => ({ status: 302, headers: { Location: 'http://169.254.169.254/latest' }, body: '' }), 'https_required'],
  ])('the host of the document %s', async (_name, given, code) => {
    answer = given();
    const reply = await save(api('wrong', { openapi: { url: host.url } }));
    expect(reply.status, reply.text).toBe(422);
    expect(problems(reply)).toEqual([['/tools/openapi/url', code]]);
    expect(reply.text).not.toContain('hello');
  });

  it('the host of the document is not there', async () => {
    expect(problems(await save(api('wrong', { openapi: { url: 'http://127.0.0.1:1/' } })))).toEqual([['/tools/openapi/url', 'upstream_unreachable']]);
  });
});

describe('a GraphQL upstream', () => {
  const schema = JSON.stringify({ data: { __schema: { queryType: { name: 'Query' }, types: [{ kind: 'OBJECT', name: 'Query', fields: [{ name: 'hero', args: [], type: { kind: 'SCALAR', name: 'String' }, isDeprecated: false }], interfaces: [] }, { kind: 'SCALAR', name: 'String' }], directives: [] } } });

  it('is asked with the credential of the server, and again when it is another', async () => {
    answer = { status: 200, body: schema };
    const upstream = { url: `${host.origin}/graphql` };
    const { body, status, text } = await save(api('asked', { graphql: {} }, { upstream, appAuth: { type: 'api-key', name: 'X-Key', in: 'header', value: 'key-of-the-api' } }));
    expect(status, text).toBe(201);
    expect(host.requests.map((request) => [request.method, request.url, headerValue(request, 'X-Key')])).toEqual([['POST', '/graphql', 'key-of-the-api']]);
    expect(namesOf(await published(body))).toEqual(['hero']);

    const moved = await patch('asked', { upstream: { url: `${host.origin}/v2/graphql` } });
    expect(moved.status, moved.text).toBe(200);
    expect(host.requests.map((request) => [request.url, headerValue(request, 'X-Key')]).at(-1)).toEqual(['/v2/graphql', 'key-of-the-api']);
  });

  it('is asked with a token of the gateway’s own', async () => {
    const token = JSON.stringify({ access_token: 'of-the-gateway', token_type: 'Bearer', expires_in: 60 });
    host.handle((request, response) => void response.setHeader('Content-Type', 'application/json').end(request.url === '/token' ? token : schema));
    const appAuth = { type: 'oauth-client-credentials', tokenUrl: `${host.origin}/token`, clientId: 'gateway', clientSecret: 'of-the-client' };
    const { status, text } = await save(api('tokened', { graphql: {} }, { upstream: { url: host.url }, appAuth }));
    host.handle(answering);
    expect(status, text).toBe(201);
    expect(host.requests.map((request) => [request.url, headerValue(request, 'Authorization')?.split(' ')[0]])).toEqual([['/token', 'Basic'], ['/mcp', 'Bearer']]);
  });

  it.each([
    ['refuses the credential', { status: 401, body: '{}' }, 'upstream_rejected_credentials'],
    ['does not tell', { status: 400, body: '{"errors":[{"message":"introspection is off"}]}' }, 'upstream_failed'],
  ])('%s', async (_name, given, code) => {
    answer = given;
    const reply = await save(api('silent', { graphql: {} }, { upstream: { url: host.url } }));
    expect(problems(reply)).toEqual([['/tools/graphql', code]]);
  });
});

import type { ReadableServer } from '@gatehouse/gateway-config';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RecordingUpstream, startRecordingUpstream } from '../../../../../test/support/recording-upstream.ts';
import { useControlPlane } from '../../spec-support/use-control-plane.ts';
import type { ImportPreview, ToolsDiff } from './tool-import.dto.ts';

const fixture = useControlPlane({ GATEHOUSE_EGRESS_ALLOWED_RANGES: '127.0.0.0/8' });
const workspace = '/v1/workspaces/default';
type ApiServer = Extract<ReadableServer, { type: 'api' }>;

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
}

const documentOf = (operations: readonly Operation[], more: object = {}) => ({
  openapi: '3.1.0',
  info: { title: 'The Pets API', version: '7' },
  servers: [{ url: '/v1' }],
  security: [{ key: [] }],
  components: { securitySchemes: { key: { type: 'apiKey', name: 'X-Key', in: 'header' } } },
  paths: Object.fromEntries(operations.map((operation) => [`/${operation.operationId}`, { get: { ...operation, responses: {} } }])),
  ...more,
});

let host: RecordingUpstream;
let answer: string;
beforeAll(async () => {
  host = await startRecordingUpstream({ handler: (_request, response) => void response.end(answer) });
});
afterAll(() => host.close());
beforeEach(() => {
  answer = JSON.stringify(documentOf([{ operationId: 'list', summary: 'All' }, { operationId: 'show' }]));
});

const preview = (body: object, authorization?: string) =>
  fixture.plane.send<ImportPreview>('POST', `${workspace}/import-preview`, { body, ...(authorization !== undefined && { authorization }) });
const codes = (reply: { body: unknown }) => (reply.body as { errors: { pointer: string; code?: string }[] }).errors.map(({ pointer, code }) => [pointer, code]);

describe('a preview', () => {
  it('says what would be imported, and proposes a server', async () => {
    const { body, status, text } = await preview({ tools: { openapi: { url: host.url, exclude: ['show'] } } });
    expect(status, text).toBe(200);
    expect(body).toMatchObject({
      title: 'The Pets API', version: '7', servers: [{ url: '/v1' }], suggestedAuth: [{ scheme: 'key', appAuth: { type: 'api-key', name: 'X-Key', in: 'header' } }],
      tools: [{ name: 'list', title: 'All', method: 'GET', path: '/list', annotations: { readOnlyHint: true }, arguments: [] }],
      leftOut: [{ operation: 'GET /show', reason: 'excluded' }],
    });
    expect(body.server).toEqual({
      kind: 'Server', name: 'the-pets-api', title: 'The Pets API', type: 'api', upstream: { url: `${host.origin}/v1` }, agentAuth: { type: 'interactive' },
      appAuth: { type: 'api-key', name: 'X-Key', in: 'header' }, tools: { openapi: { url: host.url, exclude: ['show'] } },
    });
    expect(body.missing.map(({ pointer }) => pointer)).toEqual(['/appAuth/value']);
    expect((await fixture.plane.send('GET', `${workspace}/servers/the-pets-api`)).status).toBe(404);
  });

  it('proposes what is saved once it is complete', async () => {
    const { body } = await preview({ tools: { openapi: { document: documentOf([{ operationId: 'list' }], { servers: [{ url: 'https://pets.example' }] }) } } });
    const saved = await fixture.plane.send('POST', `${workspace}/servers`, { body: { ...body.server, appAuth: { ...(body.server['appAuth'] as object), value: 'key' } } });
    expect(saved.status, saved.text).toBe(201);
  });

  it('says what is not known', async () => {
    const { body } = await preview({ tools: { openapi: { document: documentOf([{ operationId: 'list' }]) } } });
    expect(body.missing.map(({ pointer }) => pointer)).toEqual(['/upstream', '/appAuth/value']);
  });

  it('asks a GraphQL upstream, with what it is given', async () => {
    answer = JSON.stringify({ data: { __schema: { queryType: { name: 'Query' }, types: [{ kind: 'OBJECT', name: 'Query', fields: [{ name: 'hero', args: [], type: { kind: 'SCALAR', name: 'String' }, isDeprecated: false }], interfaces: [] }, { kind: 'SCALAR', name: 'String' }], directives: [] } } });
    const { body, status, text } = await preview({ name: 'heroes', tools: { graphql: {} }, upstream: { url: host.url }, appAuth: { type: 'bearer', token: 'token-of-the-api' } });
    expect(status, text).toBe(200);
    expect(body.tools.map(({ name }) => name)).toEqual(['hero']);
    expect(host.requests.at(-1)?.rawHeaders).toContain('Bearer token-of-the-api');
    expect(text).not.toContain('token-of-the-api');
    expect(body.missing).toMatchObject([{ pointer: '/appAuth/token' }]);
  });

  it.each([
    ['no upstream to ask', { tools: { graphql: {} } }, ['/upstream', 'required']],
    ['a mark', { tools: { openapi: { document: { sha256: 'a'.repeat(64), bytes: 1 } } } }, ['/tools/openapi/document', 'source_unknown']],
    ['no document', { tools: { openapi: { document: 'nonsense' } } }, ['/tools/openapi/document', 'not_an_object']],
    ['nothing', {}, ['/tools', 'required']],
  ])('of %s says what is wrong', async (_name, body, expected) => {
    const reply = await preview(body);
    expect(reply.status).toBe(422);
    expect(codes(reply)).toEqual([expected]);
  });
});

describe('a re-import', () => {
  const reimport = (name: string, body: object, headers: Record<string, string> = {}) => fixture.plane.send<ToolsDiff>('POST', `${workspace}/servers/${name}/reimport`, { body, headers });
  const create = async (name: string, tools: object): Promise<ApiServer> =>
    (await fixture.plane.send<ApiServer>('POST', `${workspace}/servers`, { body: { name, type: 'api', upstream: { url: 'https://pets.example' }, agentAuth: { type: 'api-key' }, tools } })).body;
  const read = (name: string) => fixture.plane.send<ApiServer>('GET', `${workspace}/servers/${name}`);

  it('says what is different, and changes nothing until it is told to', async () => {
    const edits = [{ operation: 'list', name: 'all' }, { operation: 'show', hidden: true }];
    const before = await create('pets', { openapi: { url: host.url }, edits });
    answer = JSON.stringify(documentOf([{ operationId: 'list', summary: 'Everything' }, { operationId: 'make' }]));
    const difference = { added: ['make'], removed: ['show'], changed: [{ tool: 'list', fields: ['title', 'description'] }], unchanged: 0, edits: { kept: 1, orphaned: ['show'] } };

    const asked = await reimport('pets', {});
    expect(asked.body, asked.text).toMatchObject({ ...difference, applied: false });
    expect((await read('pets')).body).toEqual(before);
    expect((await reimport('pets', { apply: true })).status).toBe(428);
    expect((await reimport('pets', { apply: true }, { 'If-Match': '"0"' })).status).toBe(412);

    const applied = await reimport('pets', { apply: true }, { 'If-Match': asked.headers.get('etag') ?? '' });
    expect(applied.body).toMatchObject({ ...difference, applied: true });
    const after = await read('pets');
    expect(after.body.revision).toBeGreaterThan(before.revision);
    expect(after.headers.get('etag')).toBe(applied.headers.get('etag'));
    expect(after.body.tools.edits).toEqual(edits);
    expect(after.body.warnings.map(({ code }) => code)).toEqual(['edits_orphaned']);
    const { body: audit } = await fixture.plane.send<{ items: { action: string; targetName: string }[] }>('GET', '/v1/audit-events?limit=1');
    expect(audit.items[0]).toMatchObject({ action: 'server.tools_imported', targetName: 'pets' });

    const again = await reimport('pets', { apply: true }, { 'If-Match': '*' });
    expect(again.body).toMatchObject({ added: [], removed: [], changed: [], unchanged: 2, applied: true });
    expect((await read('pets')).body.revision).toBe(after.body.revision);
  });

  it('takes another document, where there is one', async () => {
    const before = await create('inline', { openapi: { document: JSON.stringify(documentOf([{ operationId: 'list' }])) } });
    const document = documentOf([{ operationId: 'list' }, { operationId: 'show' }]);
    expect((await reimport('inline', { apply: true, document }, { 'If-Match': '*' })).body).toMatchObject({ added: ['show'], applied: true });
    const { body: after } = await read('inline');
    expect(after.tools.openapi?.document).not.toEqual(before.tools.openapi?.document);
    expect((await fixture.plane.send('GET', `${workspace}/servers/inline/tools-source`)).body).toEqual({ source: document });
  });

  it('keeps everything as it is where it fails', async () => {
    await create('steady', { openapi: { url: host.url }, edits: [{ operation: 'list', name: 'make' }] });
    const before = await read('steady');
    answer = 'nonsense';
    expect(codes(await reimport('steady', { apply: true }, { 'If-Match': '*' }))).toEqual([['/tools/openapi/url', 'not_an_object']]);
    // Its name is one that somebody gave to another tool.
    answer = JSON.stringify(documentOf([{ operationId: 'list' }, { operationId: 'make' }]));
    for (const body of [{ apply: true }, {}]) expect(codes(await reimport('steady', body, { 'If-Match': '*' }))).toEqual([['/tools/edits/0/name', 'name_taken']]);
    expect((await read('steady')).body).toEqual(before.body);
  });

  it.each([
    ['operations that are written out', { operations: [{ name: 'a', method: 'GET', path: '/a' }] }, {}, ['', 'nothing_to_import']],
    ['a document for one that has a URL', { openapi: { url: 'https://pets.example/openapi.json' } }, { document: 'x' }, ['/document', 'not_used']],
  ])('refuses %s', async (name, tools, body, expected) => {
    const id = name.length.toString();
    const url = (tools as { openapi?: object }).openapi && { openapi: { url: host.url } };
    await create(`refused-${id}`, url ?? tools);
    expect(codes(await reimport(`refused-${id}`, body))).toEqual([expected]);
  });

  it('there is no source to read where the document has none', async () => {
    await create('elsewhere', { openapi: { url: host.url } });
    expect((await fixture.plane.send('GET', `${workspace}/servers/elsewhere/tools-source`)).status).toBe(404);
  });
});

it('discovery lists the tools of an API as MCP clients see them, and says what was left out', async () => {
  const tools = { openapi: { url: host.url, exclude: ['show'] }, edits: [{ operation: 'list', name: 'all' }] };
  await fixture.plane.send('POST', `${workspace}/servers`, { body: { name: 'seen', type: 'api', upstream: { url: 'https://nowhere.invalid' }, agentAuth: { type: 'api-key' }, tools } });
  const { body, status, text } = await fixture.plane.send<Record<string, unknown>>('POST', `${workspace}/servers/seen/discover`);
  expect(status, text).toBe(200);
  expect(body).toMatchObject({
    serverInfo: { name: 'seen' }, tools: [{ name: 'all', title: 'All', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } }], truncated: false,
    import: { title: 'The Pets API', version: '7', leftOut: [{ operation: 'GET /show', reason: 'excluded' }], importedAt: expect.any(String) as string },
  });
});

describe('large documents', () => {
  const operations = Array.from({ length: 1_000 }, (_, index) => ({ operationId: `operation${index}`, summary: 'x'.repeat(2_000) }));

  it('are read from editors, and not from others', async () => {
    const body = { tools: { openapi: { document: JSON.stringify(documentOf(operations)) } } };
    const tokens = await Promise.all(['editor', 'auditor'].map(async (role) => (await fixture.plane.send<{ token: string }>('POST', '/v1/api-tokens', { body: { name: role, role } })).body.token));
    const [editor, auditor, nobody] = await Promise.all([...tokens, 'nonsense'].map((token) => preview(body, `Bearer ${token}`)));
    expect([editor?.status, auditor?.status, nobody?.status]).toEqual([200, 413, 413]);
    expect(editor?.body.tools).toHaveLength(1_000);
  });

  it('that take more than there is for one are refused, and nothing else suffers', async () => {
    const hostile = `{"openapi":"3.1.0","paths":{},"x-all":[${'{},'.repeat(5_500_000)}{}]}`;
    expect(codes(await preview({ tools: { openapi: { document: hostile } } }))).toEqual([['/tools/openapi', 'import_too_large']]);
    expect((await preview({ tools: { openapi: { url: host.url } } })).status).toBe(200);
  });

  it('are not read where they have no place', async () => {
    expect((await fixture.plane.send('POST', `${workspace}/apps`, { body: { name: 'x'.repeat(1_100_000) } })).status).toBe(413);
  });
});

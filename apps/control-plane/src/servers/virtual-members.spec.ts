import type { ReadableServer } from '@gatehouse/gateway-config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRecordingUpstream } from '../../../../test/support/recording-upstream.ts';
import { type MemberUpstream, startMemberUpstream } from '../../../../test/support/virtual-members.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane({ GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback' });
const servers = '/v1/workspaces/default/servers';
const ifMatch = { 'If-Match': '*' };

let orders: MemberUpstream;
let search: MemberUpstream;

interface Problems {
  readonly code: string;
  readonly errors: readonly { readonly pointer: string; readonly code: string }[];
}

const create = (body: object) => fixture.plane.send<ReadableServer & Problems>('POST', servers, { body });
const problemsOf = (body: Problems) => body.errors.map(({ pointer, code }) => [pointer, code]);
const virtual = (name: string, members: readonly object[], more: object = {}) => ({ name, type: 'virtual', agentAuth: { type: 'api-key' }, members, ...more });
const mcp = (name: string, url: string, more: object = {}) => ({ name, type: 'mcp', upstream: { url }, agentAuth: { type: 'api-key' }, ...more });

beforeAll(async () => {
  orders = await startMemberUpstream('orders', { tools: ['echo', 'list'] });
  search = await startMemberUpstream('search', { tools: ['echo', 'find'] });
  const jwt = { issuer: 'https://id.example', jwksUrl: 'https://id.example/jwks', audience: 'x' };
  for (const body of [
    mcp('orders', orders.url),
    mcp('search', search.url),
    mcp('down', 'http://127.0.0.1:1/mcp'),
    mcp('open', search.url, { agentAuth: { type: 'passthrough' } }),
    mcp('denying', search.url, { access: { tools: { deny: ['echo'] } } }),
    mcp('of-people', search.url, { agentAuth: { type: 'interactive', scopes: ['a'] } }),
    mcp('of-jwt', search.url, { agentAuth: { type: 'passthrough', jwt } }),
    { name: 'pets', type: 'api', upstream: { url: 'https://pets.example' }, agentAuth: { type: 'api-key' }, tools: { operations: [{ name: 'find', method: 'GET', path: '/pets' }] } },
  ]) expect((await create(body)).status).toBe(201);
});
afterAll(async () => {
  await orders.close();
  await search.close();
});

describe('P32 a virtual server is saved', () => {
  it('and read as it was written', async () => {
    const members = [{ server: 'orders' }, { server: 'search', prefix: 's_', rename: { find: 'look' }, tools: ['find'], prompts: [], resources: ['a:*'] }];
    const { status, body, text } = await create(virtual('all', members, { unavailableMembers: 'fail' }));
    expect(status, text).toBe(201);
    expect(body).toMatchObject({ type: 'virtual', members, unavailableMembers: 'fail', enabled: true, warnings: [] });
    const again = await fixture.plane.send<ReadableServer>('PUT', `${servers}/all`, { body, headers: ifMatch });
    expect([again.status, again.body.revision]).toEqual([200, body.revision]);
  });

  it.each<[string, object, [string, string][]]>([
    ['of a server that there is not', virtual('v', [{ server: 'orders' }, { server: 'nobody' }]), [['/members/1/server', 'member_not_found']]],
    ['of one that is virtual', virtual('v', [{ server: 'all' }]), [['/members/0/server', 'nested_virtual_server']]],
    ['of one that lets in others', virtual('v', [{ server: 'of-people' }]), [['/members/0/server', 'agent_auth_differs']]],
    ['of one that asks for a token', virtual('v', [{ server: 'of-jwt' }], { agentAuth: { type: 'passthrough' } }), [['/members/0/server', 'agent_auth_differs']]],
    ['of one that asks for another scope', virtual('v', [{ server: 'of-people' }], { agentAuth: { type: 'interactive', scopes: ['b'] } }), [['/members/0/server', 'agent_auth_differs']]],
    ['whose names meet', virtual('v', [{ server: 'orders' }, { server: 'search' }]), [['/members/1', 'name_collision']]],
    ['whose names meet at an API', virtual('v', [{ server: 'search', tools: ['find'] }, { server: 'pets' }]), [['/members/1', 'name_collision']]],
    ['whose names meet, of which another is denied', virtual('v', [{ server: 'orders' }, { server: 'search' }], { access: { tools: { deny: ['find'] } } }), [['/members/1', 'name_collision']]],
    ['made to meet by a new name', virtual('v', [{ server: 'orders', tools: ['list'] }, { server: 'search', tools: ['find'], rename: { find: 'list' } }]), [['/members/1', 'name_collision']]],
  ])('but not one %s', async (_case, body, problems) => {
    const reply = await create(body);
    expect([reply.status, reply.body.code, problemsOf(reply.body)]).toEqual([422, 'validation_failed', problems]);
  });

  it.each<[string, object, string]>([
    ['a member twice', virtual('v', [{ server: 'orders' }, { server: 'orders' }]), '/members/1/server'],
    ['no members', virtual('v', []), '/members'],
    ['two tools with one new name', virtual('v', [{ server: 'orders', rename: { echo: 'a', list: 'a' } }]), '/members/0/rename/list'],
    ['a credential', virtual('v', [{ server: 'orders' }], { appAuth: { type: 'none' } }), '/appAuth'],
    ['an upstream', virtual('v', [{ server: 'orders' }], { upstream: { url: 'https://x.example' } }), '/upstream'],
  ])('nor one with %s', async (_case, body, pointer) => {
    const reply = await create(body);
    expect(reply.status).toBe(422);
    expect(reply.body.errors.map((problem) => problem.pointer)).toContainEqual(expect.stringMatching(new RegExp(`^${pointer}`)));
  });

  it.each<[string, object]>([
    ['kept apart by a prefix', virtual('apart', [{ server: 'orders' }, { server: 'search', prefix: 's_' }])],
    ['kept apart by a choice', virtual('chosen', [{ server: 'orders' }, { server: 'search', tools: ['find'] }])],
    ['with a member that lets in everybody', virtual('with-open', [{ server: 'orders' }, { server: 'open', prefix: 'o_' }])],
    ['whose names meet where the member denies one', virtual('denied-there', [{ server: 'orders' }, { server: 'denying' }])],
    ['whose names meet where it denies one itself', virtual('denied-here', [{ server: 'orders' }, { server: 'search' }], { access: { tools: { deny: ['echo'] } } })],
    ['of people, whose members are too', virtual('people', [{ server: 'of-people' }], { agentAuth: { type: 'interactive', scopes: ['a'] } })],
  ])('with members %s', async (_case, body) => {
    const reply = await create(body);
    expect([reply.status, reply.body.warnings]).toEqual([201, []]);
  });

  it('with a member that is down: it says that names may meet, and of new names what is not there', async () => {
    const { status, body } = await create(virtual('with-down', [{ server: 'down' }, { server: 'orders', rename: { gone: 'went' } }]));
    expect([status, body.warnings.map(({ code, pointer }) => [code, pointer])]).toEqual([201, [['member_tools_unknown', '/members/0'], ['renamed_tool_unknown', '/members/1/rename']]]);
  });

  it.each<[string, object, [string, string][]]>([
    ['kept from it', {}, [['caller_credential_kept', '/members/0/callerCredential']]],
    ['for it', { callerCredential: true }, []],
  ])('with a member that is called with what callers bring, which is %s', async (case_, more, warnings) => {
    const name = case_.replaceAll(' ', '-');
    expect((await create(mcp(name, search.url, { appAuth: { type: 'passthrough' } }))).status).toBe(201);
    const { status, body } = await create(virtual(`v-${name}`, [{ server: name, ...more }]));
    expect([status, body.warnings.map(({ code, pointer }) => [code, pointer])]).toEqual([201, warnings]);
  });

  it('with a member that has more than is looked at: nobody knows of the rest', async () => {
    const paged = await startRecordingUpstream();
    paged.handle(({ body, method }, response) => {
      const { id, method: asked, params } = (method === 'POST' ? JSON.parse(body.toString()) : {}) as { id?: number; method?: string; params?: { cursor?: string } };
      if (id === undefined) return void response.writeHead(method === 'POST' ? 202 : 405).end();
      const results: Readonly<Record<string, object>> = {
        initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'paged', version: '1' } },
        ...(params?.cursor === undefined && { 'tools/list': { tools: [{ name: 'first', inputSchema: { type: 'object' } }], nextCursor: 'more' } }),
      };
      const result = results[asked ?? ''];
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...(result === undefined ? { error: { code: -32603, message: 'no' } } : { result }) }));
    });
    expect((await create(mcp('paged', paged.url))).status).toBe(201);
    const { status, body } = await create(virtual('of-paged', [{ server: 'paged' }, { server: 'orders' }]));
    expect([status, body.warnings.map(({ code, pointer }) => [code, pointer])]).toEqual([201, [['member_tools_unknown', '/members/0']]]);
    await paged.close();
  });

  it('again when it denies less', async () => {
    const patched = await fixture.plane.send<ReadableServer & Problems>('PATCH', `${servers}/denied-here`, { body: { access: null }, headers: ifMatch });
    expect(problemsOf(patched.body)).toEqual([['/members/1', 'name_collision']]);
  });

  it('again when it is changed: by the same rules', async () => {
    const patch = (body: object) => fixture.plane.send<ReadableServer & Problems>('PATCH', `${servers}/apart`, { body, headers: ifMatch });
    expect(problemsOf((await patch({ members: [{ server: 'orders' }, { server: 'search' }] })).body)).toEqual([['/members/1', 'name_collision']]);
    expect(problemsOf((await patch({ agentAuth: { type: 'passthrough' } })).body)).toEqual([['/members/0/server', 'agent_auth_differs'], ['/members/1/server', 'agent_auth_differs']]);
    expect((await patch({ title: 'Apart' })).status).toBe(200);
  });

  it.each(['test', 'discover'])('and has no upstream to %s', async (action) => {
    const { status, body } = await fixture.plane.send<{ code: string }>('POST', `${servers}/all/${action}`);
    expect([status, body.code]).toEqual([409, 'no_upstream']);
  });
});

describe('P32 an open member that uses what is its callers’ own', () => {
  const source = { tokenUrl: 'https://sts.example/token', clientId: 'gatehouse', clientSecret: 's' };
  const outbound = (config: object) => ({ outboundHeaders: [{ name: 'X-User', source: config, required: false }] });
  const jwt = { issuer: 'https://id.example', jwksUrl: 'https://id.example/jwks', audience: 'x' };

  it.each<[string, object]>([
    ['a claim', outbound({ type: 'caller-identity', claim: 'email' })],
    ['a signed identity', outbound({ type: 'caller-identity', signed: true })],
    ['a token', outbound({ type: 'caller-token' })],
    ['a token that is exchanged', outbound({ type: 'on-behalf-of', ...source })],
    ['a credential that people enter', outbound({ type: 'credential', name: 'own', scope: 'user' })],
    ['an exchange in the place of a credential', { appAuth: { type: 'on-behalf-of', ...source } }],
    ['an account that people connect', { appAuth: { type: 'oauth-authorization-code', discover: true } }],
  ])('%s: is a member only where callers are known by the same rules', async (case_, config) => {
    const name = `uses-${case_.replaceAll(' ', '-')}`.slice(0, 40).replace(/-$/, '');
    expect((await create(mcp(name, search.url, { agentAuth: { type: 'passthrough' }, ...config }))).status).toBe(201);
    for (const agentAuth of [{ type: 'passthrough', jwt }, { type: 'api-key' }]) {
      const reply = await create(virtual('v', [{ server: name }], { agentAuth }));
      expect([reply.status, problemsOf(reply.body)]).toEqual([422, [['/members/0/server', 'agent_auth_differs']]]);
    }
    expect((await create(virtual(`v-${name}`, [{ server: name }], { agentAuth: { type: 'passthrough' } }))).status).toBe(201);
  });
});

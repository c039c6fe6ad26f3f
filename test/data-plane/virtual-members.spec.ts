import { randomUUID } from 'node:crypto';
import type { TokenAnswer } from '@gatehouse/access-tokens';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ana as anaClaims, ben as benClaims, signAccessToken } from '../support/access-token.ts';
import { type InProcessDataPlane, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { answerAsPets, petsOperations } from '../support/pets-api.ts';
import { type RawAnswer, type RawOptions, sendText } from '../support/raw-mcp.ts';
import { headerPairs, headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startSpecBroker, type SpecBroker } from '../support/token-broker.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';
import { type MemberUpstream, startMemberUpstream } from '../support/virtual-members.ts';

/* Each member is called as it is at its own URL: by whom, as whom, with which headers. */

let legacy: MemberUpstream;
let modern: MemberUpstream;
let pets: RecordingUpstream;
let issuer: TokenIssuer;
let broker: SpecBroker;
let dataPlane: InProcessDataPlane;
let connected: Set<string>;

const link = { connectUrl: 'https://gatehouse.example/connect/sealed-link', linkId: 'link-1', owner: 'app-1', app: 'GitHub', reason: 'not_connected' } as const;
const agentAuth = { type: 'interactive' } as const;

beforeAll(async () => {
  [legacy, modern, pets, issuer, broker] = await Promise.all([
    startMemberUpstream('legacy', { only: 'legacy' }), startMemberUpstream('modern', { only: 'modern' }), startRecordingUpstream(), startTokenIssuer(), startSpecBroker(),
  ]);
  dataPlane = await startPublicDataPlane(broker.environment);
  await dataPlane.publishAuthorizationServer(issuer);
  await dataPlane.publish(
    { name: 'legacy', upstream: { url: legacy.url }, agentAuth },
    { name: 'modern', upstream: { url: modern.url }, agentAuth, access: { allow: [{ user: 'ana@example.com' }] } },
    { name: 'github', upstream: { url: modern.url }, agentAuth, appAuth: { type: 'oauth-authorization-code', app: 'github' } },
    { name: 'pets', type: 'api', upstream: { url: `${pets.origin}/v1` }, agentAuth, tools: { operations: petsOperations }, appAuth: { type: 'api-key', name: 'X-Pets', in: 'header', value: 'key-of-pets' }, access: { tools: { deny: ['delete*'] } } },
    { name: 'kinds', type: 'virtual', agentAuth, members: [{ server: 'legacy', prefix: 'l_' }, { server: 'modern', prefix: 'm_' }, { server: 'pets', prefix: 'p_' }] },
    { name: 'strict', type: 'virtual', agentAuth, members: [{ server: 'legacy', prefix: 'l_' }, { server: 'down', prefix: 'd_' }], unavailableMembers: 'fail' },
    { name: 'lenient', type: 'virtual', agentAuth, members: [{ server: 'legacy', prefix: 'l_' }, { server: 'down', prefix: 'd_' }, { server: 'nobody' }] },
    { name: 'down', upstream: { url: 'http://127.0.0.1:1/mcp' }, agentAuth },
    { name: 'ruled', type: 'virtual', agentAuth, members: [{ server: 'legacy', prefix: 'l_' }, { server: 'pets', prefix: 'p_' }], access: { tools: { allow: ['p_*'] } } },
    { name: 'connects', type: 'virtual', agentAuth, members: [{ server: 'legacy', prefix: 'l_' }, { server: 'github', prefix: 'gh_', tools: ['echo'] }], unavailableMembers: 'fail' },
    { name: 'alone', type: 'virtual', agentAuth, members: [{ server: 'modern' }] },
  );
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([legacy, modern, pets, issuer, broker].map((part) => part.close()));
});
beforeEach(() => {
  connected = new Set();
  pets.requests.length = 0;
  pets.handle(answerAsPets);
  broker.answer(({ subject }): TokenAnswer => {
    const { person } = subject as { person: string };
    return connected.has(person) ? { status: 'token', accessToken: `token-of-${person}`, connection: `connection-${person}`, owner: 'app-1', person } : { status: 'connect_required', ...link };
  });
});

const version = '2026-07-28';
const names: Readonly<Record<string, string>> = { 'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri' };

/** One message of either era; the answer may have come on a stream. */
async function send(server: string, method: string, params: Record<string, unknown> = {}, { modern: capabilities, headers = {} }: RawOptions = {}, claims: object = anaClaims): Promise<RawAnswer> {
  const authorization = `Bearer ${await signAccessToken(issuer, `${dataPlane.url}/mcp/default/${server}`, { ...claims })}`;
  const name = params[names[method] ?? ''];
  const meta = { 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': capabilities };
  const ofEra = capabilities === undefined ? {} : { 'mcp-protocol-version': version, 'mcp-method': method, ...(typeof name === 'string' && { 'mcp-name': name }) };
  const response = await fetch(`${dataPlane.url}/mcp/default/${server}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization, ...ofEra, ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: capabilities === undefined ? params : { ...params, _meta: meta } }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, message: JSON.parse(/^data: (\{.*)$/m.exec(text)?.[1] ?? text) as RawAnswer['message'] };
}
const call = (server: string, name: string, options?: RawOptions, claims?: object, args: object = {}): Promise<RawAnswer> => send(server, 'tools/call', { name, arguments: args }, options, claims);
const textOf = ({ message }: RawAnswer): string | undefined => message.result?.content?.[0]?.text;
const toolsOf = ({ message }: RawAnswer): string[] => (message.result?.tools ?? []).map(({ name }) => name);
const unavailableIn = ({ message }: RawAnswer): unknown => (message.result?.['_meta'] as Record<string, unknown> | undefined)?.['gatehouse/unavailable'];
const eras: [string, RawOptions][] = [['legacy', {}], ['modern', { modern: {} }]];

describe.each(eras)('P32 members of mixed kinds, for a %s client', (_era, options) => {
  it('are called as themselves: an API is asked as its tool says, with its own key and without the caller’s token', async () => {
    expect(toolsOf(await send('kinds', 'tools/list', {}, options)).filter((name) => !name.startsWith('p_'))).toEqual(['l_echo', 'm_echo']);
    expect(textOf(await call('kinds', 'l_echo', options, anaClaims, { text: 'hi' }))).toBe('legacy echo hi');
    expect(textOf(await call('kinds', 'm_echo', options, anaClaims, { text: 'hi' }))).toBe('modern echo hi');
    await call('kinds', 'p_getPet', options, anaClaims, { petId: '7' });
    const [request] = pets.requests;
    expect([request?.method, request?.url, request && headerValue(request, 'x-pets'), request && headerPairs(request, 'authorization')]).toEqual(['GET', '/v1/pets/7', 'key-of-pets', []]);
  });

  it('keep their own rules of tools: what one denies is not listed and not called', async () => {
    expect(toolsOf(await send('kinds', 'tools/list', {}, options))).not.toContain('p_deletePet');
    expect((await call('kinds', 'p_deletePet', options, anaClaims, { petId: '7' })).message.error?.code).toBe(-32602);
    expect(pets.requests).toEqual([]);
  });

  it('keep their own rules of callers: who may not use one finds nothing of it', async () => {
    const tools = await send('kinds', 'tools/list', {}, options, benClaims);
    expect([toolsOf(tools).filter((name) => !name.startsWith('p_')), unavailableIn(tools)]).toEqual([['l_echo'], undefined]);
    expect((await call('kinds', 'm_echo', options, benClaims)).message.error?.code).toBe(-32602);
    expect(toolsOf(await send('alone', 'tools/list', {}, options, benClaims))).toEqual([]);
  });

  it('and the virtual server has its own, by the names that tools have there', async () => {
    expect(toolsOf(await send('ruled', 'tools/list', {}, options)).every((name) => name.startsWith('p_'))).toBe(true);
    expect((await call('ruled', 'l_echo', options)).message.error?.code).toBe(-32602);
  });
});

describe.each(eras)('P32 a member that is down, for a %s client', (_era, options) => {
  it('is left out of lists, and named; the others are used', async () => {
    const tools = await send('lenient', 'tools/list', {}, options);
    expect([toolsOf(tools), unavailableIn(tools)]).toEqual([['l_echo'], [{ server: 'nobody', code: 'server_not_found' }, { server: 'down', code: 'upstream_unreachable' }]]);
    expect(textOf(await call('lenient', 'l_echo', options))).toBe('legacy echo');
    const called = await call('lenient', 'd_echo', options);
    expect([called.status, called.message.error?.data?.['code']]).toEqual([502, 'upstream_unreachable']);
  });

  it('fails lists where that is wanted, and is named', async () => {
    const { status, message } = await send('strict', 'tools/list', {}, options);
    expect([status, message.error?.data]).toEqual([502, { code: 'upstream_unreachable', member: 'down' }]);
    expect(textOf(await call('strict', 'l_echo', options))).toBe('legacy echo');
  });

  it('is told of when a client begins', async () => {
    const begun = await send('lenient', options.modern === undefined ? 'initialize' : 'server/discover', options.modern === undefined ? { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'spec', version: '1' } } : {}, options);
    expect(begun.message.result?.['instructions']).toContain('down (upstream_unreachable)');
  });
});

it('P32 one of three members is killed in the middle: the two others go on, in lists and in calls', async () => {
  const victim = await startMemberUpstream('victim', { only: 'legacy' });
  await dataPlane.publish(
    { name: 'victim', upstream: { url: victim.url }, agentAuth },
    { name: 'three', type: 'virtual', agentAuth, members: [{ server: 'victim', prefix: 'v_' }, { server: 'modern', prefix: 'm_' }, { server: 'legacy', prefix: 'l_' }] },
  );
  const begun = await send('three', 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'spec', version: '1' } });
  const headers = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
  expect(toolsOf(await send('three', 'tools/list', {}, { headers }))).toEqual(['v_echo', 'm_echo', 'l_echo']);
  await victim.close();
  const tools = await send('three', 'tools/list', {}, { headers });
  expect([toolsOf(tools), unavailableIn(tools)]).toEqual([['m_echo', 'l_echo'], [{ server: 'victim', code: 'upstream_unreachable' }]]);
  expect(textOf(await call('three', 'm_echo', { headers }))).toBe('modern echo');
  expect(textOf(await call('three', 'l_echo', { headers }))).toBe('legacy echo');
});

describe('P32 who has no account at one member', () => {
  // A token that somebody has got is kept for them.
  const somebody = (): { readonly sub: string } => ({ ...anaClaims, sub: randomUUID() });

  it.each(eras)('uses the others, and finds the way to connect it: %s', async (_era, options) => {
    const who = somebody();
    expect(toolsOf(await send('connects', 'tools/list', {}, options, who))).toEqual(['l_echo', 'gh_connect_account']);
    expect(textOf(await call('connects', 'l_echo', options, who))).toBe('legacy echo');
    expect(textOf(await call('connects', 'gh_echo', options, who))).toContain(link.connectUrl);
    expect(textOf(await call('connects', 'gh_connect_account', options, who))).toContain(link.connectUrl);
    connected.add(who.sub);
    expect(toolsOf(await send('connects', 'tools/list', {}, options, who))).toEqual(['l_echo', 'gh_echo']);
    expect(textOf(await call('connects', 'gh_echo', options, who))).toBe('modern echo');
  });

  it('is asked in the way that the client knows, and the answer is for the gateway', async () => {
    const who = somebody();
    const options = { modern: { elicitation: { url: {} } } };
    const { message } = await call('connects', 'gh_echo', options, who);
    expect(message.result).toMatchObject({ resultType: 'input_required', inputRequests: { gatehouse_connect: { params: { url: link.connectUrl } } } });
    connected.add(who.sub);
    const answered = await send('connects', 'tools/call', { name: 'gh_echo', arguments: {}, requestState: message.result?.['requestState'], inputResponses: { gatehouse_connect: { action: 'accept' } } }, options, who);
    expect(textOf(answered)).toBe('modern echo');
  });

  it('is told by a legacy client that opens links', async () => {
    const who = somebody();
    const begun = await send('connects', 'initialize', { protocolVersion: '2025-11-25', capabilities: { elicitation: { url: {} } }, clientInfo: { name: 'spec', version: '1' } }, {}, who);
    const { message } = await call('connects', 'gh_echo', { headers: { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' } }, who);
    expect(message.error).toMatchObject({ code: -32042, data: { elicitations: [{ url: link.connectUrl }] } });
  });
});

describe('P32 whoever a member would not let in does not get in by a virtual server', () => {
  it.each<[string, object]>([
    ['asks for another scope', { agentAuth: { type: 'interactive', scopes: ['more'] } }],
    ['asks for a key', { agentAuth: { type: 'api-key' } }],
    ['asks for another issuer’s token', { agentAuth: { type: 'passthrough', jwt: { issuer: 'https://id.example', jwksUrl: 'https://id.example/jwks', audience: 'x' } } }],
    ['is switched off', { enabled: false }],
  ])('once the member %s', async (_case, change) => {
    await dataPlane.publish(
      { name: 'changes', upstream: { url: modern.url }, agentAuth },
      { name: 'of-changes', type: 'virtual', agentAuth, members: [{ server: 'changes' }] },
    );
    expect(textOf(await call('of-changes', 'echo'))).toBe('modern echo');
    await dataPlane.publish({ name: 'changes', upstream: { url: modern.url }, agentAuth, ...change });
    const before = modern.requests.length;
    expect((await call('of-changes', 'echo')).message.error?.code).toBe(-32602);
    expect(unavailableIn(await send('of-changes', 'tools/list'))).toEqual([{ server: 'changes', code: 'enabled' in change ? 'server_disabled' : 'agent_auth_differs' }]);
    expect(modern.requests).toHaveLength(before);
  });

  it('and its token goes nowhere (D2): a member that would pass one on gets none of the virtual server’s', async () => {
    await dataPlane.publish(
      { name: 'passes', upstream: { url: pets.url }, agentAuth: { type: 'passthrough', restrictedHeaders: ['x-secret-*'] }, appAuth: { type: 'passthrough' } },
      { name: 'of-passing', type: 'virtual', agentAuth, members: [{ server: 'passes' }] },
    );
    pets.handle(({ body }, response) => {
      const { id } = JSON.parse(body.toString()) as { id: number };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [], resultType: 'complete' } }));
    });
    await call('of-passing', 'echo', { modern: {}, headers: { 'x-trace': 't', 'x-secret-a': 's' } });
    const [request] = pets.requests;
    expect(request && [headerPairs(request, 'authorization'), headerValue(request, 'x-trace'), headerPairs(request, 'x-secret-a')]).toEqual([[], 't', []]);
  });
});

it('P32 names and bodies: Mcp-Name and the message say the member’s own name, and nothing else has changed', async () => {
  await dataPlane.publish(
    { name: 'raw', upstream: { url: pets.url }, agentAuth },
    { name: 'of-raw', type: 'virtual', agentAuth, members: [{ server: 'raw', prefix: 'r_' }] },
  );
  pets.handle((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":12345678901234567890,"result":{"content":[],"resultType":"complete"}}'));
  const body = `{"jsonrpc":"2.0","id":12345678901234567890,"method":"tools/call","params":{"arguments":{"n":1.0,"big":98765432109876543210},"name":"r_été","_meta":{"io.modelcontextprotocol/protocolVersion":"${version}","io.modelcontextprotocol/clientCapabilities":{}}}}`;
  const authorization = `Bearer ${await signAccessToken(issuer, `${dataPlane.url}/mcp/default/of-raw`, { ...anaClaims })}`;
  await sendText(`${dataPlane.url}/mcp/default/of-raw`, body, { authorization, 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': `=?base64?${Buffer.from('r_été').toString('base64')}?=` });
  const [request] = pets.requests;
  expect(request && [request.body.toString(), headerValue(request, 'mcp-name')]).toEqual([body.replace('"r_été"', '"été"'), `=?base64?${Buffer.from('été').toString('base64')}?=`]);
});

it('P32 a list goes on where it ended, at each member that has more', async () => {
  await dataPlane.publish(
    { name: 'paged', upstream: { url: pets.url }, agentAuth },
    { name: 'of-paged', type: 'virtual', agentAuth, members: [{ server: 'modern' }, { server: 'paged' }] },
  );
  // In pages of two; of the names one is the other member's already, and comes on a later page.
  const all = ['a', 'b', 'c', 'echo', 'd'];
  pets.handle(({ body }, response) => {
    const { id, params } = JSON.parse(body.toString()) as { id: number; params: { cursor?: string } };
    const from = Number(params.cursor ?? 0);
    const tools = all.slice(from, from + 2).map((name) => ({ name, inputSchema: { type: 'object' } }));
    const more = from + 2 < all.length ? { nextCursor: String(from + 2) } : {};
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result: { tools, ...more, resultType: 'complete', ttlMs: 5, cacheScope: 'public' } }));
  });
  const listed: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await send('of-paged', 'tools/list', cursor === undefined ? {} : { cursor }, { modern: {} });
    expect(page.message.result?.['cacheScope']).toBe('private');
    listed.push(toolsOf(page));
    cursor = page.message.result?.nextCursor;
  } while (cursor !== undefined);
  expect(listed).toEqual([['echo', 'a', 'b'], ['c'], ['d']]);
  const ofBen = await send('of-paged', 'tools/list', { cursor: (await send('of-paged', 'tools/list', {}, { modern: {} })).message.result?.nextCursor }, { modern: {} }, benClaims);
  expect(ofBen.message.error?.code).toBe(-32602);
});

it('P32 an HTTP+SSE client is told where to connect', async () => {
  const authorization = `Bearer ${await signAccessToken(issuer, `${dataPlane.url}/sse/default/kinds`, { ...anaClaims })}`;
  const response = await fetch(`${dataPlane.url}/sse/default/kinds`, { headers: { authorization, accept: 'text/event-stream' } });
  expect([response.status, ((await response.json()) as RawAnswer['message']).error?.data?.['code']]).toEqual([404, 'streamable_http_only']);
});

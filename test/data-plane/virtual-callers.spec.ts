import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { type RawAnswer, type RawOptions, sendRaw } from '../support/raw-mcp.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* Who somebody is at a member, and what of theirs goes there, is as the member's own rules have it. */

let upstream: RecordingUpstream;
let other: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let key: string;

/** One that lists these tools, to anybody, and answers with its name. */
const answerWith = (name: string, tools: readonly string[]) => (server: RecordingUpstream): void =>
  server.handle(({ body }, response) => {
    const { id, method } = JSON.parse(body.toString()) as { id: number; method: string };
    const result = method === 'tools/list' ? { tools: tools.map((tool) => ({ name: tool, inputSchema: { type: 'object' } })), ttlMs: 0, cacheScope: 'private' } : { content: [{ type: 'text', text: name }] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } }));
  });

beforeAll(async () => {
  [upstream, other, dataPlane] = await Promise.all([startRecordingUpstream(), startRecordingUpstream(), startInProcessDataPlane()]);
  key = await dataPlane.addServiceAccount('ana');
});
afterAll(() => Promise.all([upstream.close(), other.close(), dataPlane.close()]));
beforeEach(() => {
  answerWith('upstream', ['echo'])(upstream);
  answerWith('other', ['echo', 'more'])(other);
  upstream.requests.length = other.requests.length = 0;
});

const agentAuth = { type: 'api-key' } as const;
const options = (headers: Readonly<Record<string, string>> = {}): RawOptions => ({ modern: {}, headers: { 'x-gatehouse-key': key, ...headers } });
const send = (server: string, method: string, params: Record<string, unknown> = {}, given = options()): Promise<RawAnswer> => sendRaw(`${dataPlane.url}/mcp/default/${server}`, method, params, given);
const call = (server: string, name: string, given?: RawOptions): Promise<RawAnswer> => send(server, 'tools/call', { name, arguments: {} }, given);
const textOf = ({ message }: RawAnswer): string | undefined => message.result?.content?.[0]?.text;
const unavailableIn = ({ message }: RawAnswer): unknown => (message.result?.['_meta'] as Record<string, unknown> | undefined)?.['gatehouse/unavailable'];

describe('P32 an open member that says who calls', () => {
  it('is told by nobody’s rules but its own: an editor’s keys make nobody another one', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' };
    const token = await new SignJWT({ email: 'ceo@corp.example' }).setProtectedHeader({ alg: 'ES256', kid: 'k' }).setSubject('ceo').setIssuer('https://evil.example').setExpirationTime('5m').sign(privateKey);
    await dataPlane.publish(
      { name: 'told', upstream: { url: upstream.url }, outboundHeaders: [{ name: 'X-User', source: { type: 'caller-identity', claim: 'email' }, required: false }] },
      { name: 'forwarded', upstream: { url: upstream.url }, outboundHeaders: [{ name: 'X-User', source: { type: 'caller-token' }, required: false }] },
      { name: 'plain', upstream: { url: other.url } },
      { name: 'of-own-keys', type: 'virtual', agentAuth: { type: 'passthrough', jwt: { jwks: { keys: [jwk as never] } } }, members: [{ server: 'told', prefix: 't_' }, { server: 'forwarded', prefix: 'f_' }, { server: 'plain', prefix: 'p_' }] },
    );
    const given: RawOptions = { modern: {}, headers: { authorization: `Bearer ${token}` } };
    for (const name of ['t_echo', 'f_echo']) expect((await call('of-own-keys', name, given)).message.error?.code).toBe(-32602);
    expect(upstream.requests).toEqual([]);
    expect(unavailableIn(await send('of-own-keys', 'tools/list', {}, given))).toEqual([{ server: 'told', code: 'agent_auth_differs' }, { server: 'forwarded', code: 'agent_auth_differs' }]);
    expect(textOf(await call('of-own-keys', 'p_echo', given))).toBe('other');
  });

  it('is one where callers are known by the same rules', async () => {
    await dataPlane.publish(
      { name: 'named', upstream: { url: upstream.url }, agentAuth, outboundHeaders: [{ name: 'X-User', source: { type: 'caller-identity', claim: 'name' } }] },
      { name: 'of-named', type: 'virtual', agentAuth, members: [{ server: 'named' }] },
    );
    await call('of-named', 'echo');
    expect(headerValue(upstream.requests[0] as never, 'x-user')).toBe('ana');
  });
});

it('P32 a member that a caller may not use is not named to it, whatever else is wrong with it', async () => {
  const access = { allow: [{ serviceAccount: 'ben' }] };
  await dataPlane.publish(
    { name: 'off', upstream: { url: upstream.url }, agentAuth, access, enabled: false },
    { name: 'differs', upstream: { url: upstream.url }, agentAuth: { type: 'interactive' }, access },
    { name: 'off-for-all', upstream: { url: upstream.url }, agentAuth, enabled: false },
    { name: 'of-hidden', type: 'virtual', agentAuth, members: [{ server: 'off' }, { server: 'differs' }, { server: 'off-for-all' }, { server: 'nobody' }] },
  );
  expect(unavailableIn(await send('of-hidden', 'tools/list'))).toEqual([{ server: 'off-for-all', code: 'server_disabled' }, { server: 'nobody', code: 'server_not_found' }]);
});

describe('P32 what a caller brings for one upstream', () => {
  const headersAt = ({ requests }: RecordingUpstream): (string | undefined)[] => requests.map((request) => headerValue(request, 'authorization'));

  it('goes to no member that does not say so (D3)', async () => {
    await dataPlane.publish(
      { name: 'takes', upstream: { url: upstream.url }, agentAuth },
      { name: 'none', upstream: { url: other.url }, agentAuth, headerPolicy: { mode: 'all' } },
      { name: 'of-taking', type: 'virtual', agentAuth, members: [{ server: 'none', prefix: 'n_' }, { server: 'takes', prefix: 't_', callerCredential: true }] },
    );
    const given = options({ 'x-upstream-authorization': 'Bearer for-one', 'x-trace': 't' });
    await send('of-taking', 'tools/list', {}, given);
    await call('of-taking', 't_echo', given);
    await call('of-taking', 'n_echo', given);
    expect([new Set(headersAt(upstream)), new Set(headersAt(other))]).toEqual([new Set(['Bearer for-one']), new Set([undefined])]);
    // It is about credentials: the rest is as each member's policy has it.
    expect(other.requests.map((request) => headerValue(request, 'x-trace'))).toContain('t');
  });

  it('as Authorization neither (D2)', async () => {
    await dataPlane.publish(
      { name: 'passes', upstream: { url: upstream.url }, appAuth: { type: 'passthrough' } },
      { name: 'passes-too', upstream: { url: other.url }, appAuth: { type: 'passthrough' } },
      { name: 'of-passing', type: 'virtual', agentAuth: { type: 'passthrough' }, members: [{ server: 'passes', callerCredential: true, prefix: 'a_' }, { server: 'passes-too', prefix: 'b_' }] },
    );
    const given: RawOptions = { modern: {}, headers: { authorization: 'Bearer for-one' } };
    await send('of-passing', 'tools/list', {}, given);
    expect([new Set(headersAt(upstream)), new Set(headersAt(other))]).toEqual([new Set(['Bearer for-one']), new Set([undefined])]);
  });
});

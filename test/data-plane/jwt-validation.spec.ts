import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { postLines, rawRequest } from '../support/raw-request.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

let upstream: RecordingUpstream;
let issuer: TokenIssuer;
let dataPlane: InProcessDataPlane;
const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'inspect', arguments: {} } });

beforeAll(async () => {
  // Before anything reads the clock: tokens expire when a spec says so.
  vi.useFakeTimers({ toFake: ['Date'] });
  [upstream, issuer] = await Promise.all([startRecordingUpstream(), startTokenIssuer('RS256')]);
  dataPlane = await startInProcessDataPlane();
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close()]);
  vi.useRealTimers();
});

/** Publishes a server that takes tokens of this issuer, or as `jwt` says. */
const publish = (name: string, jwt: object = {}, from: TokenIssuer = issuer): Promise<void> =>
  dataPlane.publish({ name, upstream: { url: upstream.url }, agentAuth: { type: 'passthrough', jwt: { jwksUrl: from.jwksUrl, issuer: from.url, audience: name, ...jwt } } });

const post = (name: string, authorization?: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${dataPlane.url}/mcp/default/${name}`, {
    method: 'POST', headers: { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }), ...headers }, body: call,
  });
const codeOf = async (response: Response): Promise<string> => ((await response.json()) as { error: { data: { code: string } } }).error.data.code;
const challengeOf = (response: Response): string => response.headers.get('www-authenticate') ?? '';

describe('a caller with a good token', () => {
  it('is served, and the upstream sees nothing of the token', async () => {
    await publish('orders');
    const token = await issuer.sign({ aud: 'orders' });
    const seen = upstream.nextRequest();
    expect((await post('orders', `Bearer ${token}`)).status).toBe(200);
    const { url, rawHeaders, body } = await seen;
    expect(`${url}${rawHeaders.join('\n')}${body.toString()}`).not.toContain(token.split('.')[1]);
    expect(rawHeaders.map((text) => text.toLowerCase())).not.toContain('authorization');
  });

  it('is served on the very keys that were pasted', async () => {
    await publish('pasted', { jwksUrl: undefined, jwks: JSON.stringify({ keys: [issuer.key.publicJwk] }) });
    const { fetches } = issuer;
    expect((await post('pasted', `bearer   ${await issuer.sign({ aud: 'pasted' })}`)).status).toBe(200);
    expect(issuer.fetches).toBe(fetches);
  });

  it('costs its issuer one request, however many servers and calls there are', async () => {
    const own = await startTokenIssuer();
    await publish('one', { audience: 'shared' }, own);
    await publish('two', { audience: 'shared' }, own);
    const token = `Bearer ${await own.sign({ aud: 'shared' })}`;
    const responses = await Promise.all(['one', 'two', 'one', 'two'].map((name) => post(name, token)));
    expect([responses.map(({ status }) => status), own.fetches]).toEqual([[200, 200, 200, 200], 1]);
    await own.close();
  });

  it('owns the sessions it opens: with another token they are none', async () => {
    await publish('sessions');
    upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's1' }).end('{}'));
    const [ana, anaAgain, ben] = await Promise.all(['ana', 'ana', 'ben'].map(async (sub, index) => `Bearer ${await issuer.sign({ aud: 'sessions', sub, jti: String(index) })}`));
    const session = (await post('sessions', ana)).headers.get('mcp-session-id') ?? '';
    expect((await post('sessions', anaAgain, { 'mcp-session-id': session })).status).toBe(200);
    const foreign = await post('sessions', ben, { 'mcp-session-id': session });
    expect([foreign.status, await codeOf(foreign)]).toEqual([404, 'session_not_found']);
    expect((await post('sessions', undefined, { 'mcp-session-id': session })).status).toBe(401);
  });

  it('is not served any more when it has expired, though it was known', async () => {
    await publish('expiring', { clockToleranceSeconds: 10 });
    const now = Date.now();
    const token = `Bearer ${await issuer.sign({ aud: 'expiring', exp: Math.floor(now / 1000) + 60 })}`;
    expect((await post('expiring', token)).status).toBe(200);
    vi.setSystemTime(now + 68_000);
    expect((await post('expiring', token)).status).toBe(200);
    vi.setSystemTime(now + 70_000);
    const expired = await post('expiring', token);
    vi.setSystemTime(now);
    expect([expired.status, challengeOf(expired)]).toEqual([401, 'Bearer realm="gatehouse", error="invalid_token", error_description="The token has expired."']);
  });
});

describe('a caller without', () => {
  it('is asked for a token, and no error is named (RFC 6750 section 3.1)', async () => {
    await publish('asking');
    for (const authorization of [undefined, 'Basic YTpi', 'Bearer']) {
      const response = await post('asking', authorization);
      expect([response.status, challengeOf(response), await codeOf(response)]).toEqual([401, 'Bearer realm="gatehouse"', 'unauthenticated']);
    }
  });

  it('cannot send it anywhere but in Authorization', async () => {
    await publish('elsewhere');
    const token = await issuer.sign({ aud: 'elsewhere' });
    const inHeaders = await post('elsewhere', undefined, { 'x-gatehouse-key': token, 'x-upstream-authorization': `Bearer ${token}`, cookie: `access_token=${token}` });
    const inQuery = await fetch(`${dataPlane.url}/mcp/default/elsewhere?access_token=${token}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: call });
    expect([inHeaders.status, inQuery.status]).toEqual([401, 401]);
  });

  it('may not send two', async () => {
    await publish('twice');
    const token = await issuer.sign({ aud: 'twice' });
    const { host } = new URL(dataPlane.url);
    const lines = postLines('/mcp/default/twice', host, call, `Authorization: Bearer ${token}`, `authorization: Bearer ${token}`);
    const reply = await rawRequest(dataPlane.url, lines, call);
    expect([reply.status, reply.body]).toEqual([400, expect.stringContaining('duplicate_header')]);
  });
});

describe('the issuer', () => {
  it('may be away: those with keys that are known are served, also with tokens that are new', async () => {
    const own = await startTokenIssuer();
    await publish('outage', {}, own);
    expect((await post('outage', `Bearer ${await own.sign({ aud: 'outage' })}`)).status).toBe(200);
    own.goAway();
    expect((await post('outage', `Bearer ${await own.sign({ aud: 'outage', sub: 'ben' })}`)).status).toBe(200);
    const former = await own.rotate();
    const unknown = await post('outage', `Bearer ${await own.sign({ aud: 'outage' })}`);
    expect([unknown.status, challengeOf(unknown)]).toEqual([401, expect.stringContaining('a key that its issuer does not publish')]);
    expect((await post('outage', `Bearer ${await own.sign({ aud: 'outage', sub: 'cleo' }, { key: former })}`)).status).toBe(200);
    expect(own.fetches).toBe(2);
    await own.close();
  });

  it('that was never reached lets nobody in: 503, and the reason is in the log', async () => {
    const own = await startTokenIssuer();
    own.goAway();
    await publish('unreached', {}, own);
    const response = await post('unreached', `Bearer ${await own.sign({ aud: 'unreached' })}`);
    expect([response.status, response.headers.get('retry-after'), await codeOf(response)]).toEqual([503, '1', 'caller_keys_unavailable']);
    expect(dataPlane.log.some((line) => line.includes('a key set could not be fetched') && line.includes(own.jwksUrl))).toBe(true);
    // Without a token there is nothing to fetch for.
    expect((await post('unreached')).status).toBe(401);
    await own.close();
  });

  it.each<[string, Parameters<TokenIssuer['answer']>[0]]>([
    ['garbage', (response) => void response.end('<html>')],
    ['a redirect to its keys', (response) => void response.writeHead(302, { location: '/elsewhere' }).end()],
    ['more than 256 KiB', (response) => void response.end(JSON.stringify({ keys: [], padding: 'x'.repeat(300_000) }))],
    ['an error with keys in it', (response) => void response.writeHead(500).end(JSON.stringify({ keys: [issuer.key.publicJwk] }))],
  ])('that answers %s lets nobody in', async (_name, answer) => {
    const own = await startTokenIssuer();
    own.answer(answer);
    await publish('garbage', {}, own);
    const response = await post('garbage', `Bearer ${await own.sign({ aud: 'garbage' })}`);
    expect([response.status, await codeOf(response), own.fetches]).toEqual([503, 'caller_keys_unavailable', 1]);
    await own.close();
  });

  it('at an address that the deployment does not allow is not connected to', async () => {
    const own = await startTokenIssuer();
    const strict = await startInProcessDataPlane({ GATEHOUSE_EGRESS_ALLOWED_RANGES: '' });
    await strict.publish({ name: 'inside', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough', jwt: { jwksUrl: own.jwksUrl } } });
    const response = await fetch(`${strict.url}/mcp/default/inside`, { method: 'POST', headers: { authorization: `Bearer ${await own.sign()}` }, body: call });
    expect([response.status, await codeOf(response), own.fetches]).toEqual([503, 'caller_keys_unavailable', 0]);
    await strict.close();
    await own.close();
  });
});

it('nothing of a token is ever in the log', async () => {
  await publish('quiet');
  const [good, bad] = await Promise.all([issuer.sign({ aud: 'quiet', sub: 'marked-subject-5d1' }), issuer.sign({ aud: 'marked-audience-5d1' })]);
  expect([(await post('quiet', `Bearer ${good}`)).status, (await post('quiet', `Bearer ${bad}`)).status]).toEqual([200, 401]);
  const log = dataPlane.log.join('\n');
  for (const text of ['marked-subject-5d1', 'marked-audience-5d1', good.split('.')[1] ?? '', bad.split('.')[2] ?? '']) expect(log).not.toContain(text);
  expect(log).toContain('wrong_audience');
});

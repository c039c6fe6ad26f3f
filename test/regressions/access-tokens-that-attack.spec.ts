import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ana, ben, signAccessToken } from '../support/access-token.ts';
import { type InProcessDataPlane, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { makeSigningKey, startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

let upstream: RecordingUpstream;
let issuer: TokenIssuer;
let attacker: TokenIssuer;
let dataPlane: InProcessDataPlane;
let key: string;

beforeAll(async () => {
  [upstream, issuer, attacker, dataPlane] = await Promise.all([startRecordingUpstream(), startTokenIssuer(), startTokenIssuer(), startPublicDataPlane()]);
  await dataPlane.publishAuthorizationServer(issuer);
  const target = { upstream: { url: upstream.url } };
  const interactive = { agentAuth: { type: 'interactive' } } as const;
  await dataPlane.publish(
    { name: 'orders', ...target, ...interactive },
    { name: 'billing', ...target, ...interactive },
    { name: 'orders', workspace: 'other', ...target, ...interactive },
    { name: 'jwt', ...target, agentAuth: { type: 'passthrough', jwt: { jwksUrl: issuer.jwksUrl, issuer: issuer.url } } },
    { name: 'keys', ...target, agentAuth: { type: 'api-key' } },
  );
  key = await dataPlane.addServiceAccount('ci');
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close(), attacker.close()]);
});
beforeEach(() => void (upstream.requests.length = 0));

const urlOf = (name = 'orders', workspace = 'default', form = 'mcp'): string => `${dataPlane.url}/${form}/${workspace}/${name}`;
const post = (token: string | undefined, url = urlOf(), headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
  });
const good = (claims: object = {}, header: object = {}, audience = urlOf()): Promise<string> => signAccessToken(issuer, audience, { ...claims }, { header: { ...header } });
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);

it('a good token passes, or the rest would say nothing', async () => {
  expect((await post(await good())).status).toBe(200);
});

describe('refused with 401, and nothing reaches the upstream', () => {
  it.each<[string, () => string | Promise<string>]>([
    ['a token of another server', () => good({}, {}, urlOf('billing'))],
    ['a token of another workspace’s server of the same name', () => good({}, {}, urlOf('orders', 'other'))],
    ['a token of a server whose name begins like it', () => good({}, {}, urlOf('orders-eu'))],
    ['a token for the whole gateway', () => good({}, {}, dataPlane.url)],
    ['a token for the authorization server itself', () => good({}, {}, issuer.url)],
    ['an ID token of the same issuer and keys', () => good({ nonce: 'n' }, { typ: 'JWT' })],
    ['an ID token that names no type', () => good({}, { typ: undefined })],
    ['a logout token', () => good({}, { typ: 'logout+jwt' })],
    ['a signed connect state of ours', () => good({}, { typ: 'state+jwt' })],
    ['an expired one', () => good({ exp: now() - 31 })],
    ['one that is not valid yet', () => good({ nbf: now() + 3_600 })],
    ['one without a grant, which nobody could revoke', () => good({ grant: undefined })],
    ['one of another issuer, with the issuer’s key id', () => attacker.sign({ ...ana, iss: issuer.url, aud: urlOf(), client_id: 'c', iat: now(), jti: 'j' }, { header: { typ: 'at+jwt', kid: issuer.key.kid } })],
    ['one whose header brings its own key', async () => signAccessToken(issuer, urlOf(), {}, { header: { jwk: attacker.key.publicJwk, jku: attacker.jwksUrl }, key: { ...attacker.key, kid: issuer.key.kid } })],
    ['one signed with another algorithm', async () => signAccessToken(issuer, urlOf(), {}, { key: await makeSigningKey('RS256', issuer.key.kid) })],
    ['one without a signature', async () => `${encode({ alg: 'none', typ: 'at+jwt' })}.${(await good()).split('.')[1]}.`],
    ['one with the subject changed', async () => (await good()).replace(/\..*\./, `.${encode({ ...ben, iss: issuer.url, aud: urlOf(), client_id: 'c', iat: now(), exp: now() + 300, jti: 'j' })}.`)],
    ['a service account’s key', () => key],
  ])('%s', async (_, make) => {
    const response = await post(await make());
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('error="invalid_token"')]);
    expect(upstream.requests).toEqual([]);
    expect(attacker.fetches).toBe(0);
  });

  it('a service account’s key, in its own header', async () => {
    expect((await post(undefined, urlOf(), { 'x-gatehouse-key': key })).status).toBe(401);
    expect((await post(key, urlOf('keys'))).status).toBe(200);
  });

  it('a token right after another server took it', async () => {
    const token = await good({}, {}, urlOf('billing'));
    expect([(await post(token, urlOf('billing'))).status, (await post(token)).status, (await post(token, urlOf('orders', 'other'))).status]).toEqual([200, 401, 401]);
  });

  it('a person’s token, at a server of service accounts', async () => {
    expect((await post(await good({}, {}, urlOf('keys')), urlOf('keys'))).status).toBe(401);
  });

  it('a revoked one, though it was known, with the next revision, at every server and in every session', async () => {
    upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's1' }).end('{}'));
    const [token, second] = [await good(), await good({}, {}, urlOf('billing'))];
    const session = (await post(token)).headers.get('mcp-session-id') ?? '';
    expect((await post(second, urlOf('billing'))).status).toBe(200);
    upstream.requests.length = 0;
    await dataPlane.publishAuthorizationServer(issuer, [ana.grant]);
    expect([(await post(token)).status, (await post(second, urlOf('billing'))).status, (await post(token, urlOf(), { 'mcp-session-id': session })).status]).toEqual([401, 401, 401]);
    expect(upstream.requests).toEqual([]);
    await dataPlane.publishAuthorizationServer(issuer);
  });
});

describe('a session id of another person', () => {
  const open = async (token: string, url = urlOf()): Promise<string> => (await post(token, url)).headers.get('mcp-session-id') ?? '';
  const withSession = async (token: string, session: string, url = urlOf()): Promise<number> => (await post(token, url, { 'mcp-session-id': session })).status;
  beforeEach(() => upstream.handle((_request, response) => void response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's1' }).end('{}')));

  it('is none, nor is one of another server or workspace', async () => {
    const [anas, bens] = [await good(), await good({ ...ben })];
    const session = await open(anas);
    expect(await withSession(anas, session)).toBe(200);
    upstream.requests.length = 0;
    expect(await withSession(bens, session)).toBe(404);
    for (const [name, workspace] of [['billing', 'default'], ['orders', 'other']] as const) {
      const url = urlOf(name, workspace);
      expect(await withSession(await good({}, {}, url), session, url)).toBe(404);
    }
    expect(upstream.requests).toEqual([]);
  });

  it('cannot be had by a token that calls its subject by the same id elsewhere', async () => {
    const url = urlOf('jwt');
    const session = await open(await issuer.sign({ sub: ana.sub }), url);
    expect(await withSession(await issuer.sign({ sub: `person:${ana.sub}` }), session, url)).toBe(404);
  });
});

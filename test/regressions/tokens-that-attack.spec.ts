import { createHmac, createPublicKey } from 'node:crypto';
import { GeneralSign } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { makeSigningKey, startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

let upstream: RecordingUpstream;
let issuer: TokenIssuer;
let attacker: TokenIssuer;
let dataPlane: InProcessDataPlane;
const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

beforeAll(async () => {
  [upstream, issuer, attacker] = await Promise.all([startRecordingUpstream(), startTokenIssuer('RS256'), startTokenIssuer('RS256')]);
  dataPlane = await startInProcessDataPlane();
  await dataPlane.publish(
    { name: 'orders', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough', jwt: { jwksUrl: issuer.jwksUrl, issuer: issuer.url, audience: 'orders', clockToleranceSeconds: 0 } } },
    { name: 'billing', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough', jwt: { jwksUrl: issuer.jwksUrl, issuer: issuer.url, audience: 'billing' } } },
  );
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close(), attacker.close()]);
});
beforeEach(() => void (upstream.requests.length = 0));

const post = (token: string, name = 'orders'): Promise<Response> =>
  fetch(`${dataPlane.url}/mcp/default/${name}`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: call });
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const good = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> => issuer.sign({ aud: 'orders', ...claims }, { header });
/** A token whose header and claims are the attacker's choice, signed by the attacker under the issuer's key id. */
const forged = (header: Record<string, unknown> = {}, claims: Record<string, unknown> = {}): Promise<string> =>
  attacker.sign({ iss: issuer.url, aud: 'orders', ...claims }, { header: { kid: issuer.key.kid, ...header } });
const hmacToken = (secret: string): string => {
  const input = `${encode({ alg: 'HS256', kid: issuer.key.kid, typ: 'JWT' })}.${encode({ iss: issuer.url, aud: 'orders', sub: 'root', exp: nowSeconds() + 300 })}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};
const withPayload = (token: string, claims: object): string => token.replace(/\..*\./, `.${encode(claims)}.`);
const pem = (): string => createPublicKey({ format: 'jwk', key: issuer.key.publicJwk }).export({ format: 'pem', type: 'spki' }) as string;

it('a good token passes, or the rest would say nothing', async () => {
  expect((await post(await good())).status).toBe(200);
});

describe('refused with 401, and nothing reaches the upstream', () => {
  it.each<[string, RegExp, () => string | Promise<string>]>([
    ['alg none', /algorithm/, async () => `${encode({ alg: 'none', typ: 'JWT' })}.${(await good()).split('.')[1]}.`],
    ['alg none with the signature left on', /algorithm/, async () => `${encode({ alg: 'None' })}.${(await good()).split('.').slice(1).join('.')}`],
    ['HMAC with the public key as secret (PEM)', /algorithm/, () => hmacToken(pem())],
    ['HMAC with the public key as secret (PEM without its last line break)', /algorithm/, () => hmacToken(pem().trim())],
    ['HMAC with the public key as secret (JWK)', /algorithm/, () => hmacToken(JSON.stringify(issuer.key.publicJwk))],
    ['HMAC with an empty secret', /algorithm/, () => hmacToken('')],
    ['another key under the issuer’s key id', /signature/, () => forged()],
    ['a key id that is a path', /a key/, () => forged({ kid: '../../../../dev/null' })],
    ['a key id that is SQL', /a key/, () => forged({ kid: "' UNION SELECT 'secret' --" })],
    ['a key id that is a URL', /a key/, () => forged({ kid: `${attacker.url}/jwks` })],
    ['a key id out of a prototype', /a key/, () => forged({ kid: '__proto__' })],
    ['a very long key id', /a key/, () => forged({ kid: 'k'.repeat(8_000) })],
    ['a key set named by the token (jku)', /signature/, () => forged({ jku: attacker.jwksUrl })],
    ['a key set and a key named by the token (jku, kid)', /a key/, () => forged({ jku: attacker.jwksUrl, kid: 'attackers' })],
    ['a certificate named by the token (x5u)', /signature/, () => forged({ x5u: `${attacker.url}/certificate` })],
    ['a certificate in the token (x5c)', /signature/, () => forged({ x5c: ['MIIB'] })],
    ['a key in the token (jwk)', /signature/, () => forged({ jwk: attacker.key.publicJwk })],
    ['a header that it calls critical', /form/, () => good({}, { crit: ['unheardOf'], unheardOf: true })],
    ['an ID token', /type/, () => good({}, { typ: 'id_token+jwt' })],
    ['a logout token', /type/, () => good({}, { typ: 'logout+jwt' })],
    ['another audience', /audience/, () => good({ aud: 'others' })],
    ['no audience', /audience/, () => good({ aud: undefined })],
    ['an audience that begins like it', /audience/, () => good({ aud: 'orders-eu' })],
    ['another issuer', /issuer/, () => good({ iss: attacker.url })],
    ['an expiry that is past', /expired/, () => good({ exp: nowSeconds() - 1 })],
    ['a beginning that is to come', /not valid yet/, () => good({ nbf: nowSeconds() + 3_600 })],
    ['no expiry', /lacks a claim/, () => good({ exp: undefined })],
    ['another payload', /signature/, async () => withPayload(await good(), { iss: issuer.url, aud: 'orders', sub: 'root', exp: nowSeconds() + 300 })],
    ['no signature', /signature/, async () => (await good()).replace(/[^.]*$/, '')],
    ['a huge payload', /larger/, () => good({ padding: 'x'.repeat(14_000) })],
    ['two signatures (JWS JSON)', /form/, async () => {
      const both = await new GeneralSign(Buffer.from(JSON.stringify({ iss: issuer.url, aud: 'orders', exp: nowSeconds() + 300 })))
        .addSignature(issuer.key.privateKey).setProtectedHeader({ alg: 'RS256', kid: issuer.key.kid ?? '' })
        .addSignature(attacker.key.privateKey).setProtectedHeader({ alg: 'RS256', kid: 'attackers' })
        .sign();
      return JSON.stringify(both);
    }],
    ['two tokens in one', /form/, async () => `${await good()},${await good()}`],
    ['something that is no token', /form/, () => 'x"y\\z'],
  ])('%s', async (_name, says, make) => {
    const token = await make();
    const response = await post(token);
    const challenge = response.headers.get('www-authenticate') ?? '';
    expect(response.status).toBe(401);
    expect(challenge).toMatch(/^Bearer realm="gatehouse", error="invalid_token", error_description="[\x20\x21\x23-\x5b\x5d-\x7e]+"$/);
    expect(challenge).toMatch(says);
    expect(upstream.requests).toEqual([]);
    expect(attacker.fetches).toBe(0);
  });

  it('a token of another server’s audience, even right after that server took it', async () => {
    const token = await issuer.sign({ aud: 'billing' });
    expect((await post(token, 'billing')).status).toBe(200);
    expect((await post(token, 'orders')).status).toBe(401);
  });
});

it('a flood of tokens with made-up key ids causes no flood of requests to the issuer', async () => {
  const own = await startTokenIssuer();
  await dataPlane.publish({ name: 'flooded', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough', jwt: { jwksUrl: own.jwksUrl } } });
  expect((await post(await own.sign(), 'flooded')).status).toBe(200);
  const tokens = await Promise.all(Array.from({ length: 200 }, (_, index) => own.sign({}, { header: { kid: `made-up-${index}` } })));
  const statuses = await Promise.all(tokens.map(async (token) => (await post(token, 'flooded')).status));
  expect([...new Set(statuses)]).toEqual([401]);
  // The one that was needed, and one for all of the flood.
  expect(own.fetches).toBe(2);
  expect((await post(await own.sign(), 'flooded')).status).toBe(200);
  await own.close();
});

it('a new key id is fetched when it first shows, not when the old keys have aged (agentgateway #2798)', async () => {
  const own = await startTokenIssuer();
  await dataPlane.publish({ name: 'rotating', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough', jwt: { jwksUrl: own.jwksUrl } } });
  const before = await own.sign();
  expect((await post(before, 'rotating')).status).toBe(200);
  await own.rotate();
  expect((await post(await own.sign(), 'rotating')).status).toBe(200);
  expect((await post(before, 'rotating')).status).toBe(200);
  expect(own.fetches).toBe(2);
  await own.close();
});

it('also where the issuer’s keys have no ids', async () => {
  const own = await startTokenIssuer();
  const [former, next] = await Promise.all([makeSigningKey('ES256', undefined), makeSigningKey('ES256', undefined)]);
  own.publish(former.publicJwk);
  await dataPlane.publish({ name: 'nameless', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough', jwt: { jwksUrl: own.jwksUrl } } });
  expect((await post(await own.sign({}, { key: former }), 'nameless')).status).toBe(200);
  own.publish(next.publicJwk);
  expect((await post(await own.sign({}, { key: next }), 'nameless')).status).toBe(200);
  await own.close();
});

it('a key that was withdrawn is of no use to those who were let in by it before', async () => {
  const own = await startTokenIssuer();
  await dataPlane.publish({ name: 'withdrawn', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough', jwt: { jwksUrl: own.jwksUrl } } });
  const before = await own.sign();
  expect((await post(before, 'withdrawn')).status).toBe(200);
  await own.rotate({ withdraw: true });
  expect((await post(await own.sign(), 'withdrawn')).status).toBe(200);
  expect((await post(before, 'withdrawn')).status).toBe(401);
  await own.close();
});

it('an issuer that hands out a shared secret or a private key is not verified with them', async () => {
  const own = await startTokenIssuer('RS256');
  const { d: _d, ...publicPart } = own.key.publicJwk as Record<string, unknown>;
  own.publish({ kty: 'oct', kid: 'shared', alg: 'HS256', k: Buffer.from('secret').toString('base64url') }, { ...publicPart, d: 'AQAB' });
  await dataPlane.publish({ name: 'careless', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough', jwt: { jwksUrl: own.jwksUrl } } });
  const input = `${encode({ alg: 'HS256', kid: 'shared' })}.${encode({ sub: 'root', exp: nowSeconds() + 300 })}`;
  expect((await post(`${input}.${createHmac('sha256', 'secret').update(input).digest('base64url')}`, 'careless')).status).toBe(401);
  expect((await post(await own.sign(), 'careless')).status).toBe(401);
  await own.close();
});

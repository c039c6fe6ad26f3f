import { createHmac } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeSigningKey, type SigningKey, startTokenIssuer, type TokenIssuer } from '../../../test/support/token-issuer.ts';
import { fixedKeySet } from './key-set.ts';
import { readPublicKeys } from './public-keys.ts';
import { signatureAlgorithms } from './signature-algorithms.ts';
import { tokenDenials } from './token-denials.ts';
import { type TokenRules, verifyToken } from './verify-token.ts';

const now = 1_800_000_000_000;
const seconds = now / 1000;

let issuer: TokenIssuer;
let rsa: SigningKey;
beforeAll(async () => {
  issuer = await startTokenIssuer('ES256');
  rsa = await makeSigningKey('RS256', 'rsa-1');
});
afterAll(() => issuer.close());

const keySetOf = (...jwks: object[]) => fixedKeySet(readPublicKeys({ keys: jwks }) ?? expect.fail('no key set'));
const rules = (more: Partial<TokenRules> = {}): TokenRules => ({
  issuers: [issuer.url], audiences: ['gatehouse'], algorithms: new Set(signatureAlgorithms), clockToleranceSeconds: 30, requiredClaims: [], ...more,
});
const verify = (token: string, more: Partial<TokenRules> = {}, keys = keySetOf(issuer.key.publicJwk, rsa.publicJwk)) => verifyToken(token, keys, rules(more), now);
const claims = (more: Record<string, unknown> = {}) => ({ aud: 'gatehouse', exp: seconds + 60, ...more });
const encode = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

describe('a token is taken', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>, Partial<TokenRules>]>([
    ['as it is usual', {}, {}, {}],
    ['without a type', {}, { typ: undefined }, {}],
    ['that says it is an access token', {}, { typ: 'at+jwt' }, {}],
    ['whose type is a media type, in any case', {}, { typ: 'Application/AT+JWT' }, {}],
    ['with several audiences', { aud: ['other', 'gatehouse'] }, {}, {}],
    ['of one of several issuers', {}, {}, { get issuers() { return ['https://other.example', issuer.url]; } }],
    ['of any issuer and audience', { iss: 'x', aud: undefined }, {}, { get issuers() { return undefined as never; }, get audiences() { return undefined as never; } }],
    ['within the tolerance of its expiry', { exp: seconds - 29 }, {}, {}],
    ['within the tolerance of its beginning', { nbf: seconds + 30 }, {}, {}],
    ['with the claims it must have', { scope: 'x' }, {}, { requiredClaims: ['scope'] }],
    ['without a key id', {}, { kid: undefined }, {}],
  ])('%s', async (_name, more, header, ruleChanges) => {
    const token = await issuer.sign(claims(more), { header });
    expect(await verify(token, ruleChanges)).toMatchObject({ claims: { sub: 'ana' } });
  });

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)('signed with %s', async (alg) => {
    const key = await makeSigningKey(alg, 'k');
    expect(await verify(await issuer.sign(claims(), { key }), {}, keySetOf(key.publicJwk))).toHaveProperty('claims');
  });

  it.each<[string, string | undefined, boolean]>([
    ['of the one type that is taken', 'application/OAuth-ID-JAG+jwt', true],
    ['of another type', 'at+jwt', false],
    ['of no type', undefined, false],
  ])('%s, where there is only one', async (_name, typ, isTaken) => {
    const verification = await verify(await issuer.sign(claims(), { header: { typ } }), { onlyType: 'oauth-id-jag+jwt' });
    expect(verification).toMatchObject(isTaken ? { claims: { sub: 'ana' } } : { denied: 'wrong_token_type' });
  });

  it('until its expiry and the tolerance', async () => {
    expect(await verify(await issuer.sign(claims()), { clockToleranceSeconds: 5 })).toMatchObject({ expiresAt: now + 65_000 });
  });

  it('signed with any of the keys that fit, where it names none', async () => {
    const others = await Promise.all([makeSigningKey('ES256', 'a'), makeSigningKey('ES256', undefined)]);
    const keys = keySetOf(...others.map(({ publicJwk }) => publicJwk), issuer.key.publicJwk);
    expect(await verify(await issuer.sign(claims(), { header: { kid: undefined } }), {}, keys)).toHaveProperty('claims');
  });
});

describe('a token is refused', () => {
  it.each<[string, keyof typeof tokenDenials, Record<string, unknown>, Record<string, unknown>, Partial<TokenRules>]>([
    ['of another issuer', 'wrong_issuer', { iss: 'https://evil.example' }, {}, {}],
    ['whose issuer only begins like the right one', 'wrong_issuer', { get iss() { return `${issuer.url}/`; } }, {}, {}],
    ['without an issuer', 'wrong_issuer', { iss: undefined }, {}, {}],
    ['for another audience', 'wrong_audience', { aud: 'other' }, {}, {}],
    ['for no audience', 'wrong_audience', { aud: undefined }, {}, {}],
    ['whose audience is no text', 'wrong_audience', { aud: { gatehouse: true } }, {}, {}],
    ['that has expired', 'expired_token', { exp: seconds - 30 }, {}, {}],
    ['that has just expired, without tolerance', 'expired_token', { exp: seconds }, {}, { clockToleranceSeconds: 0 }],
    ['that is not valid yet', 'token_not_yet_valid', { nbf: seconds + 31 }, {}, {}],
    ['that never expires', 'missing_claim', { exp: undefined }, {}, {}],
    ['whose expiry is no number', 'malformed_token', { exp: 'tomorrow' }, {}, {}],
    ['without a claim it must have', 'missing_claim', {}, {}, { requiredClaims: ['scope'] }],
    ['with a claim only by inheritance', 'missing_claim', {}, {}, { requiredClaims: ['toString'] }],
    ['that is an ID token of a provider that says so', 'wrong_token_type', {}, { typ: 'id_token+jwt' }, {}],
    ['that is a logout token', 'wrong_token_type', {}, { typ: 'logout+jwt' }, {}],
    ['whose type is no text', 'wrong_token_type', {}, { typ: 1 }, {}],
    ['with a header extension it calls critical', 'malformed_token', {}, { crit: ['unheardOf'], unheardOf: 1 }, {}],
    ['whose key id is no text', 'malformed_token', {}, { kid: 7 }, {}],
    ['of a key that nobody published', 'unknown_key', {}, { kid: 'other' }, {}],
    ['of a key of another kind', 'unknown_key', {}, { kid: 'rsa-1' }, {}],
    ['signed with an algorithm that is not configured', 'algorithm_not_allowed', {}, {}, { algorithms: new Set(['RS256'] as const) }],
  ])('%s', async (_name, denied, more, header, ruleChanges) => {
    expect(await verify(await issuer.sign(claims(more), { header }), ruleChanges)).toEqual({ denied });
  });

  it('signed with another key under the same id', async () => {
    const key = await makeSigningKey('ES256', issuer.key.kid);
    expect(await verify(await issuer.sign(claims(), { key }))).toEqual({ denied: 'bad_signature' });
  });

  it.each<[string, keyof typeof tokenDenials, (parts: [string, string, string]) => string]>([
    ['another payload', 'bad_signature', ([header, , signature]) => `${header}.${encode(claims({ sub: 'root' }))}.${signature}`],
    ['no signature', 'bad_signature', ([header, payload]) => `${header}.${payload}.`],
    ['another header', 'bad_signature', ([header, payload, signature]) => `${encode({ ...(JSON.parse(Buffer.from(header, 'base64url').toString()) as object), typ: undefined })}.${payload}.${signature}`],
    ['alg none', 'algorithm_not_allowed', ([, payload]) => `${encode({ alg: 'none' })}.${payload}.`],
    ['alg nOnE', 'algorithm_not_allowed', ([, payload, signature]) => `${encode({ alg: 'nOnE' })}.${payload}.${signature}`],
    ['an algorithm out of a prototype', 'algorithm_not_allowed', ([, payload, signature]) => `${encode({ alg: 'constructor' })}.${payload}.${signature}`],
    ['an algorithm that is no text', 'malformed_token', ([, payload, signature]) => `${encode({ alg: ['ES256'] })}.${payload}.${signature}`],
    ['a header that is no JSON', 'malformed_token', ([, payload, signature]) => `${encode('x')}.${payload}.${signature}`],
    ['a header that is a list', 'malformed_token', ([, payload, signature]) => `${encode([])}.${payload}.${signature}`],
    ['two signatures (JWS JSON)', 'malformed_token', ([header, payload, signature]) => JSON.stringify({ payload, signatures: [{ protected: header, signature }, { protected: header, signature }] })],
    ['four parts', 'malformed_token', (parts) => [...parts, parts[2]].join('.')],
    ['the shape of an encrypted token', 'malformed_token', ([header, payload]) => `${header}..${payload}.${payload}.${payload}`],
    ['padding', 'malformed_token', (parts) => `${parts.join('.')}=`],
    ['white space inside', 'malformed_token', (parts) => parts.join('. ')],
    ['nothing at all', 'malformed_token', () => ''],
    ['16 KiB and a bit', 'token_too_large', ([header, , signature]) => `${header}.${'a'.repeat(16_384)}.${signature}`],
  ])('with %s', async (_name, denied, forge) => {
    const parts = (await issuer.sign(claims())).split('.') as [string, string, string];
    expect(await verify(forge(parts))).toEqual({ denied });
  });

  it('made by HMAC with the public key as its secret', async () => {
    const { publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'rsa' };
    const input = `${encode({ alg: 'HS256', kid: 'rsa' })}.${encode(claims())}`;
    for (const secret of [await exportSPKI(publicKey), JSON.stringify(jwk), jwk.n ?? '']) {
      const token = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
      expect(await verify(token, {}, keySetOf(jwk))).toEqual({ denied: 'algorithm_not_allowed' });
    }
  });

  it('whose payload is signed and is no JSON object', async () => {
    const { CompactSign } = await import('jose');
    for (const payload of ['[]', 'text', '\xff']) {
      const token = await new CompactSign(Buffer.from(payload, 'latin1')).setProtectedHeader({ alg: 'ES256', kid: 'key-1' }).sign(issuer.key.privateKey);
      expect(await verify(token)).toEqual({ denied: 'malformed_token' });
    }
  });

  it('before any key is asked for, where its header is enough to refuse it', async () => {
    const untouchable = { current: () => expect.fail(), load: () => expect.fail(), newerThan: () => expect.fail() };
    expect(await verifyToken('x', untouchable, rules(), now)).toEqual({ denied: 'malformed_token' });
    expect(await verifyToken(await issuer.sign(claims(), { header: { typ: 'x' } }), untouchable, rules(), now)).toEqual({ denied: 'wrong_token_type' });
  });
});

it('what is said of a refusal fits into a quoted string (RFC 6750 section 3)', () => {
  for (const description of Object.values(tokenDenials)) expect(description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
});

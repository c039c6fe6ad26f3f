import { generateKeyPairSync, hash } from 'node:crypto';
import { KeySets } from '@gatehouse/token-verification';
import { SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { AgentAuthContext, Authentication } from './agent-auth-type.ts';
import { passthrough } from './passthrough.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const otherPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwkOf = ({ publicKey }: typeof pair, kid = 'k') => ({ ...publicKey.export({ format: 'jwk' }), kid });
const jwks = { keys: [jwkOf(pair)] };
const jwksUrl = 'https://issuer.example/jwks';

const start = 1_800_000_000_000;
let now = start;
let published: object = jwks;
let context: AgentAuthContext;

beforeEach(() => {
  now = start;
  published = jwks;
  const keySets = new KeySets({ fetch: () => Promise.resolve(Response.json(published)), now: () => now });
  context = { workspace: 'default', server: 'orders', publicUrl: 'https://gateway.example', serviceAccounts: new Map(), keySets, authorizationServer: undefined, now: () => now };
});

const sign = (claims: Record<string, unknown> = {}, key = pair) =>
  new SignJWT({ iss: 'https://issuer.example', sub: 'ana', aud: 'orders', exp: start / 1000 + 60, ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(key.privateKey);
const prepare = (jwt: Record<string, unknown>) => passthrough.prepare(passthrough.schema.parse({ type: 'passthrough', jwt }));
const present = (authorization: string | undefined) => ({ authorization, gatehouseKey: undefined });

describe('without JWT validation', () => {
  it('whoever comes is let in, and its Authorization may go on', () => {
    const prepared = passthrough.prepare({ type: 'passthrough', restrictedHeaders: ['x-internal-*'] });
    expect(prepared).toMatchObject({ open: true, forwardsAuthorization: true, restrictedHeaders: ['x-internal-*'] });
    expect(prepared.authenticate(present(undefined), context)).toMatchObject({ caller: { kind: 'anonymous' } });
  });
});

describe('with JWT validation', () => {
  it('a server is not open', () => {
    expect(prepare({ jwks })).toMatchObject({ open: false, forwardsAuthorization: true, restrictedHeaders: [] });
  });

  it.each(['Bearer', 'bearer', 'BEARER '])('a good token is the caller, from “%s”', async (scheme) => {
    const authentication = await prepare({ jwks }).authenticate(present(`${scheme} ${await sign()}`), context);
    expect(authentication).toMatchObject({ caller: { kind: 'token', name: 'ana', claims: { aud: 'orders' } } });
  });

  it('the caller has what the very token is recognised by, another one with each', async () => {
    const prepared = prepare({ jwks });
    for (const token of [await sign(), await sign({ jti: '2' })]) {
      for (const _again of [1, 2]) expect(await prepared.authenticate(present(`Bearer ${token}`), context)).toMatchObject({ caller: { tokenDigest: hash('sha256', token, 'base64url') } });
    }
  });

  it.each(['Basic YTpi', 'Bearer', 'Bearer ', 'Token x', 'x', ''])('“%s” is no token at all', (authorization) => {
    expect(prepare({ jwks }).authenticate(present(authorization), context)).toEqual({ denied: 'missing_credential' });
  });

  it('nothing is asked for with a challenge without a code', () => {
    expect(prepare({ jwks }).authenticate(present(undefined), context)).toEqual({ denied: 'missing_credential' });
  });

  it('what is wrong is said', async () => {
    const prepared = prepare({ jwks, issuer: 'https://issuer.example', audience: ['orders', 'others'], clockToleranceSeconds: 0, requiredClaims: ['sub'] });
    const denied = async (token: string) => prepared.authenticate(present(`Bearer ${token}`), context);
    expect(await denied('x y')).toEqual({ denied: 'malformed_token', description: expect.stringMatching(/./) as string });
    expect(await denied(await sign({ aud: 'elsewhere' }))).toMatchObject({ denied: 'wrong_audience' });
    expect(await denied(await sign({ iss: 'elsewhere' }))).toMatchObject({ denied: 'wrong_issuer' });
    expect(await denied(await sign({ sub: undefined }))).toMatchObject({ denied: 'missing_claim' });
    expect(await denied(await sign({ exp: start / 1000 }))).toMatchObject({ denied: 'expired_token' });
    expect(await denied(await sign({}, otherPair))).toMatchObject({ denied: 'bad_signature' });
  });
});

describe('a token that was verified before', () => {
  const isKnown = (authentication: Authentication | Promise<Authentication>): boolean => !(authentication instanceof Promise);

  it('is known at once, as the very same caller', async () => {
    const prepared = prepare({ jwksUrl });
    const presented = present(`Bearer ${await sign()}`);
    const first = await prepared.authenticate(presented, context);
    expect(prepared.authenticate({ ...presented }, context)).toBe(first);
  });

  it('is known until it expires', async () => {
    const prepared = prepare({ jwks, clockToleranceSeconds: 10 });
    const presented = present(`Bearer ${await sign()}`);
    await prepared.authenticate(presented, context);
    now += 69_999;
    expect(isKnown(prepared.authenticate(presented, context))).toBe(true);
    now += 1;
    expect(await prepared.authenticate(presented, context)).toMatchObject({ denied: 'expired_token' });
  });

  it('is not known to another server, nor after a change of this one', async () => {
    const presented = present(`Bearer ${await sign()}`);
    await prepare({ jwks, audience: 'orders' }).authenticate(presented, context);
    expect(await prepare({ jwks, audience: 'elsewhere' }).authenticate(presented, context)).toMatchObject({ denied: 'wrong_audience' });
  });

  it('is refused once its key is withdrawn, and taken without a new check while the keys stay', async () => {
    const prepared = prepare({ jwksUrl });
    const presented = present(`Bearer ${await sign({ exp: start / 1000 + 86_400 })}`);
    await prepared.authenticate(presented, context);
    const refetch = async (): Promise<void> => {
      now += 600_000;
      expect(isKnown(prepared.authenticate(presented, context))).toBe(true);
      await context.keySets.at(jwksUrl).load();
    };
    await refetch();
    expect(isKnown(prepared.authenticate(presented, context))).toBe(true);
    published = { keys: [jwkOf(otherPair, 'other')] };
    await refetch();
    expect(await prepared.authenticate(presented, context)).toMatchObject({ denied: 'unknown_key' });
  });

  it('is not remembered where it was refused', async () => {
    const prepared = prepare({ jwks });
    const presented = present(`Bearer ${await sign({ nbf: start / 1000 + 60 })}`);
    expect(await prepared.authenticate(presented, context)).toMatchObject({ denied: 'token_not_yet_valid' });
    now += 40_000;
    expect(await prepared.authenticate(presented, context)).toHaveProperty('caller');
  });
});

it('has one caller for a subject, unless nobody vouches for the issuer', async () => {
  const idOf = async (jwt: Record<string, unknown>): Promise<string> => {
    const authentication = await prepare(jwt).authenticate(present(`Bearer ${await sign()}`), context);
    return 'caller' in authentication ? authentication.caller.id : '';
  };
  const issuer = 'https://issuer.example';
  expect(await idOf({ jwks, issuer })).toBe(await idOf({ jwksUrl, issuer: [issuer, 'https://other.example'] }));
  const ids = await Promise.all([{ jwks, issuer }, { jwks }, { jwksUrl }, { jwksUrl: `${jwksUrl}2` }].map(idOf));
  expect(new Set(ids).size).toBe(4);
});

describe('the document', () => {
  const problems = (jwt: unknown, more: object = {}) =>
    (passthrough.schema.safeParse({ type: 'passthrough', jwt, ...more }).error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`);

  it.each<[unknown, RegExp]>([
    [{}, /^jwt\.jwksUrl is required, or jwks/],
    [{ jwks, jwksUrl }, /^jwt\.jwks must not be given together/],
    [{ jwksUrl: 'file:///etc/passwd' }, /^jwt\.jwksUrl must begin with https/],
    [{ jwks: { keys: [{ kty: 'oct', k: 'x' }] } }, /^jwt\.jwks\.keys\.0\.k belongs to a private/],
    [{ jwks, algorithms: ['none'] }, /^jwt\.algorithms\.0 must be one of RS256.*never/],
    [{ jwks, algorithms: ['ES256', 'HS256'] }, /^jwt\.algorithms\.1 must be one of/],
    [{ jwks, algorithms: [] }, /^jwt\.algorithms /],
    [{ jwks, issuer: [] }, /^jwt\.issuer/],
    [{ jwks, audience: '' }, /^jwt\.audience/],
    [{ jwks, clockToleranceSeconds: 301 }, /^jwt\.clockToleranceSeconds/],
    [{ jwks, clockToleranceSeconds: -1 }, /^jwt\.clockToleranceSeconds/],
    [{ jwks, required: ['x'] }, /^jwt /],
  ])('%j is refused at its place', (jwt, line) => {
    const [first, ...others] = problems(jwt);
    expect(first).toMatch(line);
    expect(others).toEqual([]);
  });

  it('takes patterns of header names, nothing else', () => {
    expect(problems({ jwks }, { restrictedHeaders: ['x-internal-*'] })).toEqual([]);
    expect(problems({ jwks }, { restrictedHeaders: ['x internal'] })).toHaveLength(1);
  });

  it('is the same JSON schema as written and as read', () => {
    expect(z.toJSONSchema(passthrough.schema, { io: 'input' })).toEqual(z.toJSONSchema(passthrough.schema, { io: 'output' }));
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import { KeySets, readPublicKeys } from '@gatehouse/token-verification';
import { SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AgentAuthContext, Authentication, AuthorizationServerRecord } from './agent-auth-type.ts';
import { interactive } from './interactive.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keysOf = ({ publicKey }: typeof pair) => readPublicKeys({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k' }] });
const issuer = 'https://control.example';
const audience = 'https://gateway.example/mcp/default/orders';
const start = 1_800_000_000_000;

let now: number;
let server: AuthorizationServerRecord;
beforeEach(() => {
  now = start;
  server = recordOf();
});

function recordOf(revoked: readonly string[] = [], key = pair, of = issuer): AuthorizationServerRecord {
  const keys = keysOf(key);
  if (keys === undefined) throw new TypeError('no key set');
  return { issuer: of, keys, revoked: new Set(revoked) };
}

const contextWith = (authorizationServer: AuthorizationServerRecord | undefined): AgentAuthContext => ({
  workspace: 'default',
  server: 'orders',
  publicUrl: 'https://gateway.example',
  serviceAccounts: new Map(),
  keySets: new KeySets({ fetch: () => Promise.reject(new Error('nothing to fetch')), now: Date.now }),
  authorizationServer,
  now: () => now,
});

const claims = { iss: issuer, aud: audience, sub: 'p1', client_id: 'c1', iat: start / 1000, exp: start / 1000 + 300, jti: 'j1', grant: 'g1', name: 'Ana', email: 'ana@example.com', groups: ['sales'], idp: 'corporate' };
const sign = (more: Record<string, unknown> = {}, typ: string | null = 'at+jwt', key = pair) =>
  new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: 'ES256', kid: 'k', ...(typ !== null && { typ }) }).sign(key.privateKey);
const prepare = (config: object = {}) => interactive.prepare(interactive.schema.parse({ type: 'interactive', ...config }));
const present = (token: string) => ({ authorization: `Bearer ${token}`, gatehouseKey: undefined });
const deniedOf = (authentication: Authentication): string | undefined => ('denied' in authentication ? authentication.denied : undefined);
const denied = async (more: Record<string, unknown>, config?: object, typ?: string): Promise<string | undefined> => deniedOf(await prepare(config).authenticate(present(await sign(more, typ)), contextWith(server)));

describe('a token of the gateway’s own authorization server', () => {
  it('is the person', async () => {
    const authentication = await prepare().authenticate(present(await sign()), contextWith(server));
    expect(authentication).toMatchObject({ caller: { id: 'person:p1', kind: 'person', name: 'Ana', email: 'ana@example.com', groups: ['sales'], subject: 'p1', credential: 'g1', claims } });
  });

  it('is for one of the two URLs of this very server', async () => {
    expect(await denied({ aud: 'https://gateway.example/sse/default/orders' })).toBeUndefined();
    for (const aud of ['https://gateway.example/mcp/other/orders', 'https://gateway.example/mcp/default/billing', `${audience}/`, `${audience}/messages`, 'https://gateway.example', 'https://other.example/mcp/default/orders', undefined]) {
      expect(await denied({ aud })).toMatch(/^(wrong_audience|missing_claim)$/);
    }
  });

  it.each(['JWT', 'jwt', 'id_token+jwt', '', null])('is none where it does not say that it is one: typ %s', async (typ) => {
    expect(await prepare().authenticate(present(await sign({}, typ)), contextWith(server))).toMatchObject({ denied: 'wrong_token_type' });
  });

  it('may spell its type in full', async () => {
    expect(await denied({}, {}, 'application/at+jwt')).toBeUndefined();
  });

  it.each(['sub', 'client_id', 'iat', 'jti', 'grant', 'exp'])('has a %s', async (name) => {
    expect(await denied({ [name]: undefined })).toBe('missing_claim');
  });

  it.each([[{ sub: '' }], [{ sub: 7 }], [{ grant: '' }], [{ grant: ['g1'] }], [{ sub: 'x'.repeat(256) }]])('has claims that are what they should be: %j is not', async (more) => {
    expect(await denied(more)).toBe('malformed_token');
  });

  it('is of that issuer, and of those keys', async () => {
    expect(await denied({ iss: 'https://evil.example' })).toBe('wrong_issuer');
    expect(deniedOf(await prepare().authenticate(present(await sign({}, 'at+jwt', generateKeyPairSync('ec', { namedCurve: 'P-256' }))), contextWith(server)))).toBe('bad_signature');
  });

  it('names the provider that the server wants', async () => {
    expect(await denied({}, { identityProvider: 'corporate' })).toBeUndefined();
    expect(await denied({}, { identityProvider: 'partners' })).toBe('wrong_identity_provider');
    expect(await denied({ idp: undefined }, { identityProvider: 'corporate' })).toBe('wrong_identity_provider');
  });

  it('has every scope that the server needs', async () => {
    const config = { scopes: ['orders:read', 'orders:write'] };
    expect(await denied({ scope: 'openid orders:write orders:read' }, config)).toBeUndefined();
    for (const scope of ['orders:read', '', undefined, 'orders:readorders:write', ['orders:read', 'orders:write']]) expect(await denied({ scope }, config)).toBe('insufficient_scope');
  });

  it.each([[{ groups: 'sales' }], [{ groups: ['sales', 7] }], [{ groups: undefined }]])('gives no groups where they are not a list of texts: %j', async (more) => {
    expect(await prepare().authenticate(present(await sign(more)), contextWith(server))).toMatchObject({ caller: { groups: [] } });
  });
});

it('without a token, one is asked for', () => {
  for (const authorization of [undefined, 'Basic YTpi', 'Bearer ']) expect(prepare().authenticate({ authorization, gatehouseKey: undefined }, contextWith(server))).toEqual({ denied: 'missing_credential' });
});

it('without an authorization server nobody is let in, with a token or not', async () => {
  const prepared = prepare();
  await prepared.authenticate(present(await sign()), contextWith(server));
  const codeOf = (authorization: string | undefined): string => {
    try {
      void prepared.authenticate({ authorization, gatehouseKey: undefined }, contextWith(undefined));
      return '';
    } catch (error) {
      return error instanceof GatewayError ? error.code : '';
    }
  };
  expect([codeOf(`Bearer ${await sign()}`), codeOf(undefined)]).toEqual(['caller_keys_unavailable', 'caller_keys_unavailable']);
});

describe('a token that was verified before', () => {
  it('is known at once, as the very same person', async () => {
    const prepared = prepare();
    const presented = present(await sign());
    const first = await prepared.authenticate(presented, contextWith(server));
    expect(prepared.authenticate({ ...presented }, contextWith(server))).toBe(first);
  });

  it('is refused at once when its grant is revoked, and those of other grants are not', async () => {
    const prepared = prepare();
    const [revoked, other] = [present(await sign()), present(await sign({ grant: 'g2' }))];
    for (const presented of [revoked, other]) await prepared.authenticate(presented, contextWith(server));
    const next = contextWith({ ...server, revoked: new Set(['g1']) });
    expect(prepared.authenticate(revoked, next)).toMatchObject({ denied: 'revoked_grant' });
    expect(prepared.authenticate(other, next)).toMatchObject({ caller: { id: 'person:p1' } });
  });

  it('is refused while its provider is switched off, and is good again when that is on', async () => {
    const prepared = prepare();
    const presented = present(await sign());
    const off = contextWith({ ...server, suspendedProviders: new Set(['corporate']) });
    for (const known of [false, true]) {
      expect([known, await prepared.authenticate(presented, off)]).toMatchObject([known, { denied: 'suspended_identity_provider' }]);
      expect(await prepared.authenticate(presented, contextWith({ ...server, suspendedProviders: new Set(['partners']) }))).toHaveProperty('caller');
    }
  });

  it('is verified again with other keys', async () => {
    const prepared = prepare();
    const presented = present(await sign());
    await prepared.authenticate(presented, contextWith(server));
    expect(await prepared.authenticate(presented, contextWith(recordOf([], generateKeyPairSync('ec', { namedCurve: 'P-256' }))))).toMatchObject({ denied: 'bad_signature' });
    expect(await prepared.authenticate(presented, contextWith(recordOf([], pair, 'https://other.example')))).toMatchObject({ denied: 'wrong_issuer' });
  });

  it('is known until it expires', async () => {
    const prepared = prepare();
    const presented = present(await sign());
    await prepared.authenticate(presented, contextWith(server));
    now += 329_999;
    expect(prepared.authenticate(presented, contextWith(server))).toHaveProperty('caller');
    now += 1;
    expect(await prepared.authenticate(presented, contextWith(server))).toMatchObject({ denied: 'expired_token' });
  });
});

it('is refused with its first use where the grant was revoked before', async () => {
  server = recordOf(['g1']);
  expect(await denied({})).toBe('revoked_grant');
  expect(await denied({ grant: 'g2' })).toBeUndefined();
});

it('goes on being admitted until its grant is revoked or nobody vouches for it', async () => {
  const prepared = prepare();
  const authentication = await prepared.authenticate(present(await sign()), contextWith(server));
  const caller = 'caller' in authentication ? authentication.caller : undefined;
  if (caller === undefined) throw new Error('refused');
  const admits = (record: AuthorizationServerRecord | undefined) => prepared.stillAdmits(caller, contextWith(record));
  expect([admits(server), admits(recordOf(['g2'])), admits(recordOf(['g1'])), admits(undefined)]).toEqual([true, true, false, false]);
  expect(['corporate', 'partners'].map((name) => admits({ ...server, suspendedProviders: new Set([name]) }))).toEqual([false, true]);
});

describe('the document', () => {
  it.each([
    [{ scopes: [] }],
    [{ scopes: ['a b'] }],
    [{ scopes: ['a"b'] }],
    [{ scopes: [''] }],
    [{ identityProvider: 'Not A Name' }],
    [{ provider: 'corporate' }],
  ])('%j is refused', (config) => {
    expect(interactive.schema.safeParse({ type: 'interactive', ...config }).success).toBe(false);
  });
});

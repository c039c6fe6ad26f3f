import { hash } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import { Secret } from '@gatehouse/sealing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AccessToken } from './access-token.ts';
import { AccessTokens, type RefusedToken } from './access-tokens.ts';

const minute = 60_000;
let now: number;
let tokens: AccessTokens;
let exchanges: number;
let lifeMs: number | undefined;
let failure: Error | undefined;

beforeEach(() => {
  now = 1_800_000_000_000;
  exchanges = 0;
  lifeMs = 60 * minute;
  failure = undefined;
  tokens = new AccessTokens({ now: () => now, random: () => 0, post: undefined, fetch: () => Promise.reject(new Error('nothing is fetched here')) });
});

const subject = (of: string, more: Partial<AccessToken> = {}): AccessToken => ({ value: new Secret(`token-of-${of}`), expiresAt: now + 30 * minute, subjects: [], ...more });
const given = (value: string): AccessToken => ({ value: new Secret(value), expiresAt: lifeMs === undefined ? undefined : now + lifeMs, subjects: [] });
const exchange = (): Promise<AccessToken> => {
  exchanges += 1;
  return failure ? Promise.reject(failure) : Promise.resolve(given(`exchanged-${exchanges}`));
};
const take = (of: AccessToken, configuration = 'c', refused?: RefusedToken): Promise<AccessToken> => (async () => tokens.ofExchange(configuration, of, exchange, refused))();
const get = async (...asked: Parameters<typeof take>): Promise<string> => (await take(...asked)).value.reveal();
const codeOf = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'none', (error: unknown) => (error as GatewayError).code);
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('a token that was exchanged', () => {
  it('is exchanged once for each of ten users, whose thousand calls come at once', async () => {
    const users = Array.from({ length: 10 }, (_, index) => subject(`user-${index}`));
    const values = await Promise.all(Array.from({ length: 1_000 }, (_, call) => get(users[call % 10] as AccessToken)));
    expect([exchanges, new Set(values).size]).toEqual([10, 10]);
    for (const [call, value] of values.entries()) expect(value).toBe(values[call % 10]);
  });

  it('is there at once from then on, for whoever has the same token', async () => {
    await get(subject('ana'));
    expect(tokens.ofExchange('c', subject('ana'), exchange)).not.toBeInstanceOf(Promise);
  });

  it('is recognised by the digest of its subject, whoever computed that, and has none of its own', async () => {
    const ana = await take(subject('ana', { digest: hash('sha256', 'token-of-ana', 'base64url') }));
    expect([await get(subject('ana')), exchanges, ana.digest]).toEqual(['exchanged-1', 1, undefined]);
    expect(await get(subject('ana', { digest: hash('sha256', 'token-of-ben', 'base64url') }))).toBe('exchanged-2');
  });

  it('is another one for another token, and for another configuration', async () => {
    expect([await get(subject('ana')), await get(subject('ben')), await get(subject('ana'), 'd'), await get(subject('ana'))]).toEqual(['exchanged-1', 'exchanged-2', 'exchanged-3', 'exchanged-1']);
  });

  it.each([[undefined], [60 * minute]])('does not outlive the token that it was given for (%s)', async (life) => {
    lifeMs = life;
    const ana = subject('ana');
    await get(ana);
    now += 30 * minute - 15_001;
    expect(await get(ana)).toBe('exchanged-1');
    now += 1;
    expect(await get(ana)).toBe('exchanged-2');
    now += 15_000;
    expect(await codeOf(take(ana))).toBe('subject_token_expired');
    expect(exchanges).toBe(2);
  });

  it('of a login that is over is none, and not the caller’s fault', async () => {
    expect(await codeOf(take(subject('ana', { subjects: ['login'], expiresAt: now })))).toBe('credential_unavailable');
  });

  it('is another one 15 seconds before it expires', async () => {
    lifeMs = minute;
    await get(subject('ana'));
    now += 44_999;
    expect(await get(subject('ana'))).toBe('exchanged-1');
    now += 1;
    expect(await get(subject('ana'))).toBe('exchanged-2');
  });

  it('that lives shorter than that is used for half of its life', async () => {
    lifeMs = 10_000;
    await get(subject('ana'));
    now += 4_999;
    expect(await get(subject('ana'))).toBe('exchanged-1');
    now += 1;
    expect(await get(subject('ana'))).toBe('exchanged-2');
  });

  it.each([[0], [-5_000], [200]])('that is over when it comes (%i ms) is used for a second, and by whoever calls meanwhile', async (life) => {
    lifeMs = life;
    const ana = subject('ana');
    expect([await get(ana), await get(ana)]).toEqual(['exchanged-1', 'exchanged-1']);
    now += 999;
    expect(await get(ana)).toBe('exchanged-1');
    now += 1;
    expect(await get(ana)).toBe('exchanged-2');
  });

  it('that is over when it comes does not outlive what it was given for all the same', async () => {
    lifeMs = 0;
    const ana = subject('ana', { expiresAt: now + 10 });
    await get(ana);
    now += 10;
    expect(await codeOf(take(ana))).toBe('subject_token_expired');
  });

  it('is none where the subject expires while it is under way', async () => {
    const ana = subject('ana', { expiresAt: now + 10 });
    const waiting = (async () => tokens.ofExchange('c', ana, async () => {
      await settle();
      return given('late');
    }))();
    now += 10;
    expect(await codeOf(waiting)).toBe('subject_token_expired');
  });
});

describe('where there is none', () => {
  it('a provider that refuses is not asked with every call, and is asked again after a moment', async () => {
    failure = new GatewayError('token_exchange_refused');
    expect([await codeOf(take(subject('ana'))), await codeOf(take(subject('ana')))]).toEqual(['token_exchange_refused', 'token_exchange_refused']);
    expect(exchanges).toBe(1);
    // Somebody else may be welcome.
    await codeOf(take(subject('ben')));
    expect(exchanges).toBe(2);
    now += 5_000;
    failure = undefined;
    expect(await get(subject('ana'))).toBe('exchanged-3');
  });

  it('what there was ends where the provider refuses, and not where it is away', async () => {
    lifeMs = minute;
    await get(subject('ana'));
    now += 50_000;
    failure = new GatewayError('provider_unavailable');
    expect(await get(subject('ana'))).toBe('exchanged-1');
    now += 2_000;
    failure = new GatewayError('token_exchange_refused');
    expect(await codeOf(take(subject('ana')))).toBe('token_exchange_refused');
    expect(await codeOf(take(subject('ana')))).toBe('token_exchange_refused');
  });

  it('it is not used past its end, whoever is away', async () => {
    lifeMs = minute;
    await get(subject('ana'));
    now += minute;
    failure = new GatewayError('provider_unavailable');
    expect(await codeOf(take(subject('ana')))).toBe('provider_unavailable');
  });
});

describe('a revocation', () => {
  it('of what the subject rests on ends it', async () => {
    const ana = subject('ana', { subjects: ['login', 'person'] });
    await get(ana);
    tokens.forget(new Set(['person']));
    expect(await get(ana)).toBe('exchanged-2');
  });

  it('of another leaves it', async () => {
    const ana = subject('ana', { subjects: ['login'] });
    await get(ana);
    tokens.forget(new Set(['another']));
    expect([await get(ana), exchanges]).toEqual(['exchanged-1', 1]);
  });

  it('of a login ends what its token was exchanged for, though a caller came with the same text before', async () => {
    const [asCaller, ofLogin] = [subject('ana'), subject('ana', { subjects: ['login'] })];
    expect([await get(asCaller), await get(ofLogin)]).toEqual(['exchanged-1', 'exchanged-2']);
    tokens.forget(new Set(['login']));
    expect([await get(asCaller), await get(ofLogin)]).toEqual(['exchanged-1', 'exchanged-3']);
  });

  it('while it is on its way gives none: its subject is not exchanged again', async () => {
    const ana = subject('ana', { subjects: ['login'] });
    const waiting = (async () => tokens.ofExchange('c', ana, async () => {
      await settle();
      return exchange();
    }))();
    tokens.forget(new Set(['login']));
    expect([await codeOf(waiting), exchanges]).toEqual(['credential_unavailable', 1]);
  });
});

describe('a token that the upstream refused', () => {
  it('is exchanged anew, once for all whose calls were refused with it', async () => {
    const ana = subject('ana');
    const token = await take(ana);
    const values = await Promise.all(Array.from({ length: 10 }, () => get(ana, 'c', { token, again: false })));
    expect([new Set(values), exchanges]).toEqual([new Set(['exchanged-2']), 2]);
  });

  it('is exchanged anew where it is one of several', async () => {
    const ana = subject('ana');
    const token = await take(ana);
    expect(await get(ana, 'c', { token: given('of-a-client'), others: [token], again: false })).toBe('exchanged-2');
  });

  it('is not where it is another’s', async () => {
    await get(subject('ana'));
    expect(await get(subject('ana'), 'c', { token: given('of-a-client'), again: true })).toBe('exchanged-1');
  });

  it('twice is not exchanged over and over', async () => {
    const ana = subject('ana');
    const second = await take(ana, 'c', { token: await take(ana), again: false });
    expect(await codeOf(take(ana, 'c', { token: second, again: true }))).toBe('upstream_rejected_credentials');
    expect(await codeOf(take(ana, 'c', { token: second, again: false }))).toBe('upstream_rejected_credentials');
    expect(exchanges).toBe(2);
    now += 5_000;
    expect(await get(ana, 'c', { token: second, again: false })).toBe('exchanged-3');
  });

  it('for its scopes is the only one there is', async () => {
    const ana = subject('ana');
    expect(await get(ana, 'c', { token: await take(ana), again: false, missing: ['write'] })).toBe('exchanged-1');
  });
});

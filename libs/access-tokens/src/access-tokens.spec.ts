import { hash } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import { Secret } from '@gatehouse/sealing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AccessToken } from './access-token.ts';
import { AccessTokens } from './access-tokens.ts';
import type { TokenAnswer, TokenRequest } from './broker-messages.ts';
import { ConnectError } from './connect-error.ts';

type Answer = TokenAnswer | { readonly status: number; readonly body: string } | Error;

const server = '01919e1c-0000-7000-8000-000000000001';
const connecting = { id: server, connectionKey: 'github' };
const ana = { person: '01919e1c-0000-7000-8000-00000000a0a0' };
const ben = { person: '01919e1c-0000-7000-8000-00000000b0b0' };
const minute = 60_000;
const token = (accessToken: string, more: object = {}): TokenAnswer => ({ status: 'token', accessToken, connection: `connection-${accessToken}`, owner: 'app', person: ana.person, expiresAt: now + 60 * minute, ...more });
const link = { connectUrl: 'https://gatehouse.example/connect/sealed', linkId: 'link-1', app: 'GitHub' } as const;

let now: number;
let asked: TokenRequest[];
let answers: Answer[];
let hold: Promise<void> | undefined;
let tokens: AccessTokens;

beforeEach(() => {
  now = 1_800_000_000_000;
  asked = [];
  answers = [];
  hold = undefined;
  tokens = new AccessTokens({
    now: () => now,
    random: () => 0,
    fetch: () => Promise.reject(new Error('nothing is fetched here')),
    post: async (body) => {
      asked.push(JSON.parse(body) as TokenRequest);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      await hold;
      if (answer instanceof Error || answer === undefined) throw answer ?? new Error('away');
      return typeof answer.status === 'number' ? (answer) : { status: 200, body: JSON.stringify(answer) };
    },
  });
});

const get = async (subject: Parameters<AccessTokens['ofConnection']>[1] = ana): Promise<string> => (await tokens.ofConnection(connecting, subject)).value.reveal();
const codeOf = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'none', (error: unknown) => (error as GatewayError).code);

describe('a token', () => {
  it('is asked for once, and there at once from then on', async () => {
    answers = [token('a')];
    expect([await get(), await get()]).toEqual(['a', 'a']);
    expect(tokens.ofConnection(connecting, ana)).not.toBeInstanceOf(Promise);
    expect(asked).toEqual([{ server, subject: ana }]);
  });

  it('counts as a hit where it is there, as a miss for each who waits, and as a failure where it does not come', async () => {
    answers = [token('a')];
    await Promise.all([get(), get()]);
    await get();
    answers = [{ status: 'provider_unavailable' }];
    await codeOf(get(ben));
    expect(tokens.caches.connection).toMatchObject({ size: 1, use: { hits: 1, misses: 3, failures: 1 } });
    expect([tokens.caches.client, tokens.caches.exchange]).toMatchObject([{ size: 0, use: { hits: 0, misses: 0 } }, { size: 0, use: { hits: 0, misses: 0 } }]);
  });

  it('is for the upstream that the server has here: where it has another one by then, there is none', async () => {
    answers = [{ status: 'outdated' }];
    const elsewhere = { ...connecting, upstream: { url: 'https://up.example/mcp' } };
    const asking = [tokens.ofConnection(elsewhere, ana), tokens.ofLogin(elsewhere, ana, 'access-token'), tokens.ofCredential(elsewhere, ana, 'tracker')];
    expect(await Promise.all(asking.map((token) => codeOf(Promise.resolve(token))))).toEqual(['broker_unavailable', 'broker_unavailable', 'broker_unavailable']);
    expect(asked.map(({ upstream }) => upstream)).toEqual(Array.from({ length: 3 }, () => 'https://up.example/mcp'));
  });

  it('is asked for once by all who wait for it', async () => {
    answers = [token('a')];
    expect(await Promise.all(Array.from({ length: 20 }, () => get()))).toEqual(Array.from({ length: 20 }, () => 'a'));
    expect(asked.length).toBe(1);
  });

  it('is one person’s: whoever else asks is asked for by itself', async () => {
    answers = [token('a'), token('b'), token('c'), token('d')];
    expect([await get(ana), await get(ben), await get('shared')]).toEqual(['a', 'b', 'c']);
    expect((await tokens.ofConnection({ id: '01919e1c-0000-7000-8000-000000000002', connectionKey: 'another' }, ana)).value.reveal()).toBe('d');
    expect(await get({ issuer: 'https://issuer.example', subject: 'ana' })).toBe('d');
  });

  it('is another one where the server has another app or upstream by now', async () => {
    answers = [token('a'), token('b'), token('c')];
    const before = await get();
    const after = (await tokens.ofConnection({ id: server, connectionKey: 'gitlab' }, ana)).value.reveal();
    expect([before, after, await get()]).toEqual(['a', 'b', 'a']);
  });

  it('is another one shortly before it expires', async () => {
    answers = [token('a'), token('b')];
    await get();
    now += 60 * minute - 30_001;
    // Renewed in the background while the one before is good.
    expect(await get()).toBe('a');
    await new Promise(setImmediate);
    expect(await get()).toBe('b');
    expect(asked.length).toBe(2);
  });

  it('is waited for where it has expired', async () => {
    answers = [token('a'), token('b', { expiresAt: now + 120 * minute })];
    await get();
    now += 60 * minute;
    expect(await get()).toBe('b');
  });

  it.each([undefined, 1_800_000_000_000 + 24 * 60 * minute])('is not used for longer than an hour, whenever it expires (%s)', async (expiresAt) => {
    answers = [token('a', { expiresAt }), new Error('away')];
    await get();
    now += 60 * minute - 1;
    expect(await get()).toBe('a');
    now += 1 + 5_000;
    expect(await codeOf(get())).toBe('broker_unavailable');
  });

  it.each([
    ['behind', -20 * minute],
    ['ahead', 20 * minute],
  ])('lives as long as it does, where our clock is %s', async (_name, skew) => {
    answers = [token('a', { expiresAt: now - skew + 10 * minute, expiresInMs: 10 * minute }), new Error('away')];
    await get();
    now += 10 * minute - 1;
    expect(await get()).toBe('a');
    now += 1 + 5_000;
    expect(await codeOf(get())).toBe('broker_unavailable');
  });

  it('that our clock takes for an expired one is used for a moment all the same: no storm at the broker', async () => {
    answers = [token('a', { expiresAt: now - 5 * minute })];
    await get();
    expect(tokens.ofConnection(connecting, ana)).not.toBeInstanceOf(Promise);
    expect(asked.length).toBe(1);
  });
});

describe('while the broker is away', () => {
  it('what is there is used to its end, and asked for again now and then', async () => {
    answers = [token('a'), new Error('away')];
    await get();
    now += 55 * minute;
    for (let call = 0; call < 10; call += 1) expect(await get()).toBe('a');
    expect(asked.length).toBe(2);
    now += 5 * minute - 1_000;
    expect(await get()).toBe('a');
    now += 5_000;
    expect(await codeOf(get())).toBe('broker_unavailable');
  });

  it('whoever has none is told, and the broker is not asked with every call', async () => {
    answers = [new Error('away')];
    expect([await codeOf(get()), await codeOf(get())]).toEqual(['broker_unavailable', 'broker_unavailable']);
    expect(asked.length).toBe(1);
    now += 2_001;
    answers = [token('a')];
    expect(await get()).toBe('a');
  });
});

describe('what the broker says', () => {
  it.each<[string, Answer, string]>([
    ['the provider is away', { status: 'provider_unavailable' }, 'provider_unavailable'],
    ['the app is not usable', { status: 'misconfigured' }, 'connection_misconfigured'],
    ['nobody of that name', { status: 'no_person' }, 'connection_needs_person'],
    ['a wrong token', { status: 401, body: '' }, 'broker_unavailable'],
    ['its database is away', { status: 503, body: '' }, 'broker_unavailable'],
    ['nothing that is known', { status: 200, body: '{"status":"later"}' }, 'broker_unavailable'],
    ['nothing that is JSON', { status: 200, body: '<html>' }, 'broker_unavailable'],
  ])('%s', async (_name, answer, code) => {
    answers = [answer];
    expect(await codeOf(get())).toBe(code);
  });

  it.each(['connect_required', 'reconnect_required'] as const)('%s, with the link, which no log prints', async (status) => {
    answers = [{ status, ...link, reason: 'not_connected' }];
    const error = await Promise.resolve(tokens.ofConnection(connecting, ana)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ code: status, status: 403, app: 'GitHub', linkId: 'link-1' });
    expect((error as ConnectError).connectUrl).toBe(link.connectUrl);
    expect(JSON.stringify(Object.entries(error as object))).not.toContain('sealed');
  });

  it('is asked again right after a link was given: the person may have connected', async () => {
    answers = [{ status: 'connect_required', ...link, reason: 'not_connected' }, token('a')];
    expect([await codeOf(get()), await get()]).toEqual(['connect_required', 'a']);
  });

  it('that there is no connection any more ends the token that was there', async () => {
    answers = [token('a'), { status: 'connect_required', ...link, reason: 'not_connected' }];
    await get();
    now += 50 * minute;
    await get();
    await new Promise(setImmediate);
    expect(await codeOf(get())).toBe('connect_required');
  });
});

describe('a token that the upstream refused', () => {
  const refuse = async (refused: AccessToken, again = false): Promise<string> => (await tokens.ofConnection(connecting, ana, { token: refused, again })).value.reveal();

  it('is named to the broker by its hash, and not given again', async () => {
    answers = [token('a'), token('b')];
    const refused = await tokens.ofConnection(connecting, ana);
    expect([await refuse(refused), await get()]).toEqual(['b', 'b']);
    expect(asked[1]).toEqual({ server, subject: ana, refused: hash('sha256', 'a', 'base64url') });
  });

  it('is renewed once for all whose calls were refused with it', async () => {
    answers = [token('a'), token('b'), token('c')];
    const refused = await tokens.ofConnection(connecting, ana);
    expect(await Promise.all(Array.from({ length: 10 }, () => refuse(refused)))).toEqual(Array.from({ length: 10 }, () => 'b'));
    expect(asked.length).toBe(2);
  });

  it('twice in a row is said so', async () => {
    answers = [token('a'), token('b'), { status: 'reconnect_required', ...link, reason: 'refused' }];
    await refuse(await tokens.ofConnection(connecting, ana));
    expect(await codeOf(refuse(await tokens.ofConnection(connecting, ana), true))).toBe('reconnect_required');
    expect(asked[2]).toMatchObject({ refusedAgain: true });
  });

  it('is not used again where the broker is away', async () => {
    answers = [token('a'), new Error('away')];
    const refused = await tokens.ofConnection(connecting, ana);
    expect(await codeOf(refuse(refused))).toBe('broker_unavailable');
    expect(await codeOf(get())).toBe('broker_unavailable');
  });
});

describe('a revocation', () => {
  it.each([
    ['its connection', 'connection-a'],
    ['the app', 'app'],
    ['the person', ana.person],
  ])('of %s ends a token', async (_name, subject) => {
    answers = [token('a'), { status: 'connect_required', ...link, reason: 'not_connected' }];
    await get();
    tokens.forget(new Set(['another', subject]));
    expect(await codeOf(get())).toBe('connect_required');
  });

  it('of another leaves it', async () => {
    answers = [token('a')];
    await get();
    tokens.forget(new Set(['another']));
    expect([await get(), asked.length]).toEqual(['a', 1]);
  });

  it('counts for a token that is on its way: it is asked for again', async () => {
    let release: () => void = () => undefined;
    hold = new Promise((resolve) => void (release = resolve));
    answers = [token('a'), token('b')];
    const waiting = get();
    await new Promise(setImmediate);
    tokens.forget(new Set(['connection-a']));
    release();
    expect([await waiting, await get(), asked.length]).toEqual(['b', 'b', 2]);
  });
});

describe('a token of a client', () => {
  const obtained = (value: string): AccessToken => ({ value: new Secret(value), expiresAt: now + 10 * minute, subjects: [] });

  it('that is refused is asked for again, but not over and over', async () => {
    let count = 0;
    const obtain = (): Promise<AccessToken> => Promise.resolve(obtained(String((count += 1))));
    const first = await tokens.ofClient('client', obtain);
    now += 10_000;
    const second = await tokens.ofClient('client', obtain, { token: first, again: false });
    expect(second.value.reveal()).toBe('2');
    expect(await codeOf((async () => tokens.ofClient('client', obtain, { token: second, again: false }))())).toBe('upstream_rejected_credentials');
    expect(count).toBe(2);
  });

  it('that is new is kept where something else of the call may have been refused, until the call is refused again', async () => {
    const obtain = (): Promise<AccessToken> => Promise.resolve(obtained('client'));
    const token = await tokens.ofClient('client', obtain);
    const others = [obtained('exchanged')];
    expect(await tokens.ofClient('client', obtain, { token, others, again: false })).toBe(token);
    expect(await codeOf((async () => tokens.ofClient('client', obtain, { token, others, again: true }))())).toBe('upstream_rejected_credentials');
  });
});

describe('what a person has entered for a credential', () => {
  const entered = (value: string, more: object = {}) => token(value, { credential: 'tracker', expiresAt: undefined, ...more });
  const ofCredential = (subject = ana, refused?: Parameters<AccessTokens['ofCredential']>[3]) => tokens.ofCredential(connecting, subject, 'tracker', refused);
  const valueOf = async (...parameters: Parameters<typeof ofCredential>): Promise<string> => (await ofCredential(...parameters)).value.reveal();
  const other: AccessToken = { value: new Secret('another kind of token'), expiresAt: undefined, subjects: [] };

  it('is asked for once, is each person’s own, and is no connection’s', async () => {
    answers = [entered('anas'), entered('bens'), token('a')];
    expect([await valueOf(), await valueOf(ben), await valueOf(), await get()]).toEqual(['anas', 'bens', 'anas', 'a']);
    expect(asked).toEqual([{ server, subject: ana, credential: 'tracker' }, { server, subject: ben, credential: 'tracker' }, { server, subject: ana }]);
  });

  it('is forgotten when it was changed', async () => {
    answers = [entered('old'), entered('new')];
    await valueOf();
    tokens.forget(new Set(['connection-old']));
    expect(await valueOf()).toBe('new');
  });

  it.each([['missing', 'connect_required', 'not_connected', 'credential_missing'], ['refused', 'reconnect_required', 'refused', 'credential_refused']] as const)('%s: a link where it is entered', async (_what, status, reason, code) => {
    answers = [{ ...link, status, reason, credential: true }];
    const error = await Promise.resolve(ofCredential()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ code, connectUrl: link.connectUrl, isCredential: true });
  });

  describe('where calls do without', () => {
    const owner = 'credential-1';
    const missing: TokenAnswer = { ...link, status: 'connect_required', reason: 'not_connected', credential: true, owner };
    const optional = async (subject = ana): Promise<string> => (await tokens.ofCredential(connecting, subject, 'tracker', undefined, true)).value.reveal();

    it('is not asked about with every call when it is missing, and is asked about again after a moment', async () => {
      answers = [missing];
      for (let call = 0; call < 3; call += 1) expect(await codeOf(optional())).toBe('credential_missing');
      expect(asked.length).toBe(1);
      now += 5_000;
      answers = [entered('a')];
      expect([await optional(), asked.length]).toEqual(['a', 2]);
    });

    it('is asked about for each person', async () => {
      answers = [missing, entered('bens')];
      expect([await codeOf(optional()), await optional(ben)]).toEqual(['credential_missing', 'bens']);
    });

    it('is asked about at once when somebody entered it, and not when they entered another', async () => {
      answers = [missing, entered('a')];
      await codeOf(optional());
      tokens.connected('credential-2');
      expect(await codeOf(optional())).toBe('credential_missing');
      tokens.connected(owner);
      expect([await optional(), asked.length]).toEqual(['a', 2]);
    });

    it('is asked about again when it was entered while the answer was on its way', async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      [hold, answers] = [promise, [missing, entered('a')]];
      const first = codeOf(optional());
      tokens.connected(owner);
      resolve();
      expect([await first, await optional()]).toEqual(['credential_missing', 'a']);
    });

    it('is there as soon as another call that needs it has it; that one is asked about each time', async () => {
      answers = [missing, missing, entered('a')];
      expect([await codeOf(optional()), await codeOf(valueOf()), await valueOf(), await optional(), asked.length]).toEqual(['credential_missing', 'credential_missing', 'a', 'a', 3]);
    });

    it('is asked about each time where the broker is to say something else', async () => {
      answers = [{ ...missing, status: 'reconnect_required', reason: 'refused' }];
      expect([await codeOf(optional()), await codeOf(optional()), asked.length]).toEqual(['credential_refused', 'credential_refused', 2]);
    });
  });

  it('that the upstream refuses is the broker’s to judge, by its hash', async () => {
    answers = [entered('old'), entered('new')];
    const old = await ofCredential();
    expect(await valueOf(ana, { token: old, again: false })).toBe('new');
    expect(asked[1]).toEqual({ server, subject: ana, credential: 'tracker', refused: hash('sha256', 'old', 'base64url') });
  });

  it('beside a token that can be renewed is not what is refused, until that has been', async () => {
    answers = [entered('old'), { ...link, status: 'reconnect_required', reason: 'refused', credential: true }];
    const old = await ofCredential();
    expect(await valueOf(ana, { token: other, others: [old], again: false })).toBe('old');
    expect(await codeOf(valueOf(ana, { token: other, others: [old], again: true }))).toBe('credential_refused');
    expect(await codeOf(valueOf(ana, { token: other, again: false }))).toBe('credential_refused');
  });

  it('of a control plane that knows none is nothing', async () => {
    answers = [token('of-a-connection')];
    expect(await codeOf(valueOf())).toBe('broker_unavailable');
  });

  it('that nobody keeps is no mistake of an app', async () => {
    answers = [{ status: 'misconfigured' }];
    expect(await codeOf(valueOf())).toBe('credential_unavailable');
  });
});

describe('a token of a login', () => {
  const ofLogin = async (refused?: Parameters<AccessTokens['ofLogin']>[3]): Promise<AccessToken> => tokens.ofLogin(connecting, ana, 'access-token', refused);
  const valueOf = async (refused?: Parameters<AccessTokens['ofLogin']>[3]): Promise<string> => (await ofLogin(refused)).value.reveal();
  const login = (value: string): TokenAnswer => token(value, { login: 'access-token' });
  const other: AccessToken = { value: new Secret('other'), expiresAt: undefined, subjects: [] };

  it('that was refused is the broker’s to judge, by its hash, and one broker is asked for all', async () => {
    answers = [login('old'), login('new')];
    const old = await ofLogin();
    expect(await Promise.all([1, 2, 3].map(() => valueOf({ token: old, again: false })))).toEqual(['new', 'new', 'new']);
    expect(asked.slice(1)).toEqual([{ server, subject: ana, login: 'access-token', refused: hash('sha256', 'old', 'base64url') }]);
    const renewed = await ofLogin();
    await valueOf({ token: renewed, again: true });
    expect(asked[2]).toEqual({ server, subject: ana, login: 'access-token', refused: hash('sha256', 'new', 'base64url'), refusedAgain: true });
  });

  it('is of the login by which the agent was let in that calls: one for each grant', async () => {
    const [one, two] = ['01919e1c-0000-7000-8000-000000000010', '01919e1c-0000-7000-8000-000000000020'];
    answers = [login('one'), login('two')];
    const of = async (grant: string): Promise<string> => (await tokens.ofLogin(connecting, { ...ana, grant }, 'access-token')).value.reveal();
    expect([await of(one), await of(two), await of(one)]).toEqual(['one', 'two', 'one']);
    expect(asked).toEqual([one, two].map((grant) => ({ server, subject: ana, login: 'access-token', grant })));
  });

  it('beside another one is not what is refused, until that has been renewed', async () => {
    answers = [login('old'), login('new')];
    const old = await ofLogin();
    expect(await valueOf({ token: other, others: [old], again: false })).toBe('old');
    expect(await valueOf({ token: other, again: true })).toBe('old');
    expect(await valueOf({ token: other, others: [old], again: true })).toBe('new');
  });

  it('that was refused, and of which there is no other, is no reason to log in: the next call begins with it again', async () => {
    answers = [login('old'), { status: 'no_login' }, login('old')];
    const old = await ofLogin();
    expect(await codeOf(ofLogin({ token: old, again: false }))).toBe('upstream_rejected_credentials');
    expect(await valueOf()).toBe('old');
  });
});

it('who has no login with tokens is told to log in', async () => {
  answers = [{ status: 'no_login' }];
  expect(await codeOf(Promise.resolve(tokens.ofLogin(connecting, ana, 'access-token')))).toBe('subject_token_missing');
});

it('who has no login with tokens is not asked about with every call, and is asked about again after a moment', async () => {
  answers = [{ status: 'no_login' }];
  const ofLogin = async (): Promise<AccessToken> => tokens.ofLogin(connecting, ana, 'access-token');
  expect([await codeOf(ofLogin()), await codeOf(ofLogin()), asked.length]).toEqual(['subject_token_missing', 'subject_token_missing', 1]);
  now += 5_000;
  answers = [token('a', { login: 'access-token' })];
  expect([(await ofLogin()).value.reveal(), asked.length]).toEqual(['a', 2]);
});

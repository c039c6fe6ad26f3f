import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { RemoteKeySet } from './remote-key-set.ts';

const minute = 60_000;
const jwk = (kid: string) => ({ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid });
const [first, second] = [jwk('first'), jwk('second')];
const keysAnswer = (keys: object[], headers: Record<string, string> = {}) => () => Promise.resolve(new Response(JSON.stringify({ keys }), { headers }));
const away = () => Promise.reject(new Error('away'));

let now = 0;
let fetches = 0;
let answer: () => Promise<Response> = away;
let failures: unknown[] = [];
let keySet: RemoteKeySet;

beforeEach(() => {
  now = 1_000_000;
  fetches = 0;
  failures = [];
  answer = keysAnswer([first]);
  keySet = new RemoteKeySet('https://issuer.example/jwks?tenant=secret', {
    fetch: () => {
      fetches += 1;
      return answer();
    },
    now: () => now,
    random: () => 1,
    signal: new AbortController().signal,
    onFailure: (url) => failures.push(url),
  });
});

const kids = () => ['first', 'second'].filter((kid) => (keySet.current()?.candidates('ES256', kid).length ?? 0) > 0);
/** Lets what runs in the background come to its end. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

describe('keys that are known', () => {
  it('are fetched once, when they are first needed, for all who wait', async () => {
    expect(fetches).toBe(0);
    await Promise.all([keySet.load(), keySet.load(), keySet.load()]);
    expect([fetches, kids()]).toEqual([1, ['first']]);
    await keySet.load();
    now += 10 * minute - 1;
    expect([kids(), fetches]).toEqual([['first'], 1]);
  });

  it('are fetched again in the background when they are older than they may be', async () => {
    await keySet.load();
    answer = keysAnswer([second]);
    now += 10 * minute;
    expect(kids()).toEqual(['first']);
    await settle();
    expect([kids(), fetches]).toEqual([['second'], 2]);
  });

  it.each([
    ['max-age=120', 2],
    ['public, max-age=120, must-revalidate', 2],
    ['max-age=1', 1],
    ['max-age=999999999', 60],
    ['no-store', 1],
    ['no-cache, max-age=3600', 1],
    ['s-maxage=3600', 10],
    ['nonsense', 10],
  ])('may be as old as Cache-Control says, within bounds: %s', async (cacheControl, minutes) => {
    answer = keysAnswer([first], { 'cache-control': cacheControl });
    await keySet.load();
    now += minutes * minute - 1;
    keySet.current();
    expect(fetches).toBe(1);
    now += 1;
    keySet.current();
    expect(fetches).toBe(2);
  });

  it('are waited for where nobody has used them for long', async () => {
    await keySet.load();
    answer = keysAnswer([second]);
    now += 20 * minute;
    expect(keySet.current()).toBeUndefined();
    await keySet.load();
    expect([kids(), fetches]).toEqual([['second'], 2]);
  });

  it('are the same object while the issuer answers the same', async () => {
    const keys = await keySet.load();
    now += 10 * minute;
    keySet.current();
    await settle();
    expect([keySet.current() === keys, fetches]).toEqual([true, 2]);
  });

  it.each<[string, () => Promise<Response>]>([
    ['is away', away],
    ['answers an error', () => Promise.resolve(new Response('{"keys":[]}', { status: 500 }))],
    ['redirects', () => Promise.resolve(new Response(null, { status: 302, headers: { location: 'https://evil.example' } }))],
    ['answers no JSON', () => Promise.resolve(new Response('<html>'))],
    ['answers no key set', () => Promise.resolve(new Response('{"error":"x"}'))],
    ['breaks off', () => Promise.resolve(new Response(new ReadableStream({ start: (controller) => controller.error(new Error('reset')) })))],
  ])('stay when the issuer %s, however long', async (_name, failing) => {
    await keySet.load();
    answer = failing;
    now += 60 * minute;
    keySet.current();
    await settle();
    expect(kids()).toEqual(['first']);
    now += 24 * 60 * minute;
    expect(kids()).toEqual(['first']);
    await settle();
    expect(failures).toEqual(['https://issuer.example/jwks', 'https://issuer.example/jwks']);
  });

  it('go when the issuer publishes none', async () => {
    await keySet.load();
    answer = keysAnswer([]);
    now += 10 * minute;
    keySet.current();
    await settle();
    expect(kids()).toEqual([]);
  });
});

describe('an issuer that is away', () => {
  beforeEach(() => void (answer = away));

  it('means that nobody is let in, and that it is asked again later and later', async () => {
    const delays = [1, 2, 4, 5, 5, 5].map((delay) => delay * 1_000);
    for (const [index, delay] of delays.entries()) {
      await expect(keySet.load()).rejects.toMatchObject({ code: 'caller_keys_unavailable' });
      now += delay - 1;
      await expect(keySet.load()).rejects.toMatchObject({ code: 'caller_keys_unavailable' });
      expect(fetches).toBe(index + 1);
      now += 1;
    }
  });

  it('is asked ever more rarely while its keys are known', async () => {
    answer = keysAnswer([first]);
    await keySet.load();
    answer = away;
    now += 10 * minute;
    for (const [index, delay] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) {
      keySet.current();
      await settle();
      now += delay * 1_000 - 1;
      expect([kids(), fetches]).toEqual([['first'], index + 2]);
      now += 1;
    }
  });

  it('is forgiven when it is back', async () => {
    await keySet.load().catch(() => undefined);
    answer = keysAnswer([first]);
    now += 1_000;
    await keySet.load();
    expect(kids()).toEqual(['first']);
    answer = away;
    now += 10 * minute;
    keySet.current();
    await settle();
    now += 1_000;
    keySet.current();
    expect(fetches).toBe(4);
  });
});

describe('a key that is not known', () => {
  it('is asked for at once, and once for all who wait', async () => {
    const keys = await keySet.load();
    answer = keysAnswer([first, second]);
    const newer = await Promise.all([keySet.newerThan(keys), keySet.newerThan(keys)]);
    expect(newer[0]?.candidates('ES256', 'second')).toHaveLength(1);
    expect([newer[0] === newer[1], fetches]).toEqual([true, 2]);
  });

  it('is not asked for again within thirty seconds, whoever asks', async () => {
    const keys = await keySet.load();
    for (let count = 0; count < 100; count += 1) expect(await keySet.newerThan(keys)).toBe(keys);
    expect(fetches).toBe(2);
    now += 29_999;
    await keySet.newerThan(keys);
    expect(fetches).toBe(2);
    now += 1;
    for (let count = 0; count < 100; count += 1) await keySet.newerThan(keys);
    expect(fetches).toBe(3);
  });

  it('causes no more requests while the issuer is away', async () => {
    const keys = await keySet.load();
    answer = away;
    for (let count = 0; count < 60; count += 1) {
      now += 1_000;
      expect(await keySet.newerThan(keys)).toBe(keys);
    }
    expect(fetches).toBe(3);
  });

  it('needs no request where the keys have changed since', async () => {
    const keys = await keySet.load();
    answer = keysAnswer([second]);
    now += 10 * minute;
    keySet.current();
    await settle();
    expect(await keySet.newerThan(keys)).toBe(keySet.current());
    expect(fetches).toBe(2);
  });
});

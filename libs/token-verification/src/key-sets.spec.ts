import { expect, it } from 'vitest';
import { KeySets } from './key-sets.ts';

const nowhere = { fetch: () => Promise.reject(new Error('away')), now: () => 0 };

it('servers with one URL share one key set', () => {
  const keySets = new KeySets(nowhere);
  expect(keySets.at('https://a.example/jwks')).toBe(keySets.at('https://a.example/jwks'));
  expect(keySets.at('https://a.example/jwks')).not.toBe(keySets.at('https://b.example/jwks'));
});

it('forgets those that were used longest ago', () => {
  const keySets = new KeySets({ ...nowhere, maxKeySets: 3 });
  const [a, b] = [keySets.at('a'), keySets.at('b')];
  keySets.at('c');
  keySets.at('a');
  keySets.at('d');
  expect([keySets.size, keySets.at('a') === a, keySets.at('b') === b]).toEqual([3, true, false]);
});

it('breaks off what is being fetched when it is closed, without complaint', async () => {
  const failures: string[] = [];
  const keySets = new KeySets({
    fetch: (_url, { signal }) => new Promise((_resolve, reject) => void signal.addEventListener('abort', () => reject(signal.reason as Error))),
    now: () => 0,
    onFailure: (url) => failures.push(url),
  });
  const loading = keySets.at('a').load();
  keySets.close();
  await expect(loading).rejects.toMatchObject({ code: 'caller_keys_unavailable' });
  expect(failures).toEqual([]);
});

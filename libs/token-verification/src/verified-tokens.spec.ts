import { expect, it } from 'vitest';
import { PublicKeys } from './public-keys.ts';
import { VerifiedTokens, verifiedTokenUse } from './verified-tokens.ts';

const keys = new PublicKeys([]);
const entry = (value: string, expiresAt = 100) => ({ value, keys, expiresAt });
const small = () => new VerifiedTokens<string>({ maxCount: 2, maxCharacters: 10 });

it('knows a token until it expires', () => {
  const tokens = small();
  tokens.add('t', entry('ana'));
  expect([tokens.get('t', keys, 99), tokens.get('other', keys, 99)]).toEqual(['ana', undefined]);
  expect([tokens.get('t', keys, 100), tokens.size]).toEqual([undefined, 0]);
});

it('knows it only against the keys that verified it', () => {
  const tokens = small();
  tokens.add('t', entry('ana'));
  expect([tokens.get('t', undefined, 0), tokens.get('t', keys, 0)]).toEqual([undefined, 'ana']);
  expect([tokens.get('t', new PublicKeys([]), 0), tokens.get('t', keys, 0)]).toEqual([undefined, undefined]);
});

it('takes no token for another, whatever both end with', () => {
  const tokens = new VerifiedTokens<string>({ maxCount: 2, maxCharacters: 1_000 });
  const end = 's'.repeat(100);
  tokens.add(`ana.${end}`, entry('ana'));
  expect([tokens.get(`ben.${end}`, keys, 0), tokens.get(end, keys, 0), tokens.get(end.slice(-48), keys, 0), tokens.get(`ana.${end}`, keys, 0)]).toEqual([undefined, undefined, undefined, 'ana']);
  tokens.add(`ben.${end}`, entry('ben'));
  expect([tokens.size, tokens.get(`ana.${end}`, keys, 0), tokens.get(`ben.${end}`, keys, 0)]).toEqual([2, 'ana', 'ben']);
});

it('keeps so many tokens, the youngest', () => {
  const tokens = small();
  for (const token of ['a', 'b', 'c']) tokens.add(token, entry(token));
  expect(['a', 'b', 'c'].map((token) => tokens.get(token, keys, 0))).toEqual([undefined, 'b', 'c']);
});

it('keeps so many characters, counted once for each token', () => {
  const tokens = small();
  for (let time = 0; time < 5; time += 1) tokens.add('12345', entry('five'));
  tokens.add('67890', entry('five more'));
  expect(tokens.size).toBe(2);
  tokens.add('123456', entry('six'));
  expect([tokens.size, tokens.get('123456', keys, 0)]).toEqual([1, 'six']);
  tokens.add('12345678901', entry('too many'));
  expect(tokens.size).toBe(0);
});

it('counts what was known, and what was not, of all together', () => {
  const before = { ...verifiedTokenUse };
  const [tokens, others] = [small(), small()];
  tokens.add('12345', entry('ana'));
  for (const each of [tokens, tokens, others]) each.get('12345', keys, 0);
  tokens.get('12345', new PublicKeys([]), 0);
  tokens.add('1234567', entry('ana'));
  expect([verifiedTokenUse.hits - before.hits, verifiedTokenUse.misses - before.misses, verifiedTokenUse.characters - before.characters]).toEqual([2, 2, 7]);
});

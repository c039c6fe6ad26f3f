import { Secret } from '@gatehouse/sealing';
import { describe, expect, it } from 'vitest';
import { maskDeep, secretMask, secretsOf } from './mask-secrets.ts';

const secret = 's3cr3t/k+y=ü"42';
const mask = secretMask([secret]);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** Six characters in a row of any form of the secret give it away. */
const leaks = (text: string, form: string): boolean => Array.from({ length: Math.max(0, form.length - 7) }, (_, index) => form.slice(index, index + 8)).some((part) => text.includes(part));

describe('hides a secret', () => {
  it.each([
    ['as it is', secret],
    ['in other case', secret.toUpperCase()],
    ['twice', `${secret}${secret}`],
    ['URL-encoded', encodeURIComponent(secret)],
    ['within JSON', JSON.stringify({ key: secret })],
    ['in base64', base64(secret)],
    ['in base64url', Buffer.from(secret).toString('base64url')],
    ...['a', 'ab', 'abc', 'user:', 'someone:'].map((before) => [`in base64 after ${before}`, base64(`${before}${secret}`)]),
    ...['a', 'ab', 'abc'].map((after) => [`in base64 before ${after}`, base64(`user:${secret}${after}`)]),
  ])('%s', (_, echoed = '') => {
    const masked = mask(`before ${echoed} after`);
    expect(masked).toMatch(/^before .*\[secret\].* after$/);
    for (const form of [secret, echoed.slice(10)]) expect(leaks(masked, form)).toBe(false);
  });

  it('in the value of a credential with and without its scheme', () => {
    expect(secretMask(['Bearer tok-12345'])('Bearer tok-12345, tok-12345')).toBe('[secret], [secret]');
  });

  it('in names and values of JSON', () => {
    expect(maskDeep({ [secret]: [secret, { a: `x${secret}` }], n: 1, nothing: null }, mask)).toEqual({ '[secret]': ['[secret]', { a: 'x[secret]' }], n: 1, nothing: null });
  });
});

it('leaves ordinary text alone, and what is too short to be told from it', () => {
  expect(secretMask([])('text')).toBe('text');
  expect(secretMask(['', 'a', 'abc'])('a text of abc')).toBe('a text of abc');
  expect(mask('s3cr3t')).toBe('s3cr3t');
});

it('finds secrets anywhere in a document', () => {
  expect(secretsOf({ a: new Secret('1'), b: [{ c: new Secret('2') }, 'text', null, 3] })).toEqual(['1', '2']);
});

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyRingOf, parseKey, WeakKeyError } from './key-ring.ts';

describe('a key', () => {
  it('is read from base64, base64url and hex', () => {
    const key = randomBytes(32);
    for (const encoding of ['base64', 'base64url', 'hex'] as const) expect(parseKey(`${key.toString(encoding)}\n`)).toEqual(key);
  });

  it.each([
    ['nothing', ''],
    ['a word', 'changeme'],
    ['16 bytes', randomBytes(16).toString('base64')],
    ['33 bytes', randomBytes(33).toString('base64')],
    ['zeros', Buffer.alloc(32).toString('hex')],
    ['a repeated word', Buffer.from('secretsecretsecretsecretsecretse').toString('base64')],
  ])('is refused when it is %s', (_name, text) => {
    expect(() => parseKey(text)).toThrow(WeakKeyError);
  });

  it('gives the same term on every holder, another for every purpose', () => {
    const key = randomBytes(32);
    expect(keyRingOf([key], 'a').activeTerm).toBe(keyRingOf([key], 'a').activeTerm);
    expect(keyRingOf([key], 'a').activeTerm).not.toBe(keyRingOf([key], 'b').activeTerm);
  });
});

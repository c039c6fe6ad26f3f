import { expect, test } from 'vitest';
import { cookieName, formatCookie, readCookie } from './cookies.ts';

test.each([
  [undefined, undefined],
  ['', undefined],
  ['a=1', '1'],
  ['b=2; a=1;c=3', '1'],
  ['aa=2; ba=3', undefined],
  ['a=', undefined],
  ['a=x=y', 'x=y'],
  // Of two, the one that somebody planted on a wider domain may be the first.
  ['a=1; a=2', undefined],
  ['A=1', undefined],
])('%j holds %j', (header, value) => {
  expect(readCookie(header, 'a')).toBe(value);
});

test('over https a cookie is bound to the host', () => {
  expect(formatCookie(cookieName('gatehouse', true), 'x', { isSecure: true, maxAgeSeconds: 60 })).toBe('__Host-gatehouse=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure');
  expect(formatCookie(cookieName('gatehouse', false), '', { isSecure: false, maxAgeSeconds: 0 })).toBe('gatehouse=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax');
});

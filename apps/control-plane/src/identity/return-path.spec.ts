import { expect, test } from 'vitest';
import { returnPath } from './return-path.ts';

test.each([
  '/', '/docs', '/oauth/interaction/abc?x=1', '/a/../b', '/a?next=https://evil.example', '/%2F%2Fevil.example', '/a#b',
])('%s stays', (path) => {
  expect(returnPath(path)).toBe(new URL(path, 'https://x.invalid').href.slice('https://x.invalid'.length));
});

test.each([
  undefined, 7, ['/a', '/b'], '', 'docs', 'https://evil.example', '//evil.example', '/\\evil.example', '\\\\evil.example', '/\t/evil.example', '/\n/evil.example', ' //evil.example',
  'javascript:alert(1)', '/..//evil.example', '/a/../..//evil.example', `/${'a'.repeat(5_000)}`,
])('%j does not', (sent) => {
  expect(returnPath(sent)).toBe('/');
});

import { expect, it } from 'vitest';
import { matchesTemplate } from './uri-template.ts';

it.each([
  ['file:///{path}', 'file:///a/b', true],
  ['file:///{path}', 'http://a', false],
  ['repo://{owner}/{name}/x', 'repo://a/b/x', true],
  ['repo://{owner}/{name}/x', 'repo://a/x', false],
  ['repo://a', 'repo://a', true],
  ['repo://a', 'repo://ab', false],
  ['{+any}', 'whatever', true],
])('%s and %s: %s', (template, uri, expected) => {
  expect(matchesTemplate(template, uri)).toBe(expected);
});

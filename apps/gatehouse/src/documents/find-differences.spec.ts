import { Secret } from '@gatehouse/sealing';
import { describe, expect, it } from 'vitest';
import { findDifferences, isCertain } from './find-differences.ts';
import { renderDifference } from './render-difference.ts';

const isSet = { set: true, updatedAt: '2026-01-01T00:00:00Z' };

describe('findDifferences', () => {
  it.each<[string, unknown, unknown, string[]]>([
    ['equal', { a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, []],
    ['changed', { upstream: { url: 'https://a' } }, { upstream: { url: 'https://b' } }, ['~ /upstream/url  "https://a" → "https://b"']],
    ['added', {}, { title: 'Orders' }, ['+ /title  "Orders"']],
    ['removed', { title: 'Orders' }, {}, ['- /title  "Orders"']],
    ['in a list', { list: ['a', 'b'] }, { list: ['a', 'c', 'd'] }, ['~ /list/1  "b" → "c"', '+ /list/2  "d"']],
    ['another type', { a: [1] }, { a: { b: 1 } }, ['~ /a  [1] → {"b":1}']],
    ['a name with a slash', { 'a/b~': 1 }, {}, ['- /a~1b~0  1']],
    ['a new secret', { value: { set: false } }, { value: new Secret('canary') }, ['~ /value  secret, would be set']],
    ['a secret again', { value: isSet }, { value: new Secret('canary') }, ['= /value  secret, set already (cannot be compared)']],
    ['a secret that is not mentioned', { value: isSet }, {}, []],
    ['a cleared secret', { value: isSet }, { value: Symbol('cleared') }, ['~ /value  secret, would be cleared']],
    ['a secret in something new', {}, { appAuth: { type: 'bearer', token: new Secret('canary') } }, ['+ /appAuth  {"type":"bearer","token":"[secret]"}']],
  ])('%s', (_case, current, desired, lines) => {
    expect(findDifferences(current, desired).map(renderDifference)).toEqual(lines);
  });

  it('is not certain only of secrets that are set already', () => {
    expect(findDifferences({ a: isSet }, { a: new Secret('x') }).some(isCertain)).toBe(false);
    expect(findDifferences({ a: isSet, b: 1 }, { a: new Secret('x'), b: 2 }).some(isCertain)).toBe(true);
  });
});

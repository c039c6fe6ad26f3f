import { describe, expect, test } from 'vitest';
import { mergePatch } from './merge-patch.ts';

describe('RFC 7396, appendix A', () => {
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [['a', 'b'], ['c', 'd'], ['c', 'd']],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j + %j = %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });
});

test('an object of another type is replaced and not merged', () => {
  const target = { appAuth: { type: 'api-key', name: 'X-Key', in: 'header', value: { set: true } } };
  expect(mergePatch(target, { appAuth: { type: 'bearer', token: 'text' } })).toEqual({ appAuth: { type: 'bearer', token: 'text' } });
});

test('an object of the same type is merged', () => {
  const target = { appAuth: { type: 'api-key', name: 'X-Key', value: { set: true } } };
  expect(mergePatch(target, { appAuth: { type: 'api-key', name: 'X-Other' } })).toEqual({ appAuth: { type: 'api-key', name: 'X-Other', value: { set: true } } });
});

test('null in the place of a secret reaches the document, so that the secret is cleared', () => {
  const target = { appAuth: { type: 'bearer', token: { set: true, updatedAt: '2026-01-01T00:00:00.000Z' } } };
  expect(mergePatch(target, { appAuth: { token: null } })).toEqual({ appAuth: { type: 'bearer', token: null } });
});

test('__proto__ is a key like any other', () => {
  const patched = mergePatch({}, JSON.parse('{"__proto__": {"polluted": true}}')) as Record<string, unknown>;
  expect(Object.hasOwn({}, 'polluted')).toBe(false);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(patched['polluted']).toBeUndefined();
});

import { expect, test } from 'vitest';
import { validateArguments } from './validate-arguments.ts';

const schema = (properties: Record<string, unknown>, rest: Record<string, unknown> = {}) => ({ inputSchema: { type: 'object', properties, additionalProperties: false, ...rest } });

test.each<[string, ReturnType<typeof schema>, Record<string, unknown>, [string, string][]]>([
  ['what is not there', schema({ a: {} }, { required: ['a'] }), {}, [['/a', 'is required']]],
  ['what nobody knows', schema({}), { 'a/b': 1 }, [['/a~1b', 'is not one of the arguments here']]],
  ['another type', schema({ a: { type: ['string', 'null'] } }), { a: 1 }, [['/a', 'must be string or null']]],
  ['another value', schema({ a: { enum: ['x', 1] } }), { a: 'y' }, [['/a', 'must be one of "x", 1']]],
  ['within a list', schema({ a: { items: { properties: { b: { maximum: 3 } } } } }), { a: [{}, { b: 4 }] }, [['/a/1/b', 'must be <= 3']]],
  ['the same twice', schema({ a: { uniqueItems: true } }), { a: [{ x: 1, y: 2 }, { y: 2, x: 1 }] }, [['/a', 'must not have the same entry twice']]],
  ['all at once', schema({ a: { type: 'string' } }, { required: ['b'] }), { a: 1 }, [['/b', 'is required'], ['/a', 'must be string']]],
  ['a pattern', schema({ a: { pattern: '^[A-Z]{2}$' } }), { a: 'de' }, [['/a', 'must match pattern "^[A-Z]{2}$"']]],
])('says what is wrong: %s', (_what, operation, args, expected) => {
  expect(validateArguments(operation)(args).map(({ pointer, detail }) => [pointer, detail])).toEqual(expected);
});

test.each<[string, Record<string, unknown>, unknown]>([
  ['a format', { type: 'string', format: 'date-time' }, 'yesterday'],
  ['a pattern that needs more than RE2', { pattern: '(?=x)y' }, 'z'],
  ['no value at all where null is one', { type: ['null', 'string'] }, null],
])('leaves to the API: %s', (_what, argument, value) => {
  expect(validateArguments(schema({ a: argument }))({ a: value })).toEqual([]);
});

test('a pattern takes time that is linear in the text', { timeout: 30_000 }, () => {
  expect(validateArguments(schema({ a: { pattern: '^(a+)+$' } }))({ a: `${'a'.repeat(100_000)}!` })).toHaveLength(1);
});

test('many entries that have to differ are compared in linear time', { timeout: 30_000 }, () => {
  const entries = Array.from({ length: 100_000 }, (_, index) => ({ index }));
  expect(validateArguments(schema({ a: { uniqueItems: true } }))({ a: entries })).toEqual([]);
  expect(validateArguments(schema({ a: { uniqueItems: true } }))({ a: [...entries, { index: 5 }] })).toHaveLength(1);
});

test('what a schema says by reference, itself included', () => {
  const operation = { inputSchema: { type: 'object', properties: { tree: { $ref: '#/$defs/tree' } }, $defs: { tree: { type: 'object', required: ['value'], properties: { child: { $ref: '#/$defs/tree' } } } } } };
  expect(validateArguments(operation)({ tree: { value: 1, child: { value: 2, child: {} } } }).map(({ pointer }) => pointer)).toEqual(['/tree/child/child/value']);
});

import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { validateArguments } from './validate-arguments.ts';

type Schema = Record<string, unknown> | boolean;

/* Few names, few values: what is made of them meets often. Of `contains` beside other keywords the other validator thinks otherwise than the specification. */
const name = fc.constantFrom('a', 'b', 'c');
const scalar = fc.constantFrom(null, true, 0, 1, 2.5, -3, '', 'a', 'ab', 'b🎈');
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, scalar, fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(name, tie('value'), { maxKeys: 3 })),
}));
const type = fc.constantFrom('null', 'boolean', 'object', 'array', 'number', 'string', 'integer');
const count = fc.integer({ min: 0, max: 3 });
const number = fc.integer({ min: -3, max: 3 });
const { schema } = fc.letrec<{ schema: Schema }>((tie) => {
  const list = fc.array(tie('schema'), { minLength: 1, maxLength: 3 });
  const map = fc.dictionary(name, tie('schema'), { maxKeys: 3 });
  const keywords = {
    type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 })), enum: fc.array(value, { minLength: 1, maxLength: 3 }), const: value,
    minimum: number, maximum: number, exclusiveMinimum: number, exclusiveMaximum: number, multipleOf: fc.constantFrom(1, 2),
    minLength: count, maxLength: count, minItems: count, maxItems: count, minProperties: count, maxProperties: count,
    pattern: fc.constantFrom('a', '^b', '^$'), uniqueItems: fc.boolean(), required: fc.uniqueArray(name, { maxLength: 2 }), dependentRequired: fc.dictionary(name, fc.uniqueArray(name, { minLength: 1, maxLength: 2 }), { minKeys: 1, maxKeys: 2 }),
    items: tie('schema'), additionalProperties: tie('schema'), not: tie('schema'), propertyNames: tie('schema'), if: tie('schema'), then: tie('schema'), else: tie('schema'),
    unevaluatedProperties: tie('schema'), unevaluatedItems: tie('schema'), allOf: list, anyOf: list, oneOf: list, prefixItems: list, properties: map, dependentSchemas: map,
    patternProperties: fc.dictionary(fc.constantFrom('a', '^b', 'c$'), tie('schema'), { maxKeys: 2 }), $ref: fc.constantFrom('#/$defs/one', '#/$defs/two'),
  };
  const few = fc.uniqueArray(fc.constantFrom(...Object.keys(keywords)), { minLength: 1, maxLength: 4 }).chain((chosen) => fc.record(Object.fromEntries(chosen.map((key) => [key, keywords[key as keyof typeof keywords] as fc.Arbitrary<unknown>]))));
  return { schema: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.boolean(), few) };
});

const asParsed = <T>(json: T): T => JSON.parse(JSON.stringify(json)) as T;

const plain = fc.record({ type: fc.constant('object'), properties: fc.dictionary(name, schema, { maxKeys: 3 }) });

describe('what is valid', () => {
  test('is what another validator says', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(plain, schema, plain, schema, fc.dictionary(name, value, { maxKeys: 3 }), (root, more, one, two, given) => {
        // As they come from JSON: to the other validator, an object without a prototype is another one.
        const inputSchema = asParsed({ ...(typeof more === 'object' && more), ...root, $defs: { one, two } });
        const args = asParsed(given);
        // A reference back to itself about the very same value has no meaning (JSON Schema 2020-12 core, section 9.4.1).
        fc.pre(!/"\$ref"/.test(JSON.stringify([one, two])));
        const ajv = new Ajv2020({ strict: false, validateSchema: false, validateFormats: false, ownProperties: true, logger: false });
        expect(validateArguments({ inputSchema })(args).length === 0).toBe(ajv.validate(inputSchema, args));
      }),
      // Always the same: once in some ten thousand the other validator is wrong, as with an empty `dependentRequired`.
      { numRuns: 3_000, seed: 20_260_728 },
    );
  });
});

const alone = { unevaluatedProperties: false };
const listed = { unevaluatedItems: false };
test.each<[string, Schema, unknown, string[]]>([
  ['members that allOf looked at', { ...alone, allOf: [{ properties: { x: true } }] }, { x: 1, y: 1 }, ['/a/y']],
  ['members that a fitting alternative looked at', { ...alone, anyOf: [{ properties: { x: { type: 'string' } } }, { properties: { y: true } }] }, { x: 1, y: 1 }, ['/a/x']],
  ['members of a definition', { ...alone, $ref: '#/$defs/x' }, { x: 1, y: 1 }, ['/a/y']],
  ['members of a condition that holds', { ...alone, if: { properties: { x: { const: 1 } } }, then: { properties: { y: true } } }, { x: 1, y: 1, z: 1 }, ['/a/z']],
  ['members of a condition that does not hold', { ...alone, if: { properties: { x: { const: 2 } } }, else: { properties: { y: true } } }, { x: 1, y: 1 }, ['/a/x']],
  ['entries before and after', { prefixItems: [{ const: 1 }], items: { const: 2 } }, [1, 2, 1], ['/a/2']],
  ['an entry that has to be there', { contains: { const: 3 } }, [1], ['/a']],
  ['one of none', { contains: true }, [], ['/a']],
  ['entries that nobody looked at', { ...listed, prefixItems: [true], contains: { const: 3 } }, [1, 3, 2], ['/a/2']],
])('%s', (_what, argument, given, expected) => {
  const problems = validateArguments({ inputSchema: { properties: { a: argument }, $defs: { x: { properties: { x: true } } } } })({ a: given });
  expect(problems.map(({ pointer }) => pointer)).toEqual(expected);
});

test.each<[string, Schema, unknown]>([
  ['fractions as far as they can be told', { multipleOf: 0.1 }, 0.3],
  ['characters, not halves of them', { maxLength: 1, minLength: 1 }, '🎈'],
  ['members in another order', { const: { a: 1, b: [2] } }, { b: [2], a: 1 }],
  ['a definition that is not there', { $ref: '#/$defs/gone' }, 1],
])('%s', (_what, argument, given) => {
  expect(validateArguments({ inputSchema: { properties: { a: argument } } })({ a: given })).toEqual([]);
});

describe('ends soon', () => {
  const text = 'a'.repeat(3_000_000);
  test.each<[string, Schema, unknown]>([
    ['a thousand patterns', { anyOf: Array.from({ length: 1_000 }, (_, index) => ({ pattern: `^(a|b)*${index}$` })) }, text],
    ['patterns of names', { patternProperties: Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${index}$`, {}])) }, Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`n${index}x`, 1]))],
    ['entries that differ, a thousand times', { anyOf: Array.from({ length: 1_000 }, () => ({ uniqueItems: true, maxItems: 1 })) }, Array.from({ length: 100_000 }, (_, index) => ({ index }))],
    ['a large value among many', { enum: Array.from({ length: 1_000 }, (_, index) => ({ index, list: [index] })) }, { index: 1, list: [text] }],
    ['a circle', { $ref: '#/$defs/circle' }, 1],
  ])('%s', { timeout: 30_000 }, (_what, argument, given) => {
    expect(validateArguments({ inputSchema: { properties: { a: argument }, $defs: { circle: { allOf: [{ $ref: '#/$defs/circle' }] } } } })({ a: given }).length).toBeLessThan(2);
  });

  test('a schema of thousands of parts costs its first call no more than any other', { timeout: 30_000 }, () => {
    const part = { type: 'object', properties: { a: { type: 'string', maxLength: 10 }, b: { type: 'array', items: { type: 'integer', minimum: 1 } } }, additionalProperties: false };
    const inputSchema = { type: 'object', properties: Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`p${index}`, part])), additionalProperties: false };
    expect(validateArguments({ inputSchema })({ p4999: { b: [0] } })).toEqual([{ pointer: '/p4999/b/0', detail: 'must be >= 1' }]);
  });
});

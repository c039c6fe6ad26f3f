import { describe, expect, it } from 'vitest';
import { argumentsOf, parseArguments } from './parse-arguments.ts';

const schema = {
  type: 'object',
  properties: {
    text: { type: 'string' },
    amount: { type: 'number' },
    count: { type: 'integer' },
    open: { type: 'boolean' },
    filter: { type: 'object' },
    tags: { type: 'array' },
    either: { type: ['integer', 'string'] },
    union: { anyOf: [{ type: 'boolean' }, { type: 'string' }] },
    level: { enum: ['low', 'high'] },
    untyped: {},
  },
};

describe('parseArguments', () => {
  it.each<[string, Record<string, unknown>]>([
    ['text=42', { text: '42' }],
    ['text=', { text: '' }],
    ['text=a=b:=c', { text: 'a=b:=c' }],
    ['text=two\nlines', { text: 'two\nlines' }],
    ['amount=-1.5e3', { amount: -1500 }],
    ['count=7', { count: 7 }],
    ['open=true', { open: true }],
    ['filter={"a":1}', { filter: { a: 1 } }],
    ['tags=["x"]', { tags: ['x'] }],
    ['either=7', { either: 7 }],
    ['either=seven', { either: 'seven' }],
    ['union=false', { union: false }],
    ['union=no', { union: 'no' }],
    ['level=high', { level: 'high' }],
    ['untyped=1', { untyped: '1' }],
    ['unknown=1', { unknown: '1' }],
    ['text:="quoted"', { text: 'quoted' }],
    ['unknown:={"a":[1,null]}', { unknown: { a: [1, null] } }],
  ])('%j', (argument, expected) => {
    expect(parseArguments([argument], schema)).toEqual(expected);
  });

  it.each([
    ['amount=much', 'amount must be a number, not "much".'],
    ['amount=', 'amount must be a number, not "".'],
    ['count=1.5', 'count must be a whole number, not "1.5".'],
    ['open=yes', 'open must be true or false, not "yes".'],
    ['filter=[1]', 'filter must be a JSON object, not "[1]".'],
    ['text', '"text" is not an argument: write name=value, or name:=json.'],
    ['=x', '"=x" is not an argument: write name=value, or name:=json.'],
  ])('refuses %j', (argument, message) => {
    expect(() => parseArguments([argument], schema)).toThrow(message);
  });

  it('refuses what is no JSON after :=', () => {
    expect(() => parseArguments(['text:={'], schema)).toThrow(/^text:= is followed by JSON/);
  });

  it('says what the tool takes when an argument is missing, or is none of the tool’s', () => {
    const strict = { ...schema, properties: { a: { type: 'number' }, note: { type: 'string' } }, required: ['a'], additionalProperties: false };
    expect(() => parseArguments([], strict)).toThrow('a is missing. The tool takes: a=<number> [note=<string>]');
    expect(() => parseArguments(['b=1'], strict)).toThrow('There is no argument "b". The tool takes: a=<number> [note=<string>]');
    expect(argumentsOf(strict)).toBe('a=<number> [note=<string>]');
  });

  it('cannot be made to touch the prototype', () => {
    expect(Object.getPrototypeOf(parseArguments(['__proto__:={"a":1}'], {}))).toBe(Object.prototype);
  });
});

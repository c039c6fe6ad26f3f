import { expect, it } from 'vitest';
import { beginsArray, beginsObject, eachElement, eachMember } from './json-text.ts';


/** The same numbers in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

const spaces = ['', '', ' ', '\n', '\t \r\n'];
const texts: [text: string, value: string][] = [
  ['""', ''], ['"a"', 'a'], ['"\\""', '"'], ['"\\\\"', '\\'], ['"\\\\\\""', '\\"'], ['"{[,:]}"', '{[,:]}'], ['"\\u0022"', '"'], ['"é💡"', 'é💡'], ['"\\n"', '\n'], ['"m\\u0065thod"', 'method'],
];
const scalars: [text: string, value: unknown][] = [...texts, ['0', 0], ['-1.5e+10', -1.5e10], ['true', true], ['false', false], ['null', null]];

interface Made {
  readonly text: string;
  readonly value: unknown;
}

/** Text and value are made together: `JSON.parse` of Node 24 is no judge here (see below). */
function makeJson(next: (below: number) => number, depth: number): Made {
  const space = (): string => spaces[next(spaces.length)] as string;
  const kind = depth === 0 ? 0 : next(4);
  if (kind < 2) {
    const [text, value] = scalars[next(scalars.length)] as [string, unknown];
    return { text, value };
  }
  const parts = Array.from({ length: next(5) }, () => makeJson(next, depth - 1));
  const names = parts.map(() => texts[next(texts.length)] as [string, string]);
  const inside = parts.map(({ text }, index) => `${space()}${kind === 2 ? text : `${names[index]?.[0] ?? ''}${space()}:${space()}${text}`}${space()}`).join(',') || space();
  if (kind === 2) return { text: `[${inside}]`, value: parts.map(({ value }) => value) };
  return { text: `{${inside}}`, value: parts.map(({ value }, index) => [names[index]?.[1], value]) };
}

/** Objects as lists of members. */
function rebuild(text: string, from: number, to: number): unknown {
  const parts: unknown[] = [];
  if (beginsArray(text, from)) eachElement(text, from, (...range) => void parts.push(rebuild(text, ...range)));
  else if (beginsObject(text, from)) eachMember(text, from, (name, start, end) => void parts.push([name, rebuild(text, start, end)]));
  else return JSON.parse(text.slice(from, to));
  return parts;
}

it('finds every member and element where it is, in five thousand documents', () => {
  const next = numbers(20_261_121);
  for (let count = 0; count < 5_000; count += 1) {
    const { text, value } = makeJson(next, 4);
    expect(rebuild(` ${text}\n`, 1, text.length + 1)).toEqual(value);
  }
});

it('finds the end of a string of any length, wherever its escapes are', () => {
  for (let length = 0; length < 40; length += 1) {
    for (const end of ['', '\\"', '\\\\', '\\\\\\"', '\\\\\\\\', '\\u0022']) {
      for (const more of ['', 'x'.repeat(40)]) {
        const value = `"${'a'.repeat(length)}${end}${more}"`;
        const found: string[] = [];
        eachMember(`{"b":${value},"c":1}`, 0, (name, from, to) => void found.push(`${name} ${to - from}`));
        expect(found).toEqual([`b ${value.length}`, 'c 1']);
      }
    }
  }
});

// V8 13.6 takes an escaped name for one that a document before had in its place, if that one reads as the escape is written.
it('reads names by themselves, whatever was parsed before', () => {
  JSON.parse('{"a":1,"m\\\\u006":1}');
  const found: string[] = [];
  eachMember('{"a":1,"m\\u0065thod":1}', 0, (name) => void found.push(name));
  expect(found).toEqual(['a', 'method']);
});

it('is deep and long without a limit of its own', () => {
  const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)},"b":"${'\\\\'.repeat(100_000)}","c":1}`;
  const found: string[] = [];
  eachMember(deep, 0, (name, from, to) => void found.push(`${name} ${to - from}`));
  expect(found).toEqual(['a 200000', 'b 200002', 'c 1']);
});

it.each(['{', '{"a', '{"a":', '{"a":[', '[1,', '["', '{"a":"\\"', ''])('ends with what is no JSON: %j', (text) => {
  const found: number[] = [];
  eachMember(text, 0, (_name, from) => void found.push(from));
  eachElement(text, 0, (from) => void found.push(from));
  expect(found.length).toBeLessThan(5);
});

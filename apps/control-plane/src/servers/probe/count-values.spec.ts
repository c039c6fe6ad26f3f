import { expect, it } from 'vitest';
import { countValues } from './count-values.ts';

const count = (text: string): number => countValues()(Buffer.from(text));

it.each([
  ['nothing', '', 0],
  ['an empty list', '[]', 1],
  ['a list', '[1,"a",null]', 3],
  ['an object', '{"a":1,"b":{"c":[2]}}', 4],
  ['not what is in strings', String.raw`["[,{", "\"[,", "\\",1]`, 4],
  ['events, each line by itself', ': "quoted\ndata: [1,2]\r\n: \\\ndata: [3]', 3],
])('counts %s', (_, text, values) => {
  expect(count(text)).toBe(values);
  // However it is cut into pieces.
  const counter = countValues();
  expect([...Buffer.from(text)].map((byte) => counter(Uint8Array.of(byte))).at(-1) ?? 0).toBe(values);
});

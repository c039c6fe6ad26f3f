import { expect, test } from 'vitest';
import type { ApiParameter, ParameterStyle } from '../api-operation.ts';
import { buildApiRequest } from './build-api-request.ts';
import { operationWith } from '../spec-support/operation-with.ts';

const array = ['blue', 'black', 'brown'];
const object = { R: 100, G: 200, B: 150 };
const base = new URL('https://api.example/v1');

function requestWith(parameter: Omit<ApiParameter, 'argument' | 'name' | 'required'>, value: unknown): { path: string; header: string | undefined } {
  const operation = operationWith({
    path: parameter.in === 'path' ? '/x{color}' : '/x',
    parameters: [{ argument: 'color', name: 'color', required: parameter.in === 'path', ...parameter }],
  });
  const { path, headers } = buildApiRequest(operation, { color: value }, base);
  return { path: path.slice('/v1/x'.length), header: headers.find(([name]) => name === 'color')?.[1] };
}

// The table “Style Examples” of OpenAPI 3.1.1, section 4.8.12.4, row by row.
test.each<[ParameterStyle, boolean, unknown, string]>([
  ['matrix', false, '', ';color'],
  ['matrix', false, 'blue', ';color=blue'],
  ['matrix', false, array, ';color=blue,black,brown'],
  ['matrix', false, object, ';color=R,100,G,200,B,150'],
  ['matrix', true, '', ';color'],
  ['matrix', true, 'blue', ';color=blue'],
  ['matrix', true, array, ';color=blue;color=black;color=brown'],
  ['matrix', true, object, ';R=100;G=200;B=150'],
  ['label', false, '', '.'],
  ['label', false, 'blue', '.blue'],
  ['label', false, array, '.blue,black,brown'],
  ['label', false, object, '.R,100,G,200,B,150'],
  ['label', true, '', '.'],
  ['label', true, 'blue', '.blue'],
  ['label', true, array, '.blue.black.brown'],
  ['label', true, object, '.R=100.G=200.B=150'],
  ['simple', false, '', ''],
  ['simple', false, 'blue', 'blue'],
  ['simple', false, array, 'blue,black,brown'],
  ['simple', false, object, 'R,100,G,200,B,150'],
  ['simple', true, '', ''],
  ['simple', true, 'blue', 'blue'],
  ['simple', true, array, 'blue,black,brown'],
  ['simple', true, object, 'R=100,G=200,B=150'],
])('in a path, style %s, explode %s: %j', (style, explode, value, expected) => {
  expect(requestWith({ in: 'path', style, explode }, value).path).toBe(expected);
});

test.each<[ParameterStyle, boolean, unknown, string]>([
  ['form', false, '', '?color='],
  ['form', false, 'blue', '?color=blue'],
  ['form', false, array, '?color=blue,black,brown'],
  ['form', false, object, '?color=R,100,G,200,B,150'],
  ['form', true, '', '?color='],
  ['form', true, 'blue', '?color=blue'],
  ['form', true, array, '?color=blue&color=black&color=brown'],
  ['form', true, object, '?R=100&G=200&B=150'],
  ['spaceDelimited', false, array, '?color=blue%20black%20brown'],
  ['spaceDelimited', false, object, '?color=R%20100%20G%20200%20B%20150'],
  ['pipeDelimited', false, array, '?color=blue%7Cblack%7Cbrown'],
  ['pipeDelimited', false, object, '?color=R%7C100%7CG%7C200%7CB%7C150'],
  ['deepObject', true, object, '?color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150'],
  // Beyond the table: what it leaves open, and what is not there.
  ['deepObject', true, { a: { b: [1, true] } }, '?color%5Ba%5D%5Bb%5D%5B0%5D=1&color%5Ba%5D%5Bb%5D%5B1%5D=true'],
  ['form', true, [], ''],
  ['form', true, null, ''],
  ['form', true, {}, ''],
  ['form', false, [null, 'a'], '?color=a'],
  ['form', true, 'a&b=c#d e+ü', '?color=a%26b%3Dc%23d%20e%2B%C3%BC'],
])('in a query, style %s, explode %s: %j', (style, explode, value, expected) => {
  expect(requestWith({ in: 'query', style, explode }, value).path).toBe(expected);
});

test.each<[unknown, string]>([
  ['https://a.example/b?c=d', 'https://a.example/b?c=d'],
  ['a%2Fb', 'a%2Fb'],
  ['100%', '100%25'],
  // None of these may stand in a query as they are, or they would begin another parameter.
  ['a&b+c#d[0] ü', 'a%26b%2Bc%23d%5B0%5D%20%C3%BC'],
])('allowReserved leaves what RFC 6570 section 3.2.3 leaves: %j', (value, expected) => {
  expect(requestWith({ in: 'query', style: 'form', explode: true, allowReserved: true }, value).path).toBe(`?color=${expected}`);
});

test.each<[boolean, unknown, string | undefined]>([
  [false, 'blue', 'blue'],
  [false, array, 'blue,black,brown'],
  [false, object, 'R,100,G,200,B,150'],
  [true, object, 'R=100,G=200,B=150'],
  [false, 'a b/c?', 'a b/c?'],
  [false, 'ü', 'Ã¼'],
  [false, null, undefined],
])('in a header, explode %s: %j', (explode, value, expected) => {
  expect(requestWith({ in: 'header', style: 'simple', explode }, value).header).toBe(expected);
});

import { expect, test } from 'vitest';
import { resultOf, type ApiAnswer, type ToolResult } from './result-of.ts';

const tool = { name: 'get pet' };
const described = { name: 'get', outputSchema: { type: 'object' } };
const answer = (status: number, contentType: string | undefined, body: string | Buffer, truncated?: true): ApiAnswer => ({ status, contentType, body: Buffer.from(body), truncated });
const text = (value: string): ToolResult['content'] => [{ type: 'text', text: value }];
const limits = { maxTextBytes: 10, maxBinaryBytes: 4, maxErrorBytes: 6 };

test.each<[string, typeof tool, ApiAnswer, ToolResult]>([
  ['an object', tool, answer(200, 'application/json; charset=utf-8', '{"a":1}'), { content: text('{"a":1}'), structuredContent: { a: 1 } }],
  ['its own kind of JSON', tool, answer(201, 'application/geo+json', '{"a":1}'), { content: text('{"a":1}'), structuredContent: { a: 1 } }],
  ['a list', tool, answer(200, 'application/json', '[1]'), { content: text('[1]') }],
  ['a list where an object is described', described, answer(200, 'application/json', '[1]'), { content: text('[1]'), structuredContent: {} }],
  ['JSON that is none', tool, answer(200, 'application/json', '{"a":'), { content: text('{"a":') }],
  ['JSON called text', tool, answer(200, 'text/plain', ' {"a":1}'), { content: text(' {"a":1}'), structuredContent: { a: 1 } }],
  ['JSON called nothing', tool, answer(200, undefined, '{"a":1}'), { content: text('{"a":1}'), structuredContent: { a: 1 } }],
  ['an id that a double does not keep', tool, answer(200, 'application/json', '{"id":9007199254740993}'), { content: text('{"id":9007199254740993}') }],
  ['such an id where an object is described', described, answer(200, 'application/json', '{"id":9007199254740993}'), { content: text('{"id":9007199254740993}'), structuredContent: { id: Number('9007199254740993') } }],
  ['a fraction with many digits', tool, answer(200, 'application/json', '{"a":0.12345678901234567}'), { content: text('{"a":0.12345678901234567}'), structuredContent: { a: Number('0.12345678901234567') } }],
  ['HTML', tool, answer(200, 'text/html', '<p>'), { content: text('<p>') }],
  ['nothing', tool, answer(204, undefined, ''), { content: text('HTTP 204 No Content') }],
  ['nothing where an object is described', described, answer(204, undefined, ''), { content: text('HTTP 204 No Content'), structuredContent: {} }],
  ['another charset', tool, answer(200, 'text/plain; charset=iso-8859-1', Buffer.from([0xfc])), { content: text('ü') }],
  ['a charset that nobody knows', tool, answer(200, 'text/plain; charset=x-none', 'ü'), { content: text('ü') }],
  ['an image', tool, answer(200, 'image/png', Buffer.from([0, 255])), { content: [{ type: 'image', data: 'AP8=', mimeType: 'image/png' }] }],
  ['a drawing', tool, answer(200, 'image/svg+xml', '<svg/>'), { content: text('<svg/>') }],
  ['a sound', tool, answer(200, 'audio/mpeg', Buffer.from([0])), { content: [{ type: 'audio', data: 'AA==', mimeType: 'audio/mpeg' }] }],
  ['a file', tool, answer(200, 'application/pdf', Buffer.from([0])), { content: [{ type: 'resource', resource: { uri: 'gatehouse:///get%20pet', mimeType: 'application/pdf', blob: 'AA==' } }] }],
  ['bytes without a type', tool, answer(200, undefined, Buffer.from([0, 255])), { content: [{ type: 'resource', resource: { uri: 'gatehouse:///get%20pet', mimeType: 'application/octet-stream', blob: 'AP8=' } }] }],
  ['a type that is none', tool, answer(200, '"\r\n', Buffer.from([0])), { content: [{ type: 'resource', resource: { uri: 'gatehouse:///get%20pet', mimeType: 'application/octet-stream', blob: 'AA==' } }] }],
  ['an error', tool, answer(404, 'application/json', '{"a":1}'), { content: text('HTTP 404 Not Found\n{"a":1}'), isError: true }],
  ['an error where an object is described', described, answer(500, undefined, ''), { content: text('HTTP 500 Internal Server Error'), isError: true }],
  ['an error in bytes', tool, answer(502, 'image/png', Buffer.from([0])), { content: text('HTTP 502 Bad Gateway'), isError: true }],
  ['a redirect that nobody followed', tool, answer(302, 'text/plain', 'x'), { content: text('HTTP 302 Found\nx'), isError: true }],
  ['a status that nobody knows', tool, answer(799, undefined, ''), { content: text('HTTP 799'), isError: true }],
])('%s', (_what, operation, given, expected) => {
  expect(resultOf(operation, given)).toEqual(expected);
});

const cut = '\n… (cut: the answer is longer)';

test.each<[string, ApiAnswer, ToolResult]>([
  ['text is cut, between characters', answer(200, 'text/plain', 'xxxxxxxxxüx'), { content: text(`xxxxxxxxx${cut}`) }],
  ['JSON that was cut is text', answer(200, 'application/json', '{"a":1}', true), { content: text(`{"a":1}${cut}`) }],
  ['errors are cut', answer(500, 'text/plain', '1234567'), { content: text(`HTTP 500 Internal Server Error\n123456${cut}`), isError: true }],
  ['images are not', answer(200, 'image/png', Buffer.alloc(5)), { content: text('The answer is image/png of more than 4 bytes: too large to be given back.') }],
])('bounds: %s', (_what, given, expected) => {
  expect(resultOf(tool, given, limits)).toEqual(expected);
});

const graphql = { name: 'viewer', graphql: { document: '{ a }', variables: [] } };

test.each<[string, unknown, Partial<ToolResult>]>([
  ['data', { data: { a: 1 } }, { structuredContent: { a: 1 } }],
  ['errors alone', { errors: [{ message: 'x' }] }, { isError: true }],
  ['errors and nothing beside them', { data: { a: null }, errors: [{ message: 'x' }] }, { isError: true }],
  ['errors beside data', { data: { a: 1, b: null }, errors: [{ message: 'x' }] }, { structuredContent: { a: 1, b: null } }],
  ['something else', { a: 1 }, { isError: true }],
])('GraphQL: %s', (_what, body, expected) => {
  const { content: _, ...result } = resultOf(graphql, answer(200, 'application/json', JSON.stringify(body)));
  expect(result).toEqual(expected);
});

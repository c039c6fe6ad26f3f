import { expect, test } from 'vitest';
import type { ApiBody, FieldEncoding } from '../api-operation.ts';
import { ArgumentError } from '../argument-error.ts';
import { buildApiRequest } from './build-api-request.ts';
import { operationWith } from '../spec-support/operation-with.ts';

const base = new URL('https://api.example');
const build = (body: ApiBody, args: Record<string, unknown>) => buildApiRequest(operationWith({ method: 'POST', body }), args, base);
const contentType = (request: ReturnType<typeof build>): string | undefined => request.headers.find(([name]) => name === 'content-type')?.[1];

test('members of a JSON body are where they belong, under their own names', () => {
  const body: ApiBody = { mediaType: 'application/merge-patch+json', kind: 'json', required: true, fields: [{ argument: 'id_body', name: 'id' }, { argument: 'proto', name: '__proto__' }, { argument: 'absent', name: 'absent' }] };
  const request = build(body, { id_body: null, proto: { a: 1 } });
  expect(request.body).toBe('{"id":null,"__proto__":{"a":1}}');
  expect(contentType(request)).toBe('application/merge-patch+json');
});

test('a body that is not required and not given is none; one that is required is an empty object', () => {
  const fields = [{ argument: 'a', name: 'a' }];
  expect(build({ mediaType: 'application/json', kind: 'json', required: false, fields }, {})).toMatchObject({ body: undefined });
  expect(build({ mediaType: 'application/json', kind: 'json', required: true, fields }, {})).toMatchObject({ body: '{}' });
  expect(() => build({ mediaType: 'application/json', kind: 'json', required: true, argument: 'body' }, {})).toThrow(ArgumentError);
});

const address = { streetAddress: '123 Example Dr.', zip: '99999+1234' };

// OpenAPI 3.1.1 sections 4.8.15.1.1 and 4.8.15.1.2, and what Stripe’s document says.
test.each<[unknown, FieldEncoding | undefined, string]>([
  ['f81d4fae', undefined, 'a=f81d4fae'],
  [address, undefined, 'a=%7B%22streetAddress%22%3A%22123%20Example%20Dr.%22%2C%22zip%22%3A%2299999%2B1234%22%7D'],
  [['x', 1], undefined, 'a=x&a=1'],
  [['x', 1], { style: 'form', explode: false }, 'a=x,1'],
  [{ k: 'v', l: [1] }, { style: 'deepObject', explode: true }, 'a%5Bk%5D=v&a%5Bl%5D%5B0%5D=1'],
  [{ k: 'v' }, { style: 'form' }, 'k=v'],
  [['x'], { contentType: 'application/json' }, 'a=%5B%22x%22%5D'],
  [true, undefined, 'a=true'],
  [null, undefined, ''],
])('a field %j with encoding %j', (value, encoding, expected) => {
  const request = build({ mediaType: 'application/x-www-form-urlencoded', kind: 'form', required: true, fields: [{ argument: 'a', name: 'a', ...(encoding ? { encoding } : {}) }] }, { a: value });
  expect(request.body).toBe(expected);
});

test('multipart: text, lists, JSON, files as their bytes, names that end nothing', async () => {
  const request = build(
    {
      mediaType: 'multipart/form-data',
      kind: 'multipart',
      required: true,
      fields: [
        { argument: 'text', name: 'te"xt\r\nX: y' },
        { argument: 'list', name: 'list' },
        { argument: 'meta', name: 'meta', encoding: { contentType: 'application/vnd.a+json' } },
        { argument: 'file', name: 'file', file: true },
        { argument: 'files', name: 'files', file: true, encoding: { contentType: 'image/png' } },
      ],
    },
    { text: 'ü\r\n--', list: [1, 'b'], meta: { a: [1] }, file: { base64: 'AP8K', filename: 'ü".bin', contentType: 'application/x-a' }, files: [{ base64: '' }, { base64: 'YQ' }] },
  );
  const form = await new Response(request.body as Buffer<ArrayBuffer>, { headers: { 'content-type': contentType(request) ?? '' } }).formData();
  expect([...form.keys()]).toEqual(['te%22xt%0D%0AX: y', 'list', 'list', 'meta', 'file', 'files', 'files'].map((name) => decodeName(name)));
  expect(form.get(decodeName('te%22xt%0D%0AX: y'))).toBe('ü\r\n--');
  expect(form.getAll('list')).toEqual(['1', 'b']);
  const file = form.get('file') as File;
  expect([file.name, file.type, [...new Uint8Array(await file.arrayBuffer())]]).toEqual(['ü".bin', 'application/x-a', [0, 255, 10]]);
  expect((request.body as Buffer).toString()).toContain('name="meta"\r\nContent-Type: application/vnd.a+json\r\n\r\n{"a":[1]}\r\n');
  expect((form.getAll('files') as File[]).map(({ type, size }) => [type, size])).toEqual([['image/png', 0], ['image/png', 1]]);
});

const decodeName = (name: string): string => name.replace('%22', '"').replace('%0D%0A', '\r\n');

test.each([[{}], ['aGk='], [{ base64: '*' }], [{ base64: 'a' }], [{ base64: 'aGk=', contentType: 'a/b\r\nX: y' }], [{ base64: 'aGk=', filename: 1 }]])('no file is made of %j', (file) => {
  const body: ApiBody = { mediaType: 'multipart/form-data', kind: 'multipart', required: true, fields: [{ argument: 'file', name: 'file', file: true }] };
  expect(() => build(body, { file })).toThrow(ArgumentError);
});

test('a file as the body, text as the body', () => {
  const image = build({ mediaType: 'image/*', kind: 'binary', required: true, argument: 'body' }, { body: { base64: 'AP8=', contentType: 'image/gif' } });
  expect([contentType(image), image.body]).toEqual(['image/gif', Buffer.from([0, 255])]);
  const text = build({ mediaType: 'text/csv', kind: 'text', required: true, argument: 'body' }, { body: 'a,b' });
  expect([contentType(text), text.body]).toEqual(['text/csv', 'a,b']);
});

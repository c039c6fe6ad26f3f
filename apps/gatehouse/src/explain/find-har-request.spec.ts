import { expect, it } from 'vitest';
import { findHarRequest } from './find-har-request.ts';

const target = { workspace: 'default', server: 'orders' };
const request = (url: string) => ({ method: 'POST', url, headers: [] });
const entry = (url: string) => ({ startedDateTime: '2026-01-01', request: request(url), response: { content: { text: 'of the upstream' } } });
const own = 'https://gateway.example/mcp/default/orders';
const file = (...urls: string[]) => JSON.stringify({ log: { version: '1.2', entries: urls.map(entry) } });

it.each([
  ['a request by itself', JSON.stringify(request(own)), own],
  ['an entry', JSON.stringify(entry(own)), own],
  ['the only entry of a file, whatever it is of', file('https://other.example/'), 'https://other.example/'],
  ['the last of several that is for the server', file(`${own}?first`, `${own}?last`, 'https://other.example/'), `${own}?last`],
])('%s is found, without its answer', (_, text, url) => {
  expect(findHarRequest(text, target)).toEqual(request(url));
});

it.each([['no JSON', 'nonsense'], ['several entries for others', file('https://a.example/', 'https://b.example/')]])('%s: there is nothing to explain', (_, text) => {
  expect(() => findHarRequest(text, target)).toThrow(expect.objectContaining({ exitCode: 1 }));
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { directPath } from './direct-path.ts';

const base = '/team/v1';
const at = (path: string, search = ''): string => directPath({ path: base }, { path, search });
const refused = (path: string, search = ''): unknown => {
  try {
    return at(path, search);
  } catch (error) {
    return (error as { code: unknown }).code;
  }
};

it.each([
  ['', '/team/v1'],
  ['/', '/team/v1/'],
  ['/items/7', '/team/v1/items/7'],
  ['/items/', '/team/v1/items/'],
  ['/projects/group%2Fproject/files/a%2Eb', '/team/v1/projects/group%2Fproject/files/a%2Eb'],
  ['/100%25/a%20b/%C3%BC;v=1', '/team/v1/100%25/a%20b/%C3%BC;v=1'],
  ['/.well-known/x..y/...z/~a:b@c|[d]', '/team/v1/.well-known/x..y/...z/~a:b@c|[d]'],
])('%j is %s', (path, expected) => expect(at(path)).toBe(expected));

describe('the URL’s own query', () => {
  const withQuery = (search: string): string => directPath({ path: '/v1?tenant=acme&v=2' }, { path: '/items', search });

  it.each([
    ['', '/v1/items?tenant=acme&v=2'],
    ['?a=b&c', '/v1/items?tenant=acme&v=2&a=b&c'],
    ['?tenant=other&a=b', '/v1/items?tenant=acme&v=2&a=b'],
    ['?t%65nant=other', '/v1/items?tenant=acme&v=2'],
  ])('stands before %j, and is not replaced', (search, expected) => expect(withQuery(search)).toBe(expected));

  it('a URL that ends with a slash has no other paths than one that does not', () => {
    expect(directPath({ path: '/v1/?v=2' }, { path: '/items', search: '?a' })).toBe('/v1/items?v=2&a');
    expect(directPath({ path: '/' }, { path: '', search: '' })).toBe('/');
  });
});

describe('refused', () => {
  it.each([
    '/..', '/.', '/a/../b', '/a/./b', '/a/..', '/%2e%2e', '/%2E%2e/a', '/.%2e/', '/%2e', '/a%2f..', '/a%2F..%2fb', '/..%2f', '/%252e%252e', '/%25252e./a', '/a%5c..', '/a%255c..%5cb',
    '/a\\..\\b', '/\\evil.example', '//evil.example', '/a//b', '//', '/..;/a', '/..;a=b/c', '/.;/', '/%2e%2e%3b/', '/..%3fa', '/..%23a', '/...', '/..%20/a', '/..%09', '/a%00', '/a%0d%0ab', '/a%250a', '/a%7f',
    '/%c0%ae%c0%ae/a', '/a%c0%af..', '/%e0%80%ae./a', '/%ef%bc%8e%ef%bc%8e/a', '/..%ef%bc%8fa', '/%u002e%u002e', '/%', '/%2', '/%zz', '/a b', '/ü', '/a#b', '/a\u0000b', '/%25252525252e',
  ])('%j', (path) => expect(refused(path)).toBe('invalid_path'));

  it.each(['?a b', '?a#b', '?ü', '?a\\b'])('the query %j', (search) => expect(refused('/a', search)).toBe('invalid_path'));
});

describe('whatever is not refused', () => {
  const pieces = ['..', '.', '/', '//', '\\', '%2e', '%2E', '%2f', '%5c', '%25', '%252e', '%c0%ae', '%ef%bc%8e', '%00', ';', '%3b', '?', '%3f', '#', '@', ':', ' ', '%20', '%', 'a', 'team', 'v1', 'é', '\t', '\r\n', '~', '%7e'];
  const path = fc.array(fc.constantFrom(...pieces), { maxLength: 10 }).map((parts) => `/${parts.join('')}`);

  /** Ways in which servers read a path: each is a reading that another one may read again. */
  const readings: ((text: string) => string)[] = [
    (text) => text,
    (text) => text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    (text) => text.replaceAll('\\', '/'),
    (text) => text.replaceAll(/;[^/]*/g, ''),
    (text) => text.split(/[?#\0]/)[0] ?? '',
    (text) => text.replaceAll(/\/{2,}/g, '/'),
    (text) => Buffer.from(text, 'latin1').toString('utf8').normalize('NFKC'),
    (text) => text.replaceAll(/[. ]+(?=\/|$)/g, (end) => (/^ *\.{1,2} *$/.test(end) ? end.trim() : '')),
  ];
  const resolved = (text: string): string => {
    const segments: string[] = [];
    for (const segment of text.split('/').slice(1)) {
      if (segment === '..') segments.pop();
      else if (segment !== '.') segments.push(segment);
    }
    return `/${segments.join('/')}`;
  };

  it('stays below the URL, in whatever way and order it is read', () => {
    let passed = 0;
    fc.assert(
      fc.property(path, fc.array(fc.constantFrom(...readings), { maxLength: 5 }), (given, order) => {
        const outcome = refused(given);
        if (outcome === 'invalid_path') return;
        passed += 1;
        const read = order.reduce((text, reading) => reading(text), String(outcome));
        expect(`${resolved(read)}/`.startsWith(`${base}/`), `${given} read as ${read}`).toBe(true);
        // As browsers and proxies write it.
        expect(new URL(String(outcome), 'http://upstream.example').pathname.startsWith(base)).toBe(true);
        expect(new URL(String(outcome), 'http://upstream.example').host).toBe('upstream.example');
      }),
      { numRuns: 20_000, seed: 20_261_121 },
    );
    expect(passed).toBeGreaterThan(500);
  });

  it('is at the upstream what it was: not a character is written anew', () => {
    fc.assert(fc.property(fc.webPath(), fc.webQueryParameters(), (given, query) => {
      const outcome = refused(given, query === '' ? '' : `?${query}`);
      if (outcome !== 'invalid_path') expect(outcome).toBe(`${base}${given}${query === '' ? '' : `?${query}`}`);
    }));
  });
});

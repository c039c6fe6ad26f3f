import { Secret } from '@gatehouse/sealing';
import { expect, it } from 'vitest';
import { describeCredentials, withCredentials } from './with-credentials.ts';

const header = (name: string, value: string) => ({ in: 'header', name, value: new Secret(value) }) as const;
const query = (name: string, value: string) => ({ in: 'query', name, value: new Secret(value) }) as const;

it.each([
  ['nothing', [], '/mcp', ['a', '1', 'x-key', 'own']],
  ['a header over the one of its name, however spelled', [header('X-Key', 's')], '/mcp', ['a', '1', 'X-Key', 's']],
  ['a query parameter', [query('k y', 'a&b')], '/mcp?k%20y=a%26b', ['a', '1', 'x-key', 'own']],
  ['several', [query('a', '1'), query('b', '2'), header('B', 'b')], '/mcp?a=1&b=2', ['a', '1', 'x-key', 'own', 'B', 'b']],
])('inserts %s', (_, credentials, path, headers) => {
  expect(withCredentials({ method: 'POST', origin: 'https://up.example', path: '/mcp', headers: ['a', '1', 'x-key', 'own'], body: undefined }, credentials)).toEqual({ path, headers });
});

it('describes credentials by name only', () => {
  const outboundHeaders = [{ name: 'X-Out', source: { type: 'static', value: new Secret('secret') } }] as const;
  expect(describeCredentials([header('X-Key', 'secret'), query('key', 'secret'), header('X-Out', 'secret')], { outboundHeaders: [...outboundHeaders] })).toBe(
    'header X-Key, query parameter key, outbound header X-Out',
  );
});

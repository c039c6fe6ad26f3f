import { Secret } from '@gatehouse/sealing';
import { expect, it } from 'vitest';
import type { Credential } from './app-auth-type.ts';
import { insertCredentials } from './insert-credentials.ts';

const header = (name: string, value: string): Credential => ({ in: 'header', name, value: new Secret(value) });
const query = (name: string, value: string): Credential => ({ in: 'query', name, value: new Secret(value) });

it.each<[string, string, string[], Credential[], string, string[]]>([
  ['nothing', '/p', ['a', '1'], [], '/p', ['a', '1']],
  ['a header', '/p', ['a', '1'], [header('X', 'v')], '/p', ['a', '1', 'X', 'v']],
  ['a header over all of its name, in any case', '/p', ['x', '1', 'a', '2', 'X', '3'], [header('X', 'v')], '/p', ['a', '2', 'X', 'v']],
  ['a header over another spelling of its name', '/p', ['user-agent', '1'], [header('User_Agent', 'v')], '/p', ['User_Agent', 'v']],
  ['a parameter', '/p', [], [query('k', 'v')], '/p?k=v', []],
  ['a parameter after others', '/p?a=1', [], [query('k', 'v')], '/p?a=1&k=v', []],
  ['a parameter over all of its name, in any spelling', '/p?k=1&a=1&%6b=2&kk=3', [], [query('k', 'v')], '/p?a=1&kk=3&k=v', []],
  ['a parameter over the only one', '/p?k=1', [], [query('k', 'v')], '/p?k=v', []],
  ['what a query could not hold', '/p', [], [query('k&', 'a=b#c ü')], '/p?k%26=a%3Db%23c%20%C3%BC', []],
  ['both', '/p', [], [header('X', 'v'), query('k', 'w')], '/p?k=w', ['X', 'v']],
])('%s', (_name, path, headers, credentials, expectedPath, expectedHeaders) => {
  const outgoing = [...headers];
  expect(insertCredentials(path, outgoing, credentials)).toBe(expectedPath);
  expect(outgoing).toEqual(expectedHeaders);
});

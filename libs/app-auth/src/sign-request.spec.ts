import { Secret } from '@gatehouse/sealing';
import { expect, it } from 'vitest';
import type { Credential, SignableRequest, SigningCredential } from './app-auth-type.ts';
import { signaturesOf, signRequest } from './sign-request.ts';

/** Signs with all that it sees. */
const signature = (...headerNames: string[]): SigningCredential => ({
  in: 'signature',
  headerNames,
  sign: ({ method, url, headers, body }) => headerNames.map((name) => [name, new Secret([method, url, headers.join(' '), body ?? '-'].join('|'))]),
});
const header: Credential = { in: 'header', name: 'X', value: new Secret('v') };
const request = { method: 'POST', origin: 'https://up.example', path: '/mcp?k=v', headers: ['a', '1'], body: 'body' };

it('finds what signs among credentials, and nothing where nothing does', () => {
  const one = signature('S');
  expect(signaturesOf([header, one])).toEqual([one]);
  expect(signaturesOf([header])).toBeUndefined();
  expect(signaturesOf([])).toBeUndefined();
});

it.each<[string, SigningCredential[], Partial<SignableRequest>, string[]]>([
  ['the method, the whole URL, the headers and the body', [signature('S')], {}, ['a', '1', 'S', 'POST|https://up.example/mcp?k=v|a 1|body']],
  ['a request without a body', [signature('S')], { body: undefined }, ['a', '1', 'S', 'POST|https://up.example/mcp?k=v|a 1|-']],
  ['not what it takes the place of, in any case and spelling', [signature('S_x')], { headers: ['s-X', 'old', 'a', '1', 'S_X', 'older'] }, ['a', '1', 'S_x', 'POST|https://up.example/mcp?k=v|a 1|body']],
  ['what was signed before', [signature('S'), signature('T')], {}, ['a', '1', 'S', 'POST|https://up.example/mcp?k=v|a 1|body', 'T', 'POST|https://up.example/mcp?k=v|a 1 S POST|https://up.example/mcp?k=v|a 1|body|body']],
])('signs %s', (_name, signatures, changes, expected) => {
  const unsigned = { ...request, ...changes };
  const before = [...unsigned.headers];
  expect(signRequest(signatures, unsigned)).toEqual(expected);
  // The next time it is sent, it is signed as it was.
  expect(unsigned.headers).toEqual(before);
});

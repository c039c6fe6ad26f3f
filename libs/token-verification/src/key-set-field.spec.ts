import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { keySetField } from './key-set-field.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicJwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'a', x5c: ['kept'] };
const privateJwk = { ...pair.privateKey.export({ format: 'jwk' }), kid: 'b' };
const field = z.strictObject({ jwks: keySetField('JWKS').optional() });

it.each<[string, unknown]>([
  ['the object', { keys: [publicJwk] }],
  ['its text', JSON.stringify({ keys: [publicJwk] }, undefined, 2)],
])('takes %s and gives the object, as it was written', (_name, jwks) => {
  expect(field.parse({ jwks })).toEqual({ jwks: { keys: [publicJwk] } });
});

it('may be absent', () => {
  expect(field.parse({})).toEqual({});
});

it.each<[string, unknown, string, RegExp]>([
  ['an object without keys', {}, 'jwks', /^is not a JSON Web Key Set/],
  ['a single key', publicJwk, 'jwks', /^is not a JSON Web Key Set/],
  ['null', null, 'jwks', /^is not a JSON Web Key Set/],
  ['a text that is no JSON', 'not JSON', 'jwks', /^is not a JSON Web Key Set/],
  ['a text that is a URL', 'https://issuer.example/jwks', 'jwks', /^is not a JSON Web Key Set/],
  ['a text without end', '9'.repeat(300_000), 'jwks', /^is not a JSON Web Key Set/],
  ['no keys', { keys: [] }, 'jwks.keys', /^has no key/],
  ['no key that can be used', { keys: [{ ...publicJwk, use: 'enc' }] }, 'jwks.keys', /^has no key/],
  ['no key that can be used, as text', JSON.stringify({ keys: [] }), 'jwks', /^keys has no key/],
  ['a private key', { keys: [publicJwk, privateJwk] }, 'jwks.keys.1.d', /^belongs to a private or secret key/],
  ['a private key, as text', JSON.stringify({ keys: [publicJwk, privateJwk] }), 'jwks', /^keys\.1\.d belongs to a private/],
  ['a symmetric key', { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }, 'jwks.keys.0.k', /^belongs to a private or secret key/],
  ['too many keys', { keys: Array.from({ length: 101 }, () => publicJwk) }, 'jwks.keys', /./],
])('refuses %s at its place, quoting nothing', (_name, jwks, path, message) => {
  const issues = field.safeParse({ jwks }).error?.issues ?? [];
  expect(issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  expect(issues[0]?.message).toMatch(message);
  expect(JSON.stringify(issues)).not.toMatch(new RegExp(`${String(privateJwk.d)}|c2VjcmV0|not JSON|issuer\\.example`));
});

it('is the same JSON schema as written and as read', () => {
  expect(z.toJSONSchema(keySetField('JWKS'), { io: 'input' })).toEqual(z.toJSONSchema(keySetField('JWKS'), { io: 'output' }));
});

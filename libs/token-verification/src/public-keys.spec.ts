import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { readPublicKeys } from './public-keys.ts';

const publicJwk = (pair: ReturnType<typeof generateKeyPairSync>): Record<string, unknown> => pair.publicKey.export({ format: 'jwk' });
const privateJwk = (pair: ReturnType<typeof generateKeyPairSync>): Record<string, unknown> => pair.privateKey.export({ format: 'jwk' });

const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  shortRsa: generateKeyPairSync('rsa', { modulusLength: 1024 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  secp256k1: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  ed25519: generateKeyPairSync('ed25519'),
  x25519: generateKeyPairSync('x25519'),
};
const p256 = publicJwk(pairs.p256);

it.each<[string, Record<string, unknown>]>([
  ['RSA of 2048 bits', publicJwk(pairs.rsa)],
  ['EC', p256],
  ['Ed25519', publicJwk(pairs.ed25519)],
  ['one for signatures', { ...p256, use: 'sig', key_ops: ['verify'] }],
  ['one for one algorithm', { ...p256, alg: 'ES256' }],
  ['one with members that nobody knows', { ...p256, x5c: ['…'], 'urn:own': 1 }],
])('%s is a key to verify with', (_name, jwk) => {
  expect(readPublicKeys({ keys: [jwk] })?.size).toBe(1);
});

it.each<[string, Record<string, unknown>]>([
  ['RSA of 1024 bits', publicJwk(pairs.shortRsa)],
  ['a curve that no algorithm is for', publicJwk(pairs.secp256k1)],
  ['a key to agree on keys with', publicJwk(pairs.x25519)],
  ['one for encryption', { ...p256, use: 'enc' }],
  ['one for other operations', { ...p256, key_ops: ['sign'] }],
  ['one whose operations are no list', { ...p256, key_ops: 'verify' }],
  ['one for another algorithm than its own', { ...p256, alg: 'ES384' }],
  ['one for HMAC', { ...publicJwk(pairs.rsa), alg: 'HS256' }],
  ['a private one', privateJwk(pairs.p256)],
  ['a private RSA one', privateJwk(pairs.rsa)],
  ['a symmetric one', { kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' }],
  ['a point that is not on the curve', { ...p256, x: p256['y'] }],
  ['one of a type to come', { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AAAA' }],
  ['one whose id is no text', { ...p256, kid: 1 }],
  ['nothing', {}],
])('%s is not, and does not keep the others from being used', (_name, jwk) => {
  expect(readPublicKeys({ keys: [jwk, p256] })?.size).toBe(1);
});

it.each([undefined, null, 'text', [], {}, { keys: {} }, { keys: ['text'] }, { keys: [null] }])('%j is no key set', (document) => {
  expect(readPublicKeys(document)).toBeUndefined();
});

it('gives the keys with the id, and where there is none a few of those that fit', () => {
  const keys = readPublicKeys({ keys: [{ ...p256, kid: 'a' }, { ...p256, kid: 'a' }, { ...publicJwk(pairs.rsa), kid: 'b' }, ...Array.from({ length: 20 }, () => p256)] });
  expect(keys?.candidates('ES256', 'a')).toHaveLength(2);
  expect(keys?.candidates('ES256', 'b')).toHaveLength(0);
  expect(keys?.candidates('PS512', 'b')).toHaveLength(1);
  expect(keys?.candidates('ES256', undefined)).toHaveLength(8);
});

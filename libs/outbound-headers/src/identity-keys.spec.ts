import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { Secret } from '@gatehouse/sealing';
import { expect, it } from 'vitest';
import { type IdentityKey, IdentityKeys } from './identity-keys.ts';

const keyOf = (kid: string, signsFrom: number): IdentityKey => {
  const { x = '', y = '', d = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return { signsFrom, jwk: { kty: 'EC', crv: 'P-256', x, y, d: new Secret(d), kid } };
};
const start = Date.parse('2026-01-01T00:00:00Z');
const seconds = start / 1000;
const [old, current, next] = [keyOf('old', seconds - 100), keyOf('current', seconds), keyOf('next', seconds + 100)];
const claims = { sub: '1', aud: 'https://up.example', email: 'ana@corp.example' };

const signer = (keys: readonly IdentityKey[] = [old, next, current]) => {
  let time = start;
  const signing = new IdentityKeys({ issuer: 'https://gatehouse.example', keys, now: () => time });
  return { sign: (what = claims) => signing.sign(what).reveal(), pass: (ms: number) => void (time += ms) };
};
const partsOf = (token: string) => {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const decode = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  return { head: decode(head), payload: decode(payload), text: Buffer.from(`${head}.${payload}`), signature: Buffer.from(signature, 'base64url') };
};
const kidOf = (token: string): unknown => partsOf(token).head['kid'];

it('signs what is said, for a minute (RFC 7515, RFC 7518 section 3.4)', () => {
  const { head, payload, text, signature } = partsOf(signer().sign());
  expect(head).toEqual({ alg: 'ES256', typ: 'caller-identity+jwt', kid: 'current' });
  expect(payload).toEqual({ iss: 'https://gatehouse.example', ...claims, iat: seconds, exp: seconds + 60 });
  const { d: _, kid: __, ...publicKey } = current.jwk;
  expect(verify('sha256', text, { key: createPublicKey({ key: publicKey, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
});

it('is sent again for half a minute, of the same only', () => {
  const { sign, pass } = signer();
  const first = sign();
  expect(sign({ ...claims, email: 'ben@corp.example' })).not.toBe(first);
  pass(29_999);
  expect(sign({ ...claims })).toBe(first);
  pass(1);
  expect(sign()).not.toBe(first);
});

it('a clock that is set back makes none that is good for longer', () => {
  const { sign, pass } = signer();
  const first = sign();
  pass(-60_000);
  expect(partsOf(sign()).payload['exp']).toBe(seconds);
  expect(sign()).not.toBe(first);
});

it('the newest key that may sign does', () => {
  const { sign, pass } = signer();
  expect(kidOf(sign())).toBe('current');
  pass(100_000);
  expect(kidOf(sign())).toBe('next');
  // One that starts with a clock behind the others has a key all the same.
  pass(-1_000_000);
  expect(kidOf(sign())).toBe('old');
});

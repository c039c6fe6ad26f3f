import { generateKeyPairSync } from 'node:crypto';
import type { PublicSigningKey } from '@gatehouse/gateway-config';
import { expect, it } from 'vitest';
import { applyChange, emptySnapshot, type Snapshot } from './current-snapshot.ts';
import { prepareAuthorizationServer } from './prepare-authorization-server.ts';
import { serverDocument } from './spec-support.ts';

const state = { revision: 1, stamp: 'spec' };
const makeKey = (kid: string): PublicSigningKey => {
  const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  return { kty: 'EC', crv: 'P-256', x, y, kid, alg: 'ES256', use: 'sig' };
};
const first = makeKey('first');

function publish(before: Snapshot, keys: PublicSigningKey[], revoked: string[] = [], issuer = 'https://control.example'): Snapshot {
  const document = { kind: 'authorization-server', id: 'as', issuer, jwks: { keys }, revoked: revoked.map((grant) => ({ grant, until: 1 })) } as const;
  return applyChange(before, { state, prepared: [{ kind: 'authorization-server', source: serverDocument('as'), server: prepareAuthorizationServer(document) }], removed: [] });
}

it('there is none until one is published, and none once it is removed', () => {
  const empty = emptySnapshot(state);
  const published = publish(empty, [first]);
  expect([empty, published, applyChange(published, { state, prepared: [], removed: ['as'] })].map(({ authorizationServer }) => authorizationServer?.issuer)).toEqual([undefined, 'https://control.example', undefined]);
});

it('a revocation leaves the keys what they were: what they have verified need not be verified again', () => {
  const before = publish(emptySnapshot(state), [first]);
  const after = publish(before, [first], ['g1']);
  expect(after.authorizationServer?.keys).toBe(before.authorizationServer?.keys);
  expect([before, after].map(({ authorizationServer }) => authorizationServer?.revoked.has('g1'))).toEqual([false, true]);
});

it('what is named as revoked is, whatever the time; a provider is switched off for as long as it is named', () => {
  const { revoked, suspendedProviders } = prepareAuthorizationServer({ kind: 'authorization-server', id: 'as', issuer: 'i', jwks: { keys: [first] }, revoked: [{ grant: 'g1', until: 1 }], suspendedProviders: ['corp'] });
  expect([[...revoked], [...(suspendedProviders ?? [])]]).toEqual([['g1'], ['corp']]);
});

it('other keys, or another issuer, are others', () => {
  const before = publish(emptySnapshot(state), [first]);
  for (const after of [publish(before, [first, makeKey('second')]), publish(before, [makeKey('first')]), publish(before, [first], [], 'https://other.example')]) {
    expect(after.authorizationServer?.keys).not.toBe(before.authorizationServer?.keys);
  }
});

it('stays what it was when anything else changes', () => {
  const before = publish(emptySnapshot(state), [first]);
  expect(applyChange(before, { state, prepared: [], removed: ['another'] }).authorizationServer).toBe(before.authorizationServer);
});

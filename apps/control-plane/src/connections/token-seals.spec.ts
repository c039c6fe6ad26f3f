import { randomBytes } from 'node:crypto';
import { keyRingOf, Secret } from '@gatehouse/sealing';
import { expect, test } from 'vitest';
import { openTokens, sealTokens, type TokensPlace } from './token-seals.ts';

const ring = keyRingOf([randomBytes(32)], 'spec');
const id = (last: string): string => `01a1fe98-0000-7000-8000-0000000000${last}`;
const place: TokensPlace = { id: id('01'), workspaceId: id('02'), ownerId: id('03'), personId: id('04') };
const { sealed } = sealTokens(ring, place, { accessToken: new Secret('access'), refreshToken: new Secret('refresh'), idToken: undefined });

test('tokens open for the connection they were given to', () => {
  const { accessToken, refreshToken, idToken } = openTokens(ring, { ...place, sealed });
  expect([accessToken.reveal(), refreshToken?.reveal(), idToken]).toEqual(['access', 'refresh', undefined]);
});

test.each<[string, Partial<TokensPlace>]>([
  ['of another connection', { id: id('ff') }],
  ['of another workspace', { workspaceId: id('ff') }],
  ['of another app', { ownerId: id('ff') }],
  ['of another person, should a connection change hands', { personId: id('ff') }],
  ['of the organisation', { personId: null }],
])('moved to the row %s, they do not', (_name, other) => {
  expect(() => openTokens(ring, { ...place, ...other, sealed })).toThrow(expect.objectContaining({ code: 'unseal_failed', reason: 'not_authentic' }) as Error);
});

import { randomBytes } from 'node:crypto';
import { keyRingOf, Secret } from '@gatehouse/sealing';
import { expect, test } from 'vitest';
import type { Sql } from '../../database/sql.ts';
import { insertProviderTokens, openProviderTokens } from './provider-tokens.store.ts';

const ring = keyRingOf([randomBytes(32)], 'spec');
const [ana, ben] = [{ sessionId: '01a1fe98-0000-7000-8000-00000000000a', personId: '01a1fe98-0000-7000-8000-0000000000a1' }, { sessionId: '01a1fe98-0000-7000-8000-00000000000b', personId: '01a1fe98-0000-7000-8000-0000000000b1' }];

/** What is stored for a login. */
async function sealedFor(owner: typeof ana, accessToken: string): Promise<Buffer> {
  let sealed: unknown;
  const sql: Sql = (text, parameters = []) => {
    if (text.startsWith('insert')) sealed = parameters.find((parameter) => Buffer.isBuffer(parameter));
    return Promise.resolve([]);
  };
  const tokens = { accessToken: new Secret(accessToken), refreshToken: undefined, idToken: undefined };
  await insertProviderTokens(sql, ring, { ...owner, provider: 'corp', issuer: 'https://corp.example' }, tokens, { scope: undefined, expiresInSeconds: 600 });
  if (!Buffer.isBuffer(sealed)) throw new TypeError('nothing was stored');
  return sealed;
}

test('a provider’s tokens open for the login they were given to', async () => {
  const sealed = await sealedFor(ana, 'token-of-ana');
  expect(openProviderTokens(ring, { ...ana, sealed, expiresAt: null }).accessToken.reveal()).toBe('token-of-ana');
});

test.each([
  ['another person’s login', ben],
  ['another login of the same person', { ...ana, sessionId: ben.sessionId }],
  ['another person, should a session change hands', { ...ana, personId: ben.personId }],
])('moved to the row of %s, they do not', async (_name, row) => {
  const sealed = await sealedFor(ana, 'token-of-ana');
  expect(() => openProviderTokens(ring, { ...row, sealed, expiresAt: null })).toThrow(expect.objectContaining({ code: 'unseal_failed', reason: 'not_authentic' }) as Error);
});

import { anonymousCaller, type Caller } from '@gatehouse/agent-auth';
import { expect, it } from 'vitest';
import { callerTokenOf } from './caller-token.ts';

const issuer = 'https://gateway.example';
const token = (claims: Record<string, unknown>): Caller => ({ id: 'token:1', kind: 'token', name: 'jo', groups: [], claims });

it('is what was verified, and lasts as long as it says', () => {
  const found = callerTokenOf(token({ iss: 'https://issuer.example', exp: 1_800_000_000 }), { authorization: 'bearer  the.token' }, issuer);
  expect([found?.value.reveal(), found?.expiresAt]).toEqual(['the.token', 1_800_000_000_000]);
});

it('is recognised by what the caller’s very token is', () => {
  expect(callerTokenOf({ ...token({}), tokenDigest: 'digest' }, { authorization: 'Bearer the.token' }, issuer)?.digest).toBe('digest');
});

it.each<[string, Caller, string | undefined]>([
  ['one of the gateway’s own, wherever it comes (D2)', token({ iss: issuer }), 'Bearer t'],
  ['a person’s, which is the gateway’s own (D2)', { id: 'person:1', kind: 'person', name: 'Ana', groups: [], claims: { iss: 'https://issuer.example' } }, 'Bearer t'],
  ['a service account’s key', { id: 'service-account:1', kind: 'service-account', name: 'ci', groups: [] }, 'Bearer t'],
  ['one that nobody has looked at', anonymousCaller, 'Bearer t'],
  ['none', token({}), undefined],
  ['another credential', token({}), 'Basic YTpi'],
])('never %s', (_name, caller, authorization) => expect(callerTokenOf(caller, { authorization }, issuer)).toBeUndefined());

import { KeySets } from '@gatehouse/token-verification';
import { describe, expect, it } from 'vitest';
import type { AgentAuthContext, ServiceAccountRecord } from './agent-auth-type.ts';
import { apiKey } from './api-key.ts';
import { issueServiceAccountKey } from './service-account-key.ts';

const issued = issueServiceAccountKey();
const key = issued.key.reveal();
const account: ServiceAccountRecord = { id: 'a1', workspace: 'default', name: 'ci', groups: ['g'], keyId: issued.keyId, keyHash: issued.keyHash };

const contextWith = (record: ServiceAccountRecord | undefined, workspace = 'default'): AgentAuthContext => ({
  workspace,
  server: 'orders',
  publicUrl: 'https://gateway.example',
  authorizationServer: undefined,
  serviceAccounts: new Map(record ? [[record.keyId, record]] : []),
  keySets: new KeySets({ fetch: () => Promise.reject(new Error('nothing to fetch')), now: Date.now }),
  now: Date.now,
});
const prepared = apiKey.prepare({ type: 'api-key' });
const authenticate = (authorization: string | undefined, context = contextWith(account), gatehouseKey?: string) =>
  prepared.authenticate({ authorization, gatehouseKey }, context);

describe('a service account’s key', () => {
  it.each([
    ['Authorization: Bearer', `Bearer ${key}`, undefined],
    ['Authorization: bearer, any case', `bearer ${key}`, undefined],
    ['X-Gatehouse-Key', undefined, key],
    ['X-Gatehouse-Key beside another Authorization', 'Bearer other', key],
  ])('is taken from %s', (_name, authorization, gatehouseKey) => {
    expect(authenticate(authorization, contextWith(account), gatehouseKey)).toMatchObject({ caller: { id: 'service-account:a1', name: 'ci', groups: ['g'] } });
  });

  it('is asked for when there is none', () => {
    expect(authenticate(undefined)).toEqual({ denied: 'missing_credential' });
    expect(authenticate('Basic abc')).toEqual({ denied: 'missing_credential' });
  });

  it.each([
    ['an unknown one', `Bearer ${issueServiceAccountKey().key.reveal()}`],
    ['the right id with another secret', `Bearer gatehouse_${issued.keyId}_${'A'.repeat(43)}`],
    ['one cut short', `Bearer ${key.slice(0, -1)}`],
    ['something else', 'Bearer x'],
  ])('is refused: %s', (_name, authorization) => {
    expect(authenticate(authorization)).toEqual({ denied: 'invalid_credential' });
  });

  it('is refused after it was good, once the account is gone, has a new key, or belongs elsewhere', () => {
    expect(authenticate(`Bearer ${key}`)).toHaveProperty('caller');
    expect(authenticate(`Bearer ${key}`, contextWith(undefined))).toEqual({ denied: 'invalid_credential' });
    expect(authenticate(`Bearer ${key}`, contextWith({ ...account, keyHash: issueServiceAccountKey().keyHash }))).toEqual({ denied: 'invalid_credential' });
    expect(authenticate(`Bearer ${key}`, contextWith(account, 'other'))).toEqual({ denied: 'invalid_credential' });
    expect(authenticate(`Bearer ${key}`)).toHaveProperty('caller');
  });
});

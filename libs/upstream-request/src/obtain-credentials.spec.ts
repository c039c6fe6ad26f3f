import { ConnectError } from '@gatehouse/access-tokens';
import type { InsertedCredential, PreparedAppAuth } from '@gatehouse/app-auth';
import { GatewayError } from '@gatehouse/errors';
import type { PreparedOutboundHeader } from '@gatehouse/outbound-headers';
import { Secret } from '@gatehouse/sealing';
import { describe, expect, it } from 'vitest';
import { obtainCredentials } from './obtain-credentials.ts';

const given = (name: string): InsertedCredential => ({ in: 'header', name, value: new Secret(name) });
const appAuth = (obtain: PreparedAppAuth['obtain']): PreparedAppAuth => ({ type: 'spec', credentialKind: 'stored', headerNames: [], storesCredential: true, obtain });
const header = (obtain: PreparedOutboundHeader['obtain']): PreparedOutboundHeader => ({ name: 'X', source: 'spec', credentialKind: 'stored', connects: false, obtain });
const missing = new ConnectError({ status: 'connect_required', connectUrl: 'https://gatehouse.example/connect', linkId: '1', app: 'tracker token', reason: 'not_connected', credential: true });
const throws = (error: Error) => (): never => {
  throw error;
};
const later = (error: Error) => () => Promise.resolve().then(throws(error));

describe('what a call carries', () => {
  it('is there at once where all of it is known', () => {
    const credentials = obtainCredentials({ appAuth: appAuth(() => [given('A')]), outboundHeaders: [header(() => given('B')), header(() => undefined)] });
    expect((credentials as InsertedCredential[]).map(({ name }) => name)).toEqual(['A', 'B']);
  });

  it('is waited for otherwise, in the same order', async () => {
    const credentials = await obtainCredentials({ appAuth: appAuth(() => Promise.resolve([given('A')])), outboundHeaders: [header(() => given('B'))] });
    expect(credentials).toEqual([given('A'), given('B')].map((credential) => expect.objectContaining({ name: credential.name }) as unknown));
  });
});

describe('of several failures', () => {
  const away = new GatewayError('provider_unavailable');

  it.each<[string, PreparedAppAuth['obtain'], PreparedOutboundHeader['obtain']]>([
    ['at once, and later', throws(away), later(missing)],
    ['later, and at once', later(away), throws(missing)],
  ])('the one that a person can do something about: %s', async (_what, first, second) => {
    await expect(async () => obtainCredentials({ appAuth: appAuth(first), outboundHeaders: [header(second)] })).rejects.toBe(missing);
  });

  it('the first, where nobody can', async () => {
    await expect(async () => obtainCredentials({ appAuth: appAuth(later(away)), outboundHeaders: [header(() => given('B'))] })).rejects.toBe(away);
  });
});

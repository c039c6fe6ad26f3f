import { type AccessToken, ConnectError, type RefusedToken } from '@gatehouse/access-tokens';
import type { Credential } from '@gatehouse/app-auth';
import { GatewayError } from '@gatehouse/errors';
import { Secret } from '@gatehouse/sealing';
import { expect, test } from 'vitest';
import { missingScopes } from './missing-scopes.ts';
import type { UpstreamResponse } from './request.ts';
import { sendWithFreshTokens } from './send-with-fresh-tokens.ts';

const challenge = 'Bearer realm="x", error="insufficient_scope", scope="admin read", resource_metadata="https://a.example/m"';

test.each<[number, string | string[] | undefined, readonly string[] | undefined]>([
  [403, challenge, ['admin', 'read']],
  [403, ['Basic realm="x"', challenge], ['admin', 'read']],
  [403, 'Bearer error=insufficient_scope, scope="admin"', ['admin']],
  [403, 'Bearer error="insufficient_scope"', undefined],
  [403, 'Bearer error="insufficient_scope", scope=""', undefined],
  [403, 'Bearer error="invalid_token", scope="admin"', undefined],
  [403, undefined, undefined],
  [401, challenge, undefined],
])('%s %s', (status, header, expected) => {
  expect(missingScopes({ status, headers: { 'www-authenticate': header } })).toEqual(expected);
});

const token = (name: string, subjects = ['connection']): AccessToken => ({ value: new Secret(name), expiresAt: undefined, subjects });
const credential = (of: AccessToken): Credential => ({ in: 'header', name: 'Authorization', value: of.value, token: of });
const required = new ConnectError({ status: 'connect_required', connectUrl: 'https://a.example/connect?link=1', linkId: 'l', app: 'App', reason: 'scopes' });

/** An upstream that wants `admin`, and says so to everyone but the holder of `enough`. */
function exchange(first: AccessToken, more: () => AccessToken) {
  const sent: string[] = [];
  const asked: (RefusedToken | undefined)[] = [];
  const answer = (status: number): UpstreamResponse => ({
    status, headers: { 'www-authenticate': challenge }, body: { pipe: (sink) => sink.end(), resume: () => undefined, abort: () => undefined },
  });
  const response = sendWithFreshTokens(
    (refused) => {
      asked.push(refused);
      return refused === undefined ? [credential(first)] : Promise.resolve().then(() => [credential(more())]);
    },
    ([used]) => {
      const value = used?.token?.value.reveal() ?? '';
      sent.push(value);
      return Promise.resolve(answer(value === 'enough' ? 200 : 403));
    },
    'https://up.example',
  );
  return { response, sent, asked };
}

const thrower = (error: Error) => (): never => {
  throw error;
};

test('whoever lacks scopes is asked for them', async () => {
  const { response, sent, asked } = exchange(token('little'), thrower(required));
  await expect(response).rejects.toBe(required);
  expect([sent, asked.at(-1)]).toEqual([['little'], expect.objectContaining({ missing: ['admin', 'read'], again: false })]);
});

test('who has agreed meanwhile goes on', async () => {
  const { response, sent } = exchange(token('little'), () => token('enough'));
  expect([(await response).status, sent]).toEqual([200, ['little', 'enough']]);
});

test('who has agreed and is refused all the same sees what the upstream says, and nothing is sent again', async () => {
  const { response, sent } = exchange(token('little'), () => token('little'));
  expect([(await response).status, sent]).toEqual([403, ['little']]);
});

test('nobody can be asked: the upstream’s answer stays', async () => {
  const { response, sent } = exchange(token('little'), thrower(new GatewayError('broker_unavailable')));
  expect([(await response).status, sent]).toEqual([403, ['little']]);
});

test('for a token of our own nobody is asked', async () => {
  const { response, asked } = exchange(token('little', []), thrower(required));
  expect([(await response).status, asked]).toEqual([403, [undefined]]);
});

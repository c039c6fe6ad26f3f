import type { TokenAnswer } from '@gatehouse/access-tokens';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { dataPlaneToken } from '../../spec-support/use-connections.ts';
import { sampleServer } from '../../spec-support/sample-server.ts';
import { logIn, useLogin } from '../../spec-support/use-login.ts';

// Each ID token is about to be over when it comes, and the access token beside it lives for long.
const fixture = useLogin({ GATEHOUSE_DATA_PLANE_TOKEN: dataPlaneToken }, { claimsInIdToken: true, refreshTokens: true, accessTokenSeconds: 3600, idTokenSeconds: 3 });
let person: string;
let server: string;

async function ask(): Promise<TokenAnswer> {
  const response = await fetch(new URL('/internal/tokens', fixture.plane.internalUrl), {
    method: 'POST', headers: { Authorization: `Bearer ${dataPlaneToken}` }, body: JSON.stringify({ server, subject: { person }, login: 'id-token' }),
  });
  return (await response.json()) as TokenAnswer;
}
const requests = (): number => fixture.provider.requests.filter((request) => request === 'POST /token').length;

beforeAll(async () => {
  const appAuth = { type: 'on-behalf-of', grant: 'id-jag', tokenUrl: 'https://sts.example/token', clientId: 'gatehouse', clientSecret: 's', audience: 'https://resource.example', target: { clientId: 'there', clientSecret: 's' } };
  const reply = await fixture.plane.send<{ id: string }>('POST', '/v1/workspaces/default/servers', { body: sampleServer('jag', { agentAuth: { type: 'interactive' }, appAuth }) });
  expect(reply.status, reply.text).toBe(201);
  server = reply.body.id;
});
beforeEach(async () => {
  await fixture.query('delete from connections');
  await logIn(fixture.browser(), 'ana');
  person = (await fixture.query<{ id: string }>(`select id from people where subject = 'ana'`))[0]?.id ?? '';
});

test('an ID token that a refresh does not bring is not asked for with every call', async () => {
  const before = requests();
  expect([await ask(), await ask(), await ask()]).toEqual([{ status: 'no_login' }, { status: 'no_login' }, { status: 'no_login' }]);
  expect(requests() - before).toBe(1);
  await fixture.query(`update connections set refreshed_at = now() - interval '61 seconds'`);
  expect([await ask(), await ask(), requests() - before]).toEqual([{ status: 'no_login' }, { status: 'no_login' }, 2]);
});

test('an ID token that is over is no reason to risk the access token beside it, and nobody waits for that', async () => {
  await fixture.query('update connections set in_doubt_since = now()');
  const before = requests();
  expect(await ask()).toEqual({ status: 'provider_unavailable' });
  expect(requests()).toBe(before);
  expect(await fixture.query('select state, token_version from connections')).toEqual([{ state: 'active', token_version: 1 }]);
});

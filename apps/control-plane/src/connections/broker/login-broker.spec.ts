import { hash, randomUUID } from 'node:crypto';
import type { TokenAnswer } from '@gatehouse/access-tokens';
import { decodeJwt } from 'jose';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ana, logIn, useLogin } from '../../spec-support/use-login.ts';
import { dataPlaneToken } from '../../spec-support/use-connections.ts';
import { sampleServer } from '../../spec-support/sample-server.ts';

const fixture = useLogin({ GATEHOUSE_DATA_PLANE_TOKEN: dataPlaneToken }, { claimsInIdToken: true, refreshTokens: true });
let person: string;
let server: string;

const exchange = { type: 'on-behalf-of', tokenUrl: 'https://sts.example/token', clientId: 'gatehouse', clientSecret: 's' };
const jag = { ...exchange, grant: 'id-jag', audience: 'https://resource.example' };
let servers = 0;
async function save(overrides: object): Promise<string> {
  const reply = await fixture.plane.send<{ id: string }>('POST', '/v1/workspaces/default/servers', { body: sampleServer(`server-${(servers += 1)}`, { agentAuth: { type: 'interactive' }, ...overrides }) });
  expect(reply.status, reply.text).toBe(201);
  return reply.body.id;
}
async function ask(more: object = {}): Promise<TokenAnswer> {
  const response = await fetch(new URL('/internal/tokens', fixture.plane.internalUrl), {
    method: 'POST', headers: { Authorization: `Bearer ${dataPlaneToken}` }, body: JSON.stringify({ server, subject: { person }, login: 'access-token', ...more }),
  });
  return (await response.json()) as TokenAnswer;
}

beforeAll(async () => {
  server = await save({ appAuth: exchange });
});
beforeEach(async () => {
  fixture.provider.goAway(false);
  fixture.provider.put(ana);
  await fixture.query('delete from connections');
  await logIn(fixture.browser(), 'ana');
  const [row] = await fixture.query<{ id: string }>(`select id from people where subject = 'ana'`);
  person = row?.id ?? '';
});

const active = async (token: string): Promise<unknown> => {
  const response = await fetch(`${fixture.provider.issuer}/me`, { headers: { Authorization: `Bearer ${token}` } });
  return response.status === 200 ? ((await response.json()) as { sub: string }).sub : response.status;
};

test('the access token of the person’s login, as their provider takes it', async () => {
  const answer = await ask();
  expect(answer).toMatchObject({ status: 'token', person, login: 'access-token', expiresInMs: expect.any(Number) as number });
  expect(await active((answer as { accessToken: string }).accessToken)).toBe('ana');
});

test('the ID token, where the document wants that', async () => {
  const answer = await ask({ server: await save({ appAuth: jag }), login: 'id-token' });
  expect(answer).toMatchObject({ status: 'token', login: 'id-token' });
  expect(decodeJwt((answer as { accessToken: string }).accessToken)).toMatchObject({ iss: fixture.provider.issuer, sub: 'ana', aud: fixture.provider.clientId });
});

test('the newest login’s; where that has none any more, another one’s', async () => {
  const first = ((await ask()) as { connection: string }).connection;
  await logIn(fixture.browser(), 'ana');
  const second = ((await ask()) as { connection: string }).connection;
  expect(second).not.toBe(first);
  await fixture.query(`update connections set expires_at = now() - interval '1 minute', refreshable = false where id = $1`, [second]);
  expect(await ask()).toMatchObject({ connection: first });
});

describe('where an agent calls', () => {
  const grantOf = async (session: string | null, of = person): Promise<string> => {
    const id = randomUUID();
    await fixture.query(`insert into oauth_grants (id, person_id, session_id, client_id, client_name, redirect_host, resource) values ($1, $2, $3, 'agent', 'Agent', 'localhost', 'https://gatehouse.example/a')`, [id, of, session]);
    return id;
  };
  let first: { readonly id: string; readonly session_id: string };
  let second: string;
  beforeEach(async () => {
    [first] = (await fixture.query<typeof first>('select id, session_id from connections')) as [typeof first];
    await logIn(fixture.browser(), 'ana');
    second = ((await ask()) as { connection: string }).connection;
  });

  test('it is the login from which it was let in, though there is a newer one', async () => {
    expect([(await ask({ grant: await grantOf(first.session_id) })), await ask()]).toMatchObject([{ connection: first.id }, { connection: second }]);
  });

  test('it is the newest where that login is over', async () => {
    const grant = await grantOf(first.session_id);
    await fixture.query(`update connections set state = 'reconnect_required', expires_at = now() where id = $1`, [first.id]);
    expect(await ask({ grant })).toMatchObject({ connection: second });
    await fixture.query('delete from connections where id = $1', [first.id]);
    expect(await ask({ grant })).toMatchObject({ connection: second });
  });

  test('it is none as long as its provider is away, though another login’s is good', async () => {
    const grant = await grantOf(first.session_id);
    await fixture.query(`update connections set expires_at = now() - interval '1 minute', refreshed_at = now() - interval '1 hour' where id = $1`, [first.id]);
    fixture.provider.goAway();
    expect(await ask({ grant })).toEqual({ status: 'provider_unavailable' });
    expect(await ask()).toMatchObject({ connection: second });
  });

  test.each<[string, () => Promise<string>]>([
    ['that no session let in', () => grantOf(null)],
    ['of somebody else', async () => {
      const [ben] = await fixture.query<{ id: string }>(`insert into people (id, provider, issuer, subject, name) values ($1, 'corp', 'https://corp.example', $2, 'Someone') returning id`, [randomUUID(), randomUUID()]);
      return grantOf(first.session_id, ben?.id);
    }],
    ['that is not known', () => Promise.resolve(randomUUID())],
    ['that is none', () => Promise.resolve('none')],
  ])('it is the newest for one %s', async (_what, grant) => {
    expect(await ask({ grant: await grant() })).toMatchObject({ connection: second });
  });
});

test('one that has expired is refreshed first', async () => {
  const before = await ask();
  await fixture.query(`update connections set expires_at = now() - interval '1 minute', refreshed_at = now() - interval '1 hour'`);
  const after = await ask();
  expect(after).toMatchObject({ status: 'token' });
  expect((after as { accessToken: string }).accessToken).not.toBe((before as { accessToken: string }).accessToken);
});

describe('one that was refused', () => {
  const hashOf = (answer: TokenAnswer): string => hash('sha256', (answer as { accessToken: string }).accessToken, 'base64url');
  const refreshes = (): number => fixture.provider.requests.filter((request) => request === 'POST /token').length;

  test('is refreshed before its time, once for all who ask, and not again in the same minute', async () => {
    const before = await ask();
    const count = refreshes();
    const answers = await Promise.all([1, 2, 3].map(() => ask({ refused: hashOf(before) })));
    const after = await ask();
    expect(answers.map((answer) => [answer.status, hashOf(answer)])).toEqual(answers.map(() => ['token', hashOf(after)]));
    expect(hashOf(after)).not.toBe(hashOf(before));
    expect(await ask({ refused: hashOf(after) })).toEqual({ status: 'no_login' });
    expect(refreshes() - count).toBe(1);
    await fixture.query(`update connections set refreshed_at = now() - interval '61 seconds'`);
    expect(await ask({ refused: hashOf(after), refusedAgain: true })).toEqual({ status: 'no_login' });
    expect(await ask({ refused: hashOf(after) })).toMatchObject({ status: 'token' });
    expect(refreshes() - count).toBe(2);
  });

  test('though its refresh token may be used up: there is nothing to lose any more', async () => {
    const before = await ask();
    await fixture.query('update connections set in_doubt_since = now()');
    expect(await ask({ refused: hashOf(before) })).toMatchObject({ status: 'token' });
  });

  test('is an ID token: the access token beside it may be good, and is not risked for it', async () => {
    const jagServer = await save({ appAuth: jag });
    const before = await ask({ server: jagServer, login: 'id-token' });
    await fixture.query('update connections set in_doubt_since = now()');
    expect(await ask({ server: jagServer, login: 'id-token', refused: hashOf(before) })).toEqual({ status: 'provider_unavailable' });
    await fixture.query('update connections set in_doubt_since = null');
    // Of one second and with the same claims, two have the same text.
    fixture.provider.put({ ...ana, name: 'Ana again' });
    expect(await ask({ server: jagServer, login: 'id-token', refused: hashOf(before) })).toMatchObject({ status: 'token', login: 'id-token' });
  });

  test('and cannot be refreshed: another login may have one', async () => {
    const first = (await ask()) as { connection: string };
    await logIn(fixture.browser(), 'ana');
    const second = await ask();
    await fixture.query('update connections set refreshable = false');
    expect(await ask({ refused: hashOf(second) })).toMatchObject({ status: 'token', connection: first.connection });
  });
});

test('a provider that is away says so; nobody has to log in for that', async () => {
  await fixture.query(`update connections set expires_at = now() - interval '1 minute', refreshed_at = now() - interval '1 hour'`);
  fixture.provider.goAway();
  expect(await ask()).toEqual({ status: 'provider_unavailable' });
});

test('who has logged out everywhere has none: logging in again makes one', async () => {
  expect((await fixture.plane.send('DELETE', `/v1/users/${person}/sessions`)).status).toBe(204);
  expect(await ask()).toEqual({ status: 'no_login' });
});

describe('nothing is given', () => {
  test.each<[string, () => object | Promise<object>, string]>([
    ['to a server that uses no logins', async () => ({ server: await save({}) }), 'misconfigured'],
    ['to a server that exchanges what its callers come with', async () => ({ server: await save({ appAuth: { ...exchange, subject: 'caller-token' } }) }), 'misconfigured'],
    ['of a kind that the server does not use', () => ({ login: 'id-token' }), 'misconfigured'],
    ['to a server that wants the other kind only', async () => ({ server: await save({ appAuth: jag }) }), 'misconfigured'],
    ['for an upstream that the server does not have any more', () => ({ upstream: 'https://former.example/mcp' }), 'outdated'],
    ['to all callers together', () => ({ subject: 'shared' }), 'misconfigured'],
    ['for callers who came with a token of another issuer', () => ({ subject: { issuer: fixture.provider.issuer, subject: 'ana' } }), 'misconfigured'],
  ])('%s', async (_what, more, status) => expect(await ask(await more())).toEqual({ status }));

  test('to who is disabled', async () => {
    await fixture.query('update people set disabled = true where id = $1', [person]);
    expect(await ask()).toEqual({ status: 'no_person' });
    await fixture.query('update people set disabled = false where id = $1', [person]);
  });
});

test('an outbound header that forwards or exchanges it is as good a reason', async () => {
  for (const source of [{ type: 'caller-token' }, { type: 'caller-token', from: 'identity-provider' }, exchange]) {
    expect([source, await ask({ server: await save({ outboundHeaders: [{ name: 'X-User-Token', source }] }) })]).toMatchObject([source, { status: 'token' }]);
  }
  expect(await ask({ server: await save({ outboundHeaders: [{ name: 'X-User-Token', source: { type: 'caller-token', from: 'caller' } }] }) })).toEqual({ status: 'misconfigured' });
});

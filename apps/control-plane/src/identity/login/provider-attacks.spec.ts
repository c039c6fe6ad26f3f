import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ForgingProvider, forgedClient, startForgingProvider } from '../../../../../test/support/forging-provider.ts';
import { type BrowserPage, TestBrowser } from '../../../../../test/support/test-browser.ts';
import { makeSigningKey } from '../../../../../test/support/token-issuer.ts';
import { useControlPlane } from '../../spec-support/use-control-plane.ts';
import { publicOrigin } from '../../spec-support/use-login.ts';

const fixture = useControlPlane({ GATEHOUSE_CONTROL_PLANE_URL: publicOrigin, GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback' });
let forger: ForgingProvider;
const document = () => ({ name: 'forger', issuer: forger.issuer, ...forgedClient });

beforeAll(async () => {
  forger = await startForgingProvider();
  const reply = await fixture.plane.send('POST', '/v1/identity-providers', { body: document() });
  expect(reply.status).toBe(201);
});
beforeEach(async () => {
  forger.answerUserInfo({ sub: 'ana' });
  await fixture.query('delete from people');
});
afterAll(() => forger?.close());

const newBrowser = () => new TestBrowser({ servers: { [publicOrigin]: () => fixture.plane.url } });

interface Begun {
  readonly browser: TestBrowser;
  /** What the provider was asked. */
  readonly asked: URLSearchParams;
}

async function begin(path = '/login/start/forger?return_to=/openapi.json', browser = newBrowser()): Promise<Begun> {
  const page = await browser.visit(`${publicOrigin}${path}`);
  return { browser, asked: new URL(page.headers.get('location') ?? '').searchParams };
}

const comeBack = ({ browser }: Begun, fields: Readonly<Record<string, string>>, provider = 'forger'): Promise<BrowserPage> =>
  browser.visit(`${publicOrigin}/login/callback/${provider}?${new URLSearchParams(fields).toString()}`);

const codeFor = (page: BrowserPage): string | undefined => /class="soft">(\w+) ·/.exec(page.text)?.[1];
const isLoggedIn = ({ browser }: Begun): boolean => browser.cookieLines(publicOrigin).some((line) => line.startsWith('__Host-gatehouse='));
const answerWith = (claims: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}, options: Parameters<ForgingProvider['idToken']>[1] = {}) =>
  forger.answerCode(async () => ({ body: { access_token: 'access', token_type: 'Bearer', expires_in: 300, id_token: await forger.idToken(claims, options), ...more } }));
const nonceOf = ({ asked }: Begun) => ({ nonce: asked.get('nonce') });
const stateOf = ({ asked }: Begun): string => asked.get('state') ?? '';

test('a login asks with state, nonce and PKCE, and redeems the code with the verifier and as the client', async () => {
  const begun = await begin();
  expect(Object.fromEntries(begun.asked)).toMatchObject({
    response_type: 'code', client_id: 'gatehouse', redirect_uri: `${publicOrigin}/login/callback/forger`, scope: 'openid profile email', code_challenge_method: 'S256',
  });
  answerWith(nonceOf(begun));
  const page = await comeBack(begun, { code: 'the-code', state: stateOf(begun) });
  expect([page.status, page.headers.get('location')]).toEqual([303, '/openapi.json']);
  expect(isLoggedIn(begun)).toBe(true);
  const request = forger.tokenRequests.at(-1);
  const challenge = createHash('sha256').update(request?.fields.get('code_verifier') ?? '').digest('base64url');
  expect(challenge).toBe(begun.asked.get('code_challenge'));
  expect(request?.fields.get('redirect_uri')).toBe(`${publicOrigin}/login/callback/forger`);
  // RFC 6749 section 2.3.1: each half is encoded as in a form.
  const [id, secret] = Buffer.from(request?.authorization?.replace('Basic ', '') ?? '', 'base64').toString().split(':').map(decodeURIComponent);
  expect({ clientId: id, clientSecret: secret }).toEqual(forgedClient);
});

test.each([
  [{ token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'] }, undefined, 'post'],
  [{ token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'] }, 'basic', 'basic'],
  [{ token_endpoint_auth_methods_supported: ['private_key_jwt'] }, undefined, 'basic'],
  [{}, 'post', 'post'],
])('with %j and %s the client is authenticated by %s', async (metadata, clientAuth, expected) => {
  forger.describe(metadata);
  await fixture.plane.send('PUT', '/v1/identity-providers/forger', { body: { ...document(), clientAuth, title: `${JSON.stringify(metadata)} ${clientAuth}` }, headers: { 'If-Match': '*' } });
  const begun = await begin();
  answerWith(nonceOf(begun));
  expect((await comeBack(begun, { code: 'x', state: stateOf(begun) })).status).toBe(303);
  const request = forger.tokenRequests.at(-1);
  expect([request?.authorization !== undefined, request?.fields.get('client_secret') ?? undefined]).toEqual(expected === 'basic' ? [true, undefined] : [false, forgedClient.clientSecret]);
  forger.describe();
  await fixture.plane.send('PUT', '/v1/identity-providers/forger', { body: document(), headers: { 'If-Match': '*' } });
});

describe('what nobody began here, or not in this browser, is not redeemed', () => {
  const refused = async (begun: Begun, fields: Readonly<Record<string, string>>, provider?: string) => {
    const before = forger.tokenRequests.length;
    const page = await comeBack(begun, fields, provider);
    expect([page.status, codeFor(page)]).toEqual([400, 'login_expired']);
    expect(forger.tokenRequests).toHaveLength(before);
    expect(isLoggedIn(begun)).toBe(false);
  };

  test('without state', async () => refused(await begin(), { code: 'x' }));
  test('with another state', async () => refused(await begin(), { code: 'x', state: 'A'.repeat(43) }));
  test('with no state that could be one', async () => refused(await begin(), { code: 'x', state: `' or '1'='1` }));

  test('in another browser: a login cannot be forced on somebody (login CSRF)', async () => {
    const attacker = await begin();
    const victim = await begin();
    answerWith(nonceOf(attacker));
    await refused(victim, { code: 'code-of-the-attacker', state: stateOf(attacker) });
    // And it is still the other browser's.
    expect((await comeBack(attacker, { code: 'x', state: stateOf(attacker) })).status).toBe(303);
  });

  test('twice', async () => {
    const begun = await begin();
    answerWith(nonceOf(begun));
    expect((await comeBack(begun, { code: 'x', state: stateOf(begun) })).status).toBe(303);
    const replay = await comeBack(begun, { code: 'x', state: stateOf(begun) });
    expect([replay.status, codeFor(replay)]).toEqual([400, 'login_expired']);
  });

  test('twice at the same time', async () => {
    const begun = await begin();
    answerWith(nonceOf(begun));
    const pages = await Promise.all([1, 2, 3, 4].map(() => comeBack(begun, { code: 'x', state: stateOf(begun) })));
    expect(pages.map(({ status }) => status).toSorted()).toEqual([303, 400, 400, 400]);
  });

  test('after ten minutes', async () => {
    const begun = await begin();
    await fixture.query(`update login_states set created_at = now() - interval '10 minutes 1 second'`);
    await refused(begun, { code: 'x', state: stateOf(begun) });
  });

  test('at another provider than it was begun at (mix-up)', async () => {
    await fixture.plane.send('POST', '/v1/identity-providers', { body: { ...document(), name: 'other', issuer: 'http://127.0.0.1:9' } });
    const begun = await begin();
    await refused(begun, { code: 'x', state: stateOf(begun) }, 'other');
    await fixture.plane.send('DELETE', '/v1/identity-providers/other', { headers: { 'If-Match': '*' } });
  });
});

describe('an answer that is not as it should be logs nobody in', () => {
  const cases: readonly [string, (begun: Begun) => void | Promise<void>, Readonly<Record<string, string>>?][] = [
    ['another nonce', () => answerWith({ nonce: 'another' })],
    ['no nonce', () => answerWith({})],
    ['the nonce of another login of the same browser', async (begun) => answerWith(nonceOf(await begin(undefined, begun.browser)))],
    ['another issuer in the ID token', (begun) => answerWith({ ...nonceOf(begun), iss: 'https://another.example' })],
    ['another audience', (begun) => answerWith({ ...nonceOf(begun), aud: 'another-client' })],
    ['several audiences, and another authorized party', (begun) => answerWith({ ...nonceOf(begun), aud: ['gatehouse', 'another'], azp: 'another' })],
    ['an expired ID token', (begun) => answerWith({ ...nonceOf(begun), exp: 1 })],
    ['no expiry', (begun) => answerWith({ ...nonceOf(begun), exp: undefined })],
    ['no subject', (begun) => answerWith({ ...nonceOf(begun), sub: undefined })],
    ['a subject with NUL', (begun) => answerWith({ ...nonceOf(begun), sub: 'ana\0' })],
    ['another key', async (begun) => answerWith(nonceOf(begun), {}, { key: await makeSigningKey('RS256', 'forger-1') })],
    ['no signature', async (begun) => {
      const [, payload] = (await forger.idToken(nonceOf(begun))).split('.');
      answerWith({}, { id_token: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.` });
    }],
    ['no ID token', () => forger.answerCode(() => ({ body: { access_token: 'x', token_type: 'Bearer' } }))],
    ['another issuer beside the code (RFC 9207)', (begun) => answerWith(nonceOf(begun)), { iss: 'https://another.example' }],
    ['userinfo about somebody else', (begun) => (answerWith(nonceOf(begun)), forger.answerUserInfo({ sub: 'ben', email: 'ana@corp.example' }))],
    ['a code that the provider does not know', () => forger.answerCode(() => ({ status: 400, body: { error: 'invalid_grant' } }))],
    ['the answer is no JSON', () => forger.answerCode(() => ({ body: 'text' }))],
  ];

  test.each(cases)('%s', async (_name, forge, fields = {}) => {
    const begun = await begin();
    await forge(begun);
    const page = await comeBack(begun, { code: 'x', state: stateOf(begun), ...fields });
    expect([page.status, codeFor(page)]).toEqual([502, 'login_invalid']);
    expect(isLoggedIn(begun)).toBe(false);
    expect(await fixture.query('select 1 from people')).toEqual([]);
  });

  test('an issuer that has to be beside the code, and is not (RFC 9207 section 2.4)', async () => {
    forger.describe({ authorization_response_iss_parameter_supported: true });
    await fixture.plane.send('PATCH', '/v1/identity-providers/forger', { body: { title: 'Announces iss' }, headers: { 'If-Match': '*' } });
    const begun = await begin();
    answerWith(nonceOf(begun));
    expect(codeFor(await comeBack(begun, { code: 'x', state: stateOf(begun) }))).toBe('login_invalid');
    const again = await begin();
    answerWith(nonceOf(again));
    expect((await comeBack(again, { code: 'x', state: stateOf(again), iss: forger.issuer })).status).toBe(303);
    forger.describe();
    await fixture.plane.send('PATCH', '/v1/identity-providers/forger', { body: { title: null }, headers: { 'If-Match': '*' } });
  });
});

describe('what the provider says of itself is told as it is', () => {
  test('somebody refused, or was refused', async () => {
    const begun = await begin();
    const page = await comeBack(begun, { error: 'access_denied', error_description: '<b>no</b>', state: stateOf(begun) });
    expect([page.status, codeFor(page)]).toEqual([403, 'login_refused']);
    expect(page.text).not.toContain('<b>no');
  });

  test('we are not the client that it knows', async () => {
    const begun = await begin();
    forger.answerCode(() => ({ status: 401, body: { error: 'invalid_client' } }));
    expect(codeFor(await comeBack(begun, { code: 'x', state: stateOf(begun) }))).toBe('provider_misconfigured');
  });

  test('it is away', async () => {
    const begun = await begin();
    forger.answerCode(() => ({ status: 503, body: {} }));
    expect(codeFor(await comeBack(begun, { code: 'x', state: stateOf(begun) }))).toBe('provider_unavailable');
    const again = await begin();
    forger.answerAll((request) => void request.socket.destroy());
    expect(codeFor(await comeBack(again, { code: 'x', state: stateOf(again) }))).toBe('provider_unavailable');
    forger.answerAll();
  });

  test('it did not ask again though it was to (prompt=login)', async () => {
    const begun = await begin('/login/start/forger?fresh=proven');
    expect([begun.asked.get('prompt'), begun.asked.get('max_age')]).toEqual(['login', '0']);
    answerWith({ ...nonceOf(begun), auth_time: Math.floor(Date.now() / 1000) - 3600 });
    expect(codeFor(await comeBack(begun, { code: 'x', state: stateOf(begun) }))).toBe('login_refused');
    const silent = await begin('/login/start/forger?fresh=proven');
    answerWith(nonceOf(silent));
    expect(codeFor(await comeBack(silent, { code: 'x', state: stateOf(silent) }))).toBe('login_refused');
    const again = await begin('/login/start/forger?fresh=proven');
    answerWith({ ...nonceOf(again), auth_time: Math.floor(Date.now() / 1000) });
    expect((await comeBack(again, { code: 'x', state: stateOf(again) })).status).toBe(303);
  });

  test('whoever only changes accounts is asked, and nothing is to be proven: not every provider says when it asked', async () => {
    const begun = await begin('/login/start/forger?fresh=asked');
    expect([begun.asked.get('prompt'), begun.asked.get('max_age')]).toEqual(['login', null]);
    answerWith(nonceOf(begun));
    expect((await comeBack(begun, { code: 'x', state: stateOf(begun) })).status).toBe(303);
  });
});

describe('who comes back is not always let in', () => {
  test('not with another value of a required claim, or none', async () => {
    await fixture.plane.send('PATCH', '/v1/identity-providers/forger', { body: { requiredClaims: { hd: ['corp.example'] } }, headers: { 'If-Match': '*' } });
    for (const [claims, status] of [[{}, 403], [{ hd: 'gmail.example' }, 403], [{ hd: 'corp.example' }, 303]] as const) {
      const begun = await begin();
      answerWith({ ...nonceOf(begun), ...claims });
      expect((await comeBack(begun, { code: 'x', state: stateOf(begun) })).status).toBe(status);
    }
    await fixture.plane.send('PATCH', '/v1/identity-providers/forger', { body: { requiredClaims: null }, headers: { 'If-Match': '*' } });
  });

  test.each([
    ['refuses the access token', 401, 303],
    ['is away', 503, 503],
  ])('where userinfo %s', async (_what, answered, status) => {
    forger.answerUserInfo({ error: 'invalid_token' }, answered);
    const begun = await begin();
    answerWith({ ...nonceOf(begun), email: 'ana@corp.example', email_verified: true });
    expect((await comeBack(begun, { code: 'x', state: stateOf(begun) })).status).toBe(status);
    expect(await fixture.query('select email from people')).toEqual(status === 303 ? [{ email: 'ana@corp.example' }] : []);
  });

  test('an address that is not verified is left out', async () => {
    const begun = await begin();
    answerWith({ ...nonceOf(begun), email: 'ceo@corp.example', email_verified: false });
    await comeBack(begun, { code: 'x', state: stateOf(begun) });
    expect(await fixture.query('select email, name from people')).toEqual([{ email: null, name: 'ana' }]);
  });
});

test('nothing that could finish a login, or use one, is readable in the database', async () => {
  const begun = await begin();
  answerWith(nonceOf(begun), { access_token: 'access-token-of-ana', refresh_token: 'refresh-token-of-ana' });
  await comeBack(begun, { code: 'x', state: stateOf(begun) });
  const open = await begin();
  const rows = await fixture.query<{ all: string }>(
    `select coalesce(string_agg(t::text, ' '), '') as all from (select to_jsonb(s) as t from login_states s union all select to_jsonb(c) from connections c union all select to_jsonb(b) from browser_sessions b) x`,
  );
  const dump = rows[0]?.all ?? '';
  const hexOf = (text: string) => Buffer.from(text).toString('hex');
  const cookies = [...begun.browser.cookieLines(publicOrigin), ...open.browser.cookieLines(publicOrigin)].map((line) => /=([\w-]{43})/.exec(line)?.[1] ?? '');
  expect(cookies.filter((value) => value !== '')).toHaveLength(3);
  for (const secret of [stateOf(open), open.asked.get('nonce') ?? '', 'access-token-of-ana', 'refresh-token-of-ana', ...cookies]) {
    expect(dump).not.toContain(secret);
    expect(dump).not.toContain(hexOf(secret));
  }
  expect(dump).toContain('sealed');
});

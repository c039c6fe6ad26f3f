import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ForgingProvider, forgedClient, startForgingProvider } from '../../../../test/support/forging-provider.ts';
import { makeSigningKey, type SigningKey } from '../../../../test/support/token-issuer.ts';
import { addGrouped, clearLogins, groupsOf, ofGroups, providerChecks } from '../spec-support/provider-checks.ts';
import { authorizationRequest, authorize, codeGrant, codeOf, useAgents } from '../spec-support/use-agents.ts';
import { publicOrigin } from '../spec-support/use-login.ts';

const strangersKey = await makeSigningKey('RS256', 'forger-1');
const fixture = useAgents();
const { refresh, pass, left } = providerChecks(fixture);
let forger: ForgingProvider;
beforeAll(async () => {
  forger = await startForgingProvider();
  const document = { name: 'forger', issuer: forger.issuer, ...forgedClient, requiredClaims: { hd: 'corp.example' } };
  expect((await fixture.plane.send('POST', '/v1/identity-providers', { body: document })).status).toBe(201);
  await addGrouped(fixture, 'forger');
});
beforeEach(() => clearLogins(fixture));
afterAll(() => forger?.close());

const whole = { hd: 'corp.example', email: 'ana@corp.example', email_verified: true, name: 'Ana', groups: ['sales', 'platform'] };
const answer = (claims: Readonly<Record<string, unknown>> | undefined, options: Parameters<ForgingProvider['idToken']>[1] = {}) =>
  forger.answerCode(async () => ({
    body: { access_token: 'access', token_type: 'Bearer', expires_in: 300, refresh_token: 'refresh', ...(claims && { id_token: await forger.idToken(claims, options) }) },
  }));

async function connectedThere() {
  const agent = await fixture.register();
  const request = authorizationRequest(agent, ofGroups);
  const browser = fixture.browser();
  const { url } = await authorize(browser, request);
  answer({ ...whole, nonce: url.searchParams.get('nonce') });
  const page = await browser.open(`${publicOrigin}/login/callback/forger?code=x&state=${url.searchParams.get('state')}`);
  const { status, body } = await fixture.post('/oauth/token', codeGrant(agent, codeOf(page), request.verifier));
  expect(status).toBe(200);
  await pass('61 minutes');
  return { agent, token: body['refresh_token'] };
}

test('an ID token that has everything', async () => {
  const { agent, token } = await connectedThere();
  answer({ ...whole, groups: ['sales'] });
  forger.answerUserInfo({}, 500);
  const { body } = await refresh(agent, token);
  expect(groupsOf(body['access_token'])).toEqual(['sales']);
});

test('one without groups, with an access token for something else: nobody has groups of the login any more', async () => {
  const { agent, token } = await connectedThere();
  answer({ ...whole, groups: undefined });
  forger.answerUserInfo({}, 403);
  await refresh(agent, token);
  expect(await fixture.query('select groups from people')).toEqual([{ groups: [] }]);
});

test('none: userinfo', async () => {
  const { agent, token } = await connectedThere();
  answer(undefined);
  forger.answerUserInfo({ sub: 'ana', groups: ['platform'] });
  const { body } = await refresh(agent, token);
  expect(groupsOf(body['access_token'])).toEqual(['platform']);
});

test.each<[string, Readonly<Record<string, unknown>>, { readonly key: SigningKey } | undefined]>([
  ['of another client', { aud: 'somebody-else' }, undefined],
  ['for several, given to another', { aud: ['gatehouse', 'other'], azp: 'other' }, undefined],
  ['that has expired', { exp: 1_700_000_000 }, undefined],
  ['of another issuer', { iss: 'https://other.example' }, undefined],
  ['that somebody else has signed', {}, { key: strangersKey }],
])('an ID token %s says nothing: userinfo does', async (_name, claims, options) => {
  const { agent, token } = await connectedThere();
  answer({ ...whole, groups: ['platform', 'admins'], ...claims }, options);
  forger.answerUserInfo({ sub: 'ana', groups: ['sales'] });
  await refresh(agent, token);
  expect(await fixture.query('select groups from people')).toEqual([{ groups: ['sales'] }]);
});

test.each([['an ID token', true], ['userinfo', false]])('%s about somebody else changes nobody, and counts for nothing', async (_name, isIdToken) => {
  const { agent, token } = await connectedThere();
  answer(isIdToken ? { ...whole, sub: 'mallory', groups: ['admins'] } : undefined);
  forger.answerUserInfo({ sub: 'mallory', groups: ['admins'] });
  const { status, body } = await refresh(agent, token);
  expect([status, groupsOf(body['access_token'])]).toEqual([200, whole.groups]);
  expect(await fixture.query('select subject, groups from people')).toEqual([{ subject: 'ana', groups: whole.groups }]);
  await pass('24 hours');
  expect((await refresh(agent, body['refresh_token'])).body).toMatchObject({ error: 'invalid_grant' });
});

test.each([['an ID token', true], ['userinfo', false]])('a required claim that %s has no more ends it', async (_name, isIdToken) => {
  const { agent, token } = await connectedThere();
  answer(isIdToken ? { ...whole, hd: 'other.example' } : undefined);
  forger.answerUserInfo({ sub: 'ana', hd: 'other.example', groups: whole.groups });
  expect((await refresh(agent, token)).body).toMatchObject({ error: 'invalid_grant' });
  expect(await left()).toMatchObject({ sessions: 0, grants: 0, tokens: 0 });
});

test.each([503, 500, 429])('status %i is an outage', async (status) => {
  const { agent, token } = await connectedThere();
  forger.answerCode(() => ({ status, body: {} }));
  expect((await refresh(agent, token)).status).toBe(200);
  expect(await left()).toMatchObject({ sessions: 1, grants: 1, tokens: 1 });
});

test('so is a provider that does not know us as its client any more, and one whose userinfo fails', async () => {
  const { agent, token } = await connectedThere();
  forger.answerCode(() => ({ status: 401, body: { error: 'invalid_client' } }));
  const { status, body } = await refresh(agent, token);
  expect(status).toBe(200);
  await pass('61 minutes');
  answer(undefined);
  forger.answerUserInfo({}, 500);
  expect((await refresh(agent, body['refresh_token'])).status).toBe(200);
  expect(await left()).toMatchObject({ sessions: 1, grants: 1, tokens: 1 });
});

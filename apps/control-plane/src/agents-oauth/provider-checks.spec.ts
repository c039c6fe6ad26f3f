import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { beforeEach, describe, expect, test } from 'vitest';
import { startTestControlPlane } from '../spec-support/start-test-control-plane.ts';
import { connected, useAgents } from '../spec-support/use-agents.ts';
import { ana, logIn, publicOrigin } from '../spec-support/use-login.ts';
import { addGrouped, clearLogins, groupsOf, ofGroups, providerChecks } from '../spec-support/provider-checks.ts';

const overrides = ofGroups;

describe('a provider that gives refresh tokens', () => {
  const fixture = useAgents({}, { refreshTokens: true });
  const { refresh, pass, asked, left } = providerChecks(fixture);
  let isAdded = false;
  beforeEach(async () => {
    await clearLogins(fixture);
    if (!isAdded) await addGrouped(fixture);
    isAdded = true;
  });

  test('who is removed there is out within the hour: agents, browsers, and what the provider gave', async () => {
    const { agent, tokens } = await connected(fixture);
    const other = await connected(fixture);
    fixture.provider.remove('ana');
    const before = asked();
    await pass('59 minutes');
    const first = await refresh(agent, tokens.refresh_token);
    expect([first.status, asked() - before]).toEqual([200, 0]);
    await pass('2 minutes');
    const reply = await refresh(agent, first.body['refresh_token']);
    expect([reply.status, reply.body]).toMatchObject([400, { error: 'invalid_grant' }]);
    expect(await left()).toEqual({ sessions: 0, grants: 0, tokens: 0, revoked: 2 });
    expect((await refresh(other.agent, other.tokens.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
    expect(await fixture.query(`select actor, action from audit_events where target_kind = 'Person' order by id desc limit 1`)).toEqual([{ actor: 'identity-provider:corp', action: 'person.logged-out' }]);
    // They may come back, and are who they were.
    fixture.provider.put(ana);
    expect((await connected(fixture)).tokens.access_token).toBeDefined();
  });

  test('a group that is taken away is not in the next token, nor is the access that came of it', async () => {
    const { agent, tokens } = await connected(fixture, { overrides });
    expect(groupsOf(tokens.access_token)).toEqual([...ana.groups]);
    fixture.provider.put({ ...ana, groups: ['sales'] });
    const early = await refresh(agent, tokens.refresh_token);
    expect(groupsOf(early.body['access_token'])).toEqual([...ana.groups]);
    await pass('61 minutes');
    const next = await refresh(agent, early.body['refresh_token']);
    expect(groupsOf(next.body['access_token'])).toEqual(['sales']);
    expect(await fixture.query(`select groups, email from people`)).toEqual([{ groups: ['sales'], email: ana.email }]);
    // It was asked a moment ago.
    const before = asked();
    const again = await refresh(agent, next.body['refresh_token']);
    expect([again.status, asked() - before]).toEqual([200, 0]);
    await pass('61 minutes');
    expect([(await refresh(agent, again.body['refresh_token'])).status, asked() - before]).toEqual([200, 1]);
  });

  test('an outage logs nobody out; after a day without its word there is nothing until it is back', async () => {
    const { agent, tokens } = await connected(fixture);
    fixture.provider.goAway();
    await pass('2 hours');
    const tolerated = await refresh(agent, tokens.refresh_token);
    expect(tolerated.status).toBe(200);
    // It is left alone for a while.
    const before = fixture.provider.requests.length;
    const again = await refresh(agent, tolerated.body['refresh_token']);
    expect([again.status, fixture.provider.requests.length - before]).toEqual([200, 0]);
    await pass('24 hours');
    const refused = await refresh(agent, again.body['refresh_token']);
    expect([refused.status, refused.body, refused.headers.get('retry-after')]).toMatchObject([503, { error: 'temporarily_unavailable' }, '5']);
    expect(await left()).toEqual({ sessions: 1, grants: 1, tokens: 1, revoked: 0 });
    fixture.provider.goAway(false);
    await fixture.query('update connections set retry_at = null');
    expect((await refresh(agent, again.body['refresh_token'])).status).toBe(200);
  });

  test('of two control planes and many agents one asks, once, and all of them have what it hears', async () => {
    const second = await startTestControlPlane({ environment: fixture.plane.environment, channel: createMemoryChannel() });
    const browser = fixture.browser();
    const agents = [await connected(fixture, { browser, overrides }), await connected(fixture, { browser, overrides }), await connected(fixture, { browser, overrides })];
    fixture.provider.put({ ...ana, groups: ['platform'] });
    await pass('61 minutes');
    const before = asked();
    const planes = [fixture.plane.url, second.url];
    const replies = await Promise.all(agents.flatMap(({ agent, tokens }) => planes.map((at) => refresh(agent, tokens.refresh_token, at))));
    expect(replies.map(({ status, body }) => [status, groupsOf(body['access_token'])])).toEqual(replies.map(() => [200, ['platform']]));
    expect(asked() - before).toBe(1);
    expect((await fixture.query(`select token_version from connections where token_version <> 1`))).toEqual([{ token_version: 2 }]);
    await second.close();
  });

  test('of two logins the provider ends one: what was allowed in it ends, and the other goes on', async () => {
    const older = await connected(fixture);
    const newer = await connected(fixture);
    await fixture.query(`update connections set state = 'reconnect_required', failure = 'refused' where session_id = (select session_id from connections order by id desc limit 1)`);
    await pass('61 minutes');
    expect((await refresh(newer.agent, newer.tokens.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(older.agent, older.tokens.refresh_token)).status).toBe(200);
    expect(await left()).toEqual({ sessions: 1, grants: 1, tokens: 1, revoked: 1 });
  });

  test('tokens that were lost on their way to us are no word about the person: they log in again within a day', async () => {
    const { agent, tokens } = await connected(fixture);
    await fixture.query(`update connections set state = 'reconnect_required', failure = 'lost_rotation', expires_at = now() - interval '1 second'`);
    await pass('23 hours');
    const next = await refresh(agent, tokens.refresh_token);
    expect(next.status).toBe(200);
    await pass('2 hours');
    expect((await refresh(agent, next.body['refresh_token'])).body).toMatchObject({ error: 'invalid_grant' });
  });

  test('a code that is redeemed in an older session is one more question', async () => {
    const browser = fixture.browser();
    await logIn(browser, 'ana');
    fixture.provider.remove('ana');
    await pass('61 minutes');
    await expect(connected(fixture, { browser })).rejects.toThrow('invalid_grant');
    expect((await browser.open(`${publicOrigin}/login?return_to=/openapi.json`)).url.pathname).not.toBe('/openapi.json');
  });

  test('accounts of the gateway itself are nobody else’s to ask about', async () => {
    const local = await startTestControlPlane({ environment: { ...fixture.plane.environment, GATEHOUSE_LOCAL_LOGIN: 'true' }, channel: createMemoryChannel() });
    const { agent, tokens } = await connected(fixture);
    await fixture.query(`update people set provider = 'local'`);
    await pass('400 days');
    const before = fixture.provider.requests.length;
    expect((await refresh(agent, tokens.refresh_token, local.url)).status).toBe(200);
    expect(fixture.provider.requests).toHaveLength(before);
    await local.close();
  });
});

describe('a provider that gives none', () => {
  const fixture = useAgents({}, { accessTokenSeconds: 3600 * 30 });
  const { refresh, pass, left } = providerChecks(fixture);
  let isAdded = false;
  beforeEach(async () => {
    await clearLogins(fixture);
    if (!isAdded) await addGrouped(fixture);
    isAdded = true;
  });

  test('as long as the access token is good, userinfo says who they are now', async () => {
    const { agent, tokens } = await connected(fixture, { overrides });
    fixture.provider.put({ ...ana, groups: ['sales'] });
    await pass('61 minutes');
    const next = await refresh(agent, tokens.refresh_token);
    expect(groupsOf(next.body['access_token'])).toEqual(['sales']);
    fixture.provider.remove('ana');
    await pass('61 minutes');
    expect((await refresh(agent, next.body['refresh_token'])).body).toMatchObject({ error: 'invalid_grant' });
    expect(await left()).toEqual({ sessions: 0, grants: 0, tokens: 0, revoked: 1 });
  });

  test('after that they log in again: at most a day after they did', async () => {
    const { agent, tokens } = await connected(fixture);
    await fixture.query(`update connections set expires_at = now() - interval '1 second'`);
    await pass('23 hours');
    const next = await refresh(agent, tokens.refresh_token);
    expect(next.status).toBe(200);
    await pass('61 minutes');
    expect((await refresh(agent, next.body['refresh_token'])).body).toMatchObject({ error: 'invalid_grant' });
    expect(await left()).toEqual({ sessions: 0, grants: 0, tokens: 0, revoked: 1 });
  });

  test('what userinfo does not say is as old as the login, and counts for as long', async () => {
    const { agent, tokens } = await connected(fixture, { overrides });
    fixture.provider.put({ subject: 'ana', email: ana.email, emailVerified: true });
    await pass('2 hours');
    const next = await refresh(agent, tokens.refresh_token);
    expect(groupsOf(next.body['access_token'])).toEqual([...ana.groups]);
    await pass('24 hours');
    expect((await refresh(agent, next.body['refresh_token'])).body).toMatchObject({ error: 'invalid_grant' });
  });
});

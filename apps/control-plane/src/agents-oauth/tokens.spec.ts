import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { authorizationRequest, authorize, codeGrant, codeOf, connected, type RegisteredAgent, resourceUrl, type Tokens, useAgents } from '../spec-support/use-agents.ts';

const fixture = useAgents();

const refresh = (agent: RegisteredAgent, token: string, more: Record<string, string> = {}) =>
  fixture.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: token, client_id: agent.clientId, ...more });
const grantOf = (accessToken: string): string => String(decodeJwt(accessToken)['grant']);
const isRevoked = async (accessToken: string) => (await fixture.query('select from oauth_revocations where grant_id = $1', [grantOf(accessToken)])).length === 1;
/** As if a token had been used longer ago than an answer may be lost. */
const passGrace = () => fixture.query(`update oauth_state set consumed_at = consumed_at - interval '31 seconds' where consumed_at > to_timestamp(0)`);

describe('OAuth 2.1 section 4.3.1: refresh tokens are rotated, and one that is used twice ends the grant', () => {
  test('each use gives another one, of the same grant, and keeps its resource', async () => {
    const { agent, tokens } = await connected(fixture);
    const { status, body } = await refresh(agent, tokens.refresh_token);
    const next = body as unknown as Tokens;
    expect(status).toBe(200);
    expect(next.refresh_token).not.toBe(tokens.refresh_token);
    expect(grantOf(next.access_token)).toBe(grantOf(tokens.access_token));
    expect(decodeJwt(next.access_token).aud).toBe(resourceUrl('orders'));
    expect((await refresh(agent, next.refresh_token)).status).toBe(200);
  });

  test('used twice, later: everything of the grant is over, for both who hold it', async () => {
    const { agent, tokens } = await connected(fixture);
    const { body } = await refresh(agent, tokens.refresh_token);
    await passGrace();
    expect((await refresh(agent, tokens.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
    expect(await isRevoked(tokens.access_token)).toBe(true);
    expect((await refresh(agent, String(body['refresh_token']))).body).toMatchObject({ error: 'invalid_grant' });
  });

  test('used twice, at once, after what came of it was used: the same', async () => {
    const { agent, tokens } = await connected(fixture);
    const { body } = await refresh(agent, tokens.refresh_token);
    expect((await refresh(agent, String(body['refresh_token']))).status).toBe(200);
    expect((await refresh(agent, tokens.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
    expect(await isRevoked(tokens.access_token)).toBe(true);
  });

  test('an answer that was lost: the same token works once more, and what was lost does not once the other answer is used', async () => {
    const { agent, tokens } = await connected(fixture);
    const lost = await refresh(agent, tokens.refresh_token);
    const again = await refresh(agent, tokens.refresh_token);
    expect(again.status).toBe(200);
    expect((await refresh(agent, String(again.body['refresh_token']))).status).toBe(200);
    expect(await isRevoked(tokens.access_token)).toBe(false);
    expect((await refresh(agent, String(lost.body['refresh_token']))).body).toMatchObject({ error: 'invalid_grant' });
    expect(await isRevoked(tokens.access_token)).toBe(true);
  });

  test.each([0, 4])('requests at the same moment, as of a client in several tabs: it may keep any one of the answers (number %i), and the others end with its use', async (kept) => {
    const { agent, tokens } = await connected(fixture);
    const replies = await Promise.all([0, 1, 2, 3, 4].map(() => refresh(agent, tokens.refresh_token)));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect((await refresh(agent, String(replies[kept]?.body['refresh_token']))).status).toBe(200);
    expect(await isRevoked(tokens.access_token)).toBe(false);
    expect((await refresh(agent, String(replies[2]?.body['refresh_token']))).body).toMatchObject({ error: 'invalid_grant' });
    expect(await isRevoked(tokens.access_token)).toBe(true);
  });

  test('the time in which it may be used again begins with its first use', async () => {
    const { agent, tokens } = await connected(fixture);
    await refresh(agent, tokens.refresh_token);
    await fixture.query(`update oauth_state set consumed_at = consumed_at - interval '20 seconds' where consumed_at > to_timestamp(0)`);
    expect((await refresh(agent, tokens.refresh_token)).status).toBe(200);
    await fixture.query(`update oauth_state set consumed_at = consumed_at - interval '20 seconds' where consumed_at > to_timestamp(0)`);
    expect((await refresh(agent, tokens.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
  });

  test('requests at the same moment as its revocation get nothing that lasts', async () => {
    const { agent, tokens } = await connected(fixture);
    const [revoked, ...replies] = await Promise.all([fixture.post('/oauth/revoke', { token: tokens.refresh_token, client_id: agent.clientId }), ...[1, 2, 3].map(() => refresh(agent, tokens.refresh_token))]);
    expect(revoked?.status).toBe(200);
    for (const { status, body } of replies) if (status !== 200) expect(body).toMatchObject({ error: 'invalid_grant' });
    expect(await isRevoked(tokens.access_token)).toBe(true);
    expect(await fixture.query(`select from oauth_state where grant_id = $1`, [grantOf(tokens.access_token)])).toEqual([]);
  });

  test('another client gets nothing for it, and changes nothing', async () => {
    const { agent, tokens } = await connected(fixture);
    const thief = await fixture.register();
    const { body } = await refresh(agent, tokens.refresh_token);
    expect((await refresh(thief, tokens.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(thief, String(body['refresh_token']))).body).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(agent, String(body['refresh_token']))).status).toBe(200);
  });
});

describe('a code', () => {
  test('OAuth 2.1 section 4.1.3: works once; used twice it takes back what it gave', async () => {
    const agent = await fixture.register();
    const request = authorizationRequest(agent);
    const grant = codeGrant(agent, codeOf(await authorize(fixture.browser(), request)), request.verifier);
    const { body } = await fixture.post('/oauth/token', grant);
    expect((await fixture.post('/oauth/token', grant)).body).toMatchObject({ error: 'invalid_grant' });
    expect(await isRevoked(String(body['access_token']))).toBe(true);
    expect((await refresh(agent, String(body['refresh_token']))).body).toMatchObject({ error: 'invalid_grant' });
  });

  test('at the same moment: one of the requests gets tokens, and they are taken back', async () => {
    const agent = await fixture.register();
    const request = authorizationRequest(agent);
    const grant = codeGrant(agent, codeOf(await authorize(fixture.browser(), request)), request.verifier);
    const replies = await Promise.all([1, 2, 3].map(() => fixture.post('/oauth/token', grant)));
    expect(replies.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    for (const { status, body } of replies) if (status === 200) expect(await isRevoked(String(body['access_token']))).toBe(true);
  });

  test.each<[string, (grant: Record<string, string>) => Record<string, string | undefined>]>([
    ['without its verifier (PKCE, RFC 7636)', () => ({ code_verifier: undefined })],
    ['with another verifier', () => ({ code_verifier: 'v'.repeat(43) })],
    ['with another redirect URI', () => ({ redirect_uri: 'https://client.example/other' })],
  ])('%s gives nothing', async (_name, change) => {
    const agent = await fixture.register({ redirect_uris: ['https://client.example/callback', 'https://client.example/other'] });
    const request = authorizationRequest(agent);
    const grant = codeGrant(agent, codeOf(await authorize(fixture.browser(), request)), request.verifier);
    const changed = Object.fromEntries(Object.entries({ ...grant, ...change(grant) }).filter((entry): entry is [string, string] => entry[1] !== undefined));
    expect((await fixture.post('/oauth/token', changed)).body).toMatchObject({ error: 'invalid_grant' });
  });

  test('injected into another client gives nothing', async () => {
    const [agent, thief] = [await fixture.register(), await fixture.register()];
    const request = authorizationRequest(agent);
    const code = codeOf(await authorize(fixture.browser(), request));
    expect((await fixture.post('/oauth/token', codeGrant(thief, code, request.verifier))).body).toMatchObject({ error: 'invalid_grant' });
    // The client it is of has lost nothing.
    expect((await fixture.post('/oauth/token', codeGrant(agent, code, request.verifier))).status).toBe(200);
  });

  test('lives for a minute', async () => {
    const agent = await fixture.register();
    await authorize(fixture.browser(), authorizationRequest(agent));
    const rows = await fixture.query(`select expires_at - created_at = interval '60 seconds' as "isAMinute" from oauth_state where model = 'AuthorizationCode' and client_id = $1`, [agent.clientId]);
    expect(rows).toEqual([{ isAMinute: true }]);
  });
});

describe('RFC 7009 and RFC 7662, for the client that holds a token', () => {
  const about = (path: string, agent: RegisteredAgent, token: string) => fixture.post(path, { token, client_id: agent.clientId });

  test('its tokens are active, and say what they are', async () => {
    const { agent, tokens } = await connected(fixture);
    expect((await about('/oauth/introspect', agent, tokens.access_token)).body).toMatchObject({ active: true, client_id: agent.clientId, aud: resourceUrl('orders'), scope: 'mcp', token_type: 'Bearer' });
    expect((await about('/oauth/introspect', agent, tokens.refresh_token)).body).toMatchObject({ active: true, client_id: agent.clientId });
  });

  test.each(['access_token', 'refresh_token'] as const)('given back by its %s, all of the grant is over', async (kind) => {
    const { agent, tokens } = await connected(fixture);
    expect((await about('/oauth/revoke', agent, tokens[kind])).status).toBe(200);
    expect(await isRevoked(tokens.access_token)).toBe(true);
    for (const token of [tokens.access_token, tokens.refresh_token]) expect((await about('/oauth/introspect', agent, token)).body).toEqual({ active: false });
    expect((await refresh(agent, tokens.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
  });

  test('another client learns nothing and ends nothing', async () => {
    const { tokens } = await connected(fixture);
    const other = await fixture.register();
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      expect((await about('/oauth/introspect', other, token)).body).toEqual({ active: false });
      expect((await about('/oauth/revoke', other, token)).status).toBe(200);
    }
    expect(await isRevoked(tokens.access_token)).toBe(false);
  });

  test('a token that somebody made up is not active', async () => {
    const { agent, tokens } = await connected(fixture);
    const [header, payload] = tokens.access_token.split('.');
    for (const token of [`${header}.${payload}.${'A'.repeat(86)}`, 'nonsense', '']) {
      const { status, body } = await about('/oauth/introspect', agent, token);
      expect([status, body]).toEqual(token === '' ? [400, expect.objectContaining({ error: 'invalid_request' })] : [200, { active: false }]);
    }
  });

  test('looking at a refresh token that was used does not bring it back', async () => {
    const { agent, tokens } = await connected(fixture);
    const { body } = await refresh(agent, tokens.refresh_token);
    expect((await about('/oauth/introspect', agent, tokens.refresh_token)).body).toEqual({ active: false });
    expect((await refresh(agent, String(body['refresh_token']))).status).toBe(200);
  });
});

test('at rest there is no bearer value, neither as it is nor in what is stored with it', async () => {
  const { agent, tokens } = await connected(fixture);
  const rows = await fixture.query<{ text: string }>('select row_to_json(s)::text as text from oauth_state s');
  const dump = rows.map(({ text }) => text).join('\n');
  expect(rows.length).toBeGreaterThan(3);
  const hex = (text: string) => Buffer.from(text).toString('hex');
  for (const value of [tokens.refresh_token, tokens.access_token]) for (const form of [value, hex(value)]) expect(dump).not.toContain(form);
  expect(dump).toContain(agent.clientId);
});

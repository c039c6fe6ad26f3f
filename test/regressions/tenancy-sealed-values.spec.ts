import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { startTestControlPlane } from '../../apps/control-plane/src/spec-support/start-test-control-plane.ts';
import { connected, type RegisteredAgent, useAgents } from '../../apps/control-plane/src/spec-support/use-agents.ts';
import { logIn, providerDocument, publicOrigin } from '../../apps/control-plane/src/spec-support/use-login.ts';
import { TestBrowser } from '../support/test-browser.ts';

/** Whoever can write to the database can swap what is sealed in it: none of it opens in another row. */
const fixture = useAgents();

const hashOf = (id: string): Buffer => createHash('sha256').update(id).digest();
const startAnother = () => startTestControlPlane({ environment: fixture.plane.environment, channel: createMemoryChannel() });
const refresh = (agent: RegisteredAgent, token: string) => fixture.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: token, client_id: agent.clientId });

/** Gives one row of the authorization server's state what another one has, and gives it back what it had. */
async function withStateOf(model: string, id: string, other: string, run: () => Promise<void>): Promise<void> {
  const [before] = await fixture.query<{ sealed: Buffer }>('select sealed from oauth_state where model = $1 and id_hash = $2', [model, hashOf(id)]);
  if (before === undefined) throw new Error(`no ${model} of that id`);
  await fixture.query('update oauth_state set sealed = (select sealed from oauth_state where model = $1 and id_hash = $3) where model = $1 and id_hash = $2', [model, hashOf(id), hashOf(other)]);
  await run();
  await fixture.query('update oauth_state set sealed = $3 where model = $1 and id_hash = $2', [model, hashOf(id), before.sealed]);
}

describe('what the authorization server keeps', () => {
  test('a refresh token is not another person’s', async () => {
    const agent = await fixture.register();
    const ana = await connected(fixture, { agent, login: 'ana' });
    const ben = await connected(fixture, { agent, login: 'ben' });
    await withStateOf('RefreshToken', ben.tokens.refresh_token, ana.tokens.refresh_token, async () => {
      const { status, body } = await refresh(agent, ben.tokens.refresh_token);
      expect([status, body]).toEqual([500, expect.objectContaining({ error: 'server_error' })]);
      expect(body).not.toHaveProperty('access_token');
    });
    for (const { tokens } of [ana, ben]) expect((await refresh(agent, tokens.refresh_token)).status).toBe(200);
  });

  test('a client’s secret is not another client’s', async () => {
    const [one, two] = [await fixture.register({ token_endpoint_auth_method: 'client_secret_post' }), await fixture.register({ token_endpoint_auth_method: 'client_secret_post' })];
    const introspect = (clientId: string, secret = '') => fixture.post('/oauth/introspect', { token: 'x', client_id: clientId, client_secret: secret });
    await withStateOf('Client', two.clientId, one.clientId, async () => {
      for (const { clientSecret } of [one, two]) expect((await introspect(two.clientId, clientSecret)).status).toBe(500);
    });
    expect([(await introspect(two.clientId, one.clientSecret)).status, (await introspect(two.clientId, two.clientSecret)).status]).toEqual([401, 200]);
  });
});

test('a signing key signs under its own name only: a control plane that finds another one there gives no tokens', async () => {
  await fixture.query(`update oauth_signing_keys set signs_from = now() - interval '89 days'`);
  await (await startAnother()).close();
  const keys = await fixture.query<{ kid: string; sealed: Buffer }>('select kid, sealed from oauth_signing_keys order by signs_from');
  const [first, second] = keys;
  if (!first || !second) throw new Error('there are not two keys');
  await fixture.query('update oauth_signing_keys set sealed = case kid when $1 then $2::bytea else $3::bytea end', [first.kid, second.sealed, first.sealed]);
  const reader = await startAnother();
  const ask = () => fixture.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: 'x', client_id: 'x' }, { at: reader.url });
  expect(await ask()).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
  await fixture.query('update oauth_signing_keys set sealed = case kid when $1 then $2::bytea else $3::bytea end', [first.kid, first.sealed, second.sealed]);
  expect((await ask()).body).toMatchObject({ error: 'invalid_client' });
  await reader.close();
});

test('an identity provider is not sent another one’s client secret', async () => {
  const body = providerDocument(fixture.provider, { name: 'partner', issuer: 'http://127.0.0.1:9', clientSecret: 'secret-for-the-partner-0123456789' });
  expect((await fixture.plane.send('POST', '/v1/identity-providers', { body })).status).toBe(201);
  const moved = await fixture.query(
    `update secrets set sealed = (select sealed from secrets where owner_id = (select id from identity_providers where name = 'partner'))
     where owner_id = (select id from identity_providers where name = 'corp') returning field`,
  );
  expect(moved).toHaveLength(1);
  const reader = await startAnother();
  const asked = fixture.provider.requests.length;
  const page = await logIn(new TestBrowser({ servers: { [publicOrigin]: () => reader.url } }), 'ana', '/login/start/corp');
  expect([page.url.origin, page.status, page.text]).toEqual([publicOrigin, 500, expect.stringContaining('vault_sealed_value_unreadable')]);
  expect(fixture.provider.requests).toHaveLength(asked);
  await reader.close();
});

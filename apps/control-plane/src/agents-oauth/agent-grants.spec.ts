import { authorizationServerId, type AuthorizationServerDocument, openDocument, snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { until } from '../spec-support/start-test-control-plane.ts';
import { authorizationRequest, authorize, connected, type RegisteredAgent, resourceUrl, useAgents } from '../spec-support/use-agents.ts';
import { providerDocument } from '../spec-support/use-login.ts';
import { tidyOAuthState } from './tidy-oauth-state.ts';

const fixture = useAgents();
let agent: RegisteredAgent;

beforeAll(async () => {
  await fixture.addServer('billing');
  agent = await fixture.register({ client_name: 'Cursor' });
});

async function published(): Promise<AuthorizationServerDocument | undefined> {
  const { channel, environment } = fixture.plane;
  const [document] = await channel.readDocuments([authorizationServerId]);
  return document && (openDocument(snapshotKeysOf([parseKey(environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]), document) as AuthorizationServerDocument);
}
const revokedGrants = async () => new Set((await published())?.revoked.map(({ grant }) => grant));
const grantOf = ({ access_token: token }: { access_token: string }) => String(decodeJwt(token)['grant']);
const refresh = async (token: string) => (await fixture.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: token, client_id: agent.clientId })).status;
const personId = async (subject: string) => (await fixture.query<{ id: string }>('select id from people where subject = $1', [subject]))[0]?.id ?? '';
const grants = async (subject: string) => (await fixture.plane.send<{ items: Record<string, unknown>[] }>('GET', `/v1/users/${await personId(subject)}/grants`)).body.items;
const remove = async (subject: string, what: string) => (await fixture.plane.send('DELETE', `/v1/users/${await personId(subject)}/${what}`)).status;
const revoke = (subject: string, grant: string) => remove(subject, `grants/${grant}`);

test('a person’s grants are listed with client, server, and when they were used', async () => {
  const { tokens } = await connected(fixture, { agent, login: 'ben' });
  const [grant, ...others] = await grants('ben');
  expect(others).toEqual([]);
  expect(grant).toMatchObject({ id: grantOf(tokens), clientName: 'Cursor', redirectHost: 'client.example', resource: resourceUrl('orders') });
  const before = String(grant?.['lastUsedAt']);
  await fixture.query(`update oauth_grants set last_used_at = last_used_at - interval '1 hour'`);
  await refresh(tokens.refresh_token);
  expect(Date.parse(String((await grants('ben'))[0]?.['lastUsedAt']))).toBeGreaterThanOrEqual(Date.parse(before));
});

test('one that is revoked ends at once here, reaches data planes with a revision, and is asked for again', async () => {
  const browser = fixture.browser();
  const { tokens } = await connected(fixture, { agent, browser });
  const { tokens: other } = await connected(fixture, { agent, browser, overrides: { resource: resourceUrl('billing') } });
  expect(await revoke('ana', grantOf(tokens))).toBe(204);
  expect(await refresh(tokens.refresh_token)).toBe(400);
  await until(async () => (await revokedGrants()).has(grantOf(tokens)));
  const revocation = (await published())?.revoked.find(({ grant }) => grant === grantOf(tokens));
  // Until the last stream that was opened with its tokens has ended, which may go on for a day after they have expired.
  expect(revocation?.until).toBeGreaterThan(Number(decodeJwt(tokens.access_token).exp) + 24 * 3_600);
  expect(await revokedGrants()).not.toContain(grantOf(other));
  expect(await refresh(other.refresh_token)).toBe(200);
  expect((await browser.open(authorizationRequest(agent).url)).text).toContain('name="decision"');
  expect((await browser.open(authorizationRequest(agent, { resource: resourceUrl('billing') }).url)).url.searchParams.has('code')).toBe(true);
});

test('all of a person’s at once, and nobody else’s; each has its place in the audit trail', async () => {
  const { tokens: anas } = await connected(fixture, { agent, login: 'ana' });
  const { tokens: bens } = await connected(fixture, { agent, login: 'ben' });
  expect(await remove('ana', 'sessions')).toBe(204);
  await until(async () => (await revokedGrants()).has(grantOf(anas)));
  expect(await revokedGrants()).not.toContain(grantOf(bens));
  expect([await refresh(anas.refresh_token), await refresh(bens.refresh_token)]).toEqual([400, 200]);
  expect(await grants('ana')).toEqual([]);
  const events = await fixture.query<{ action: string }>(`select action from audit_events where target_id in ($1, $2) or target_id = $3 order by sequence`, [grantOf(anas), grantOf(bens), await personId('ana')]);
  expect(events.map(({ action }) => action)).toEqual(expect.arrayContaining(['grant.created', 'grants.revoked']));
});

test('someone else’s, and one that is not there, are not revoked', async () => {
  const { tokens } = await connected(fixture, { agent, login: 'ben' });
  expect(await revoke('ana', grantOf(tokens))).toBe(404);
  expect(await revoke('ana', 'nothing')).toBe(404);
  expect(await refresh(tokens.refresh_token)).toBe(200);
});

test('a revocation is forgotten when nothing can be presented any more', async () => {
  const { tokens } = await connected(fixture, { agent });
  await revoke('ana', grantOf(tokens));
  await until(async () => (await revokedGrants()).has(grantOf(tokens)));
  await fixture.query(`update oauth_revocations set until = now() - interval '1 second'`);
  // The next one publishes the document anew.
  const { tokens: next } = await connected(fixture, { agent });
  await revoke('ana', grantOf(next));
  await until(async () => (await revokedGrants()).has(grantOf(next)));
  expect(await revokedGrants()).not.toContain(grantOf(tokens));
});

test('what has expired is removed; what is used stays', async () => {
  const { tokens } = await connected(fixture, { agent });
  await authorize(fixture.browser(), authorizationRequest(agent));
  const count = async () => Number((await fixture.query<{ count: string }>('select count(*) from oauth_state'))[0]?.count);
  const before = await count();
  const tidy = () => tidyOAuthState((text, parameters) => fixture.query(text, parameters as unknown[]));
  await tidy();
  expect(await count()).toBe(before);
  // A code that nobody came for, and whatever was on its way: their grants have nothing left. Clients and refresh tokens live longer.
  await fixture.query(`update oauth_state set expires_at = now() - interval '2 minutes' where model in ('AuthorizationCode', 'Interaction')`);
  await fixture.query(`update oauth_grants set last_used_at = last_used_at - interval '2 hours'`);
  await tidy();
  const left = await fixture.query<{ model: string }>('select distinct model from oauth_state order by model');
  expect(left.map(({ model }) => model)).toEqual(['Client', 'Grant', 'RefreshToken']);
  const orphans = await fixture.query(`select from oauth_grants g where not exists (select from oauth_state s where s.grant_id = g.id and s.model = 'RefreshToken')`);
  expect(orphans).toEqual([]);
  expect(await refresh(tokens.refresh_token)).toBe(200);
  await fixture.query(`update oauth_revocations set until = now() - interval '2 hours'`);
  await fixture.query(`update oauth_consents set given_at = now() - interval '366 days'`);
  await tidy();
  expect(await fixture.query('select from oauth_revocations')).toEqual([]);
  expect(await fixture.query('select from oauth_consents')).toEqual([]);
});

describe('a provider', () => {
  const change = async (method: string, body?: unknown) => (await fixture.plane.send(method, '/v1/identity-providers/corp', { body, headers: { 'If-Match': '*' } })).status;
  const suspended = async () => (await published())?.suspendedProviders;

  test('that is switched off: data planes are told, clients keep what they have, and go on when it is on again', async () => {
    const { tokens } = await connected(fixture, { agent });
    expect(await change('PATCH', { enabled: false })).toBe(200);
    await until(async () => (await suspended())?.includes('corp') === true);
    expect((await fixture.post('/oauth/introspect', { token: tokens.access_token, client_id: agent.clientId })).body).toEqual({ active: false });
    const refused = await fixture.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: agent.clientId });
    expect([refused.status, refused.body, refused.headers.get('retry-after')]).toMatchObject([503, { error: 'temporarily_unavailable' }, '5']);
    expect(await change('PATCH', { enabled: true })).toBe(200);
    await until(async () => (await suspended())?.length === 0);
    expect(await refresh(tokens.refresh_token)).toBe(200);
  });

  test('that is deleted takes its people’s grants with it', async () => {
    const { tokens } = await connected(fixture, { agent });
    expect(await change('DELETE')).toBe(204);
    await until(async () => (await revokedGrants()).has(grantOf(tokens)));
    expect(await refresh(tokens.refresh_token)).toBe(400);
    await fixture.plane.send('POST', '/v1/identity-providers', { body: providerDocument(fixture.provider) });
    expect(await refresh(tokens.refresh_token)).toBe(400);
  });
});

import { openDocument, type RevocationsDocument, revocationsId, snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { beforeEach, describe, expect, test } from 'vitest';
import { useConnections } from '../../spec-support/use-connections.ts';

const fixture = useConnections();
const base = '/v1/workspaces/default/connections';
beforeEach(async () => {
  fixture.provider.goAway(false);
  await fixture.query('delete from connections; delete from pending_revocations; delete from token_revocations');
});

interface Listed {
  readonly items: readonly { readonly id: string; readonly user?: { readonly id: string }; readonly state: string }[];
  readonly nextCursor?: string;
}

/** Of whom data planes are told. */
async function revoked(): Promise<string[]> {
  const { channel, environment } = fixture.plane;
  const [document] = await channel.readDocuments([revocationsId]);
  if (!document) return [];
  const opened = openDocument(snapshotKeysOf([parseKey(environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]), document) as RevocationsDocument;
  return opened.revoked.map(({ subject }) => subject);
}

const audited = async (action: string) => (await fixture.query<{ actor: string; target: string }>(`select actor, target_id as target from audit_events where action = $1 order by sequence desc limit 1`, [action]))[0];
/** What the trail says of connections, the newest first. */
const trail = (limit: number) => fixture.query('select action, target_id as target, target_name as name, workspace, fields from audit_events where action like \'connection.%\' order by sequence desc limit $1', [limit]);
const ended = (reason: string, target: string, name: string, fields = ['/personal']) => ({ action: `connection.${reason}`, target, name, workspace: 'default', fields });
const pending = () => fixture.query('select 1 from pending_revocations');

test('a document of revocations is there from the start', async () => {
  await expect.poll(async () => (await fixture.plane.channel.readDocuments([revocationsId])).length).toBe(1);
});

describe('disconnecting', () => {
  test('by an administrator: gone at once, told to data planes and to the provider, audited', async () => {
    const ana = await fixture.person('ana');
    const { id, accessToken, refreshToken } = await fixture.connect({ person: ana });
    expect((await fixture.plane.send('DELETE', `${base}/${id}`)).status).toBe(204);
    expect(await fixture.query('select from connections where id = $1', [id])).toEqual([]);
    expect((await fixture.ask({ server: fixture.server, subject: { person: ana } })).body).toMatchObject({ status: 'connect_required' });
    await expect.poll(revoked).toContain(id);
    await expect.poll(() => fixture.provider.accepts(accessToken)).toBe(false);
    await expect.poll(pending).toEqual([]);
    expect(await audited('connection.disconnected')).toEqual({ actor: 'admin-token', target: id });
    expect(await trail(1)).toEqual([ended('disconnected', id, 'acme')]);
    expect((await fixture.plane.send('DELETE', `${base}/${id}`)).status).toBe(404);
    expect(JSON.stringify(await fixture.query('select * from audit_events'))).not.toContain(refreshToken);
  });

  test('while the provider is away: it is told later, by one of two replicas, also after a restart', async () => {
    const ana = await fixture.person('ana');
    const { id, accessToken } = await fixture.connect({ person: ana });
    fixture.provider.goAway();
    expect((await fixture.plane.send('DELETE', `${base}/${id}`)).status).toBe(204);
    await expect.poll(async () => (await fixture.query<{ attempts: number }>('select attempts from pending_revocations'))[0]?.attempts).toBe(1);
    expect(await fixture.query('select from connections where id = $1', [id])).toEqual([]);
    fixture.provider.goAway(false);
    const { revocations } = fixture.provider;
    await fixture.query('update pending_revocations set next_attempt_at = now()');
    // They look when they start.
    await Promise.all([fixture.another(), fixture.another()]);
    await expect.poll(pending).toEqual([]);
    expect(await fixture.provider.accepts(accessToken)).toBe(false);
    expect(fixture.provider.revocations - revocations).toBe(1);
  });

  test('who has connected again meanwhile keeps what is new', async () => {
    const ana = await fixture.person('ana');
    const { id } = await fixture.connect({ person: ana });
    fixture.provider.goAway();
    await fixture.plane.send('DELETE', `${base}/${id}`);
    await expect.poll(async () => (await fixture.query<{ attempts: number }>('select attempts from pending_revocations'))[0]?.attempts).toBe(1);
    fixture.provider.goAway(false);
    await fixture.connect({ person: ana });
    const { revocations } = fixture.provider;
    await fixture.query('update pending_revocations set next_attempt_at = now()');
    await fixture.another();
    await expect.poll(pending).toEqual([]);
    expect(fixture.provider.revocations).toBe(revocations);
  });

  test('disabling the person keeps the connection, and data planes forget its token', async () => {
    const ana = await fixture.person('ana');
    const { id, accessToken } = await fixture.connect({ person: ana });
    const disable = (disabled: boolean) => fixture.plane.send('PATCH', `/v1/users/${ana}`, { body: { disabled }, headers: { 'If-Match': '*' } });
    expect((await disable(true)).status).toBe(200);
    await expect.poll(revoked).toEqual([ana]);
    expect(await fixture.query('select id from connections')).toEqual([{ id }]);
    expect((await fixture.ask({ server: fixture.server, subject: { person: ana } })).body).toEqual({ status: 'no_person' });
    expect((await disable(false)).status).toBe(200);
    expect((await fixture.ask({ server: fixture.server, subject: { person: ana } })).body).toMatchObject({ status: 'token', accessToken });
  });

  test('by deleting the person', async () => {
    const ana = await fixture.person('ana');
    const { id, accessToken } = await fixture.connect({ person: ana });
    expect((await fixture.plane.send('DELETE', `/v1/users/${ana}`, { headers: { 'If-Match': '*' } })).status).toBe(204);
    expect(await fixture.query('select from connections where id = $1', [id])).toEqual([]);
    expect((await fixture.ask({ server: fixture.server, subject: { person: ana } })).body).toEqual({ status: 'no_person' });
    await expect.poll(() => fixture.provider.accepts(accessToken)).toBe(false);
    await expect.poll(revoked).toContain(id);
    expect(await trail(1)).toEqual([ended('ended-person-deleted', id, 'acme')]);
    expect((await fixture.plane.send('GET', `/v1/users/${ana}`)).status).toBe(404);
  });

  test('by deleting the server that was discovered, or by pointing it elsewhere', async () => {
    const ana = await fixture.person('ana');
    for (const ending of ['delete', 'move'] as const) {
      const server = await fixture.putServer(`discovered-${ending}`, { discover: true });
      const { id } = await fixture.connect({ person: ana, owner: { kind: 'server', id: server } });
      expect((await fixture.ask({ server, subject: { person: ana } })).body).toMatchObject({ status: 'token', connection: id, owner: server });
      const path = `/v1/workspaces/default/servers/${server}`;
      const reply = ending === 'delete'
        ? await fixture.plane.send('DELETE', path, { headers: { 'If-Match': '*' } })
        : await fixture.plane.send('PATCH', path, { headers: { 'If-Match': '*', 'Content-Type': 'application/merge-patch+json' }, body: { upstream: { url: 'https://elsewhere.example/mcp' } } });
      expect(reply.status, reply.text).toBe(ending === 'delete' ? 204 : 200);
      expect(await fixture.query('select from connections where id = $1', [id])).toEqual([]);
      await expect.poll(revoked).toContain(server);
      expect(await trail(1)).toEqual([ended(ending === 'delete' ? 'ended-server-deleted' : 'ended-server-changed', id, `discovered-${ending}`)]);
    }
  });

  test('by deleting the app: many, in one step, and data planes are told one name', async () => {
    const { authorizationUrl, tokenUrl, revocationUrl, clientId, clientSecret } = fixture.provider;
    const body = { name: 'passing', authorizationUrl, tokenUrl, revocationUrl, clientId, clientSecret, clientAuth: 'basic' };
    const app = (await fixture.plane.send<{ id: string }>('POST', '/v1/workspaces/default/apps', { body })).body.id;
    const made = [];
    for (const name of ['ana', 'ben', 'cid']) made.push(await fixture.connect({ person: await fixture.person(name), owner: { kind: 'app', id: app } }));
    expect((await fixture.plane.send('DELETE', '/v1/workspaces/default/apps/passing', { headers: { 'If-Match': '*' } })).status).toBe(204);
    expect(await fixture.query('select from connections where owner_id = $1', [app])).toEqual([]);
    await expect.poll(revoked).toEqual([app]);
    expect(await trail(4)).toEqual([...made.map(({ id }) => ended('ended-app-deleted', id, 'passing')).reverse(), expect.not.objectContaining({ name: 'passing' })]);
    // The app is gone, and its tokens are given back all the same.
    for (const { accessToken } of made) await expect.poll(() => fixture.provider.accepts(accessToken)).toBe(false);
  });
});

test('an app that becomes another client: each connection that ends is in the trail, personal or shared, and the chain holds', async () => {
  const { authorizationUrl, tokenUrl, revocationUrl, clientId, clientSecret } = fixture.provider;
  const body = { name: 'changing', authorizationUrl, tokenUrl, revocationUrl, clientId, clientSecret, clientAuth: 'basic' };
  const app = (await fixture.plane.send<{ id: string }>('POST', '/v1/workspaces/default/apps', { body })).body.id;
  const owner = { kind: 'app', id: app } as const;
  const [mine, shared] = [await fixture.connect({ person: await fixture.person('ana'), owner }), await fixture.connect({ person: null, owner })];
  const reply = await fixture.plane.send('PATCH', '/v1/workspaces/default/apps/changing', { body: { clientId: 'another' }, headers: { 'If-Match': '*', 'Content-Type': 'application/merge-patch+json' } });
  expect(reply.status, reply.text).toBe(200);
  expect(await trail(2)).toEqual([ended('ended-app-changed', shared.id, 'changing', ['/shared']), ended('ended-app-changed', mine.id, 'changing')]);
  expect((await fixture.query(`select from audit_events e left join audit_events b on b.sequence = e.sequence - 1 where e.prev_hash <> coalesce(b.hash, '')`)).length).toBe(0);
});

describe('lists', () => {
  test('by app, state and person, page by page, and never a token', async () => {
    const [ana, ben] = [await fixture.person('ana'), await fixture.person('ben')];
    const mine = await fixture.connect({ person: ana });
    const theirs = await fixture.connect({ person: ben, withRefreshToken: false, expiresInSeconds: -5 });
    const shared = await fixture.connect({ person: null });
    const list = async (query: string) => (await fixture.plane.send<Listed>('GET', `${base}?${query}`)).body;
    expect((await list('')).items.map(({ id }) => id)).toEqual([mine.id, theirs.id, shared.id]);
    expect((await list('app=acme')).items).toHaveLength(3);
    expect((await list('app=another')).items).toEqual([]);
    expect((await list(`user=${ana}`)).items.map(({ id }) => id)).toEqual([mine.id]);
    expect((await list(`user=ben-${ben}@corp.example`)).items.map(({ id }) => id)).toEqual([theirs.id]);
    // Expired, and nothing to refresh it with.
    expect((await list('state=reconnect_required')).items.map(({ id }) => id)).toEqual([theirs.id]);
    const first = await list('limit=2');
    expect((await list(`limit=2&cursor=${first.nextCursor}`)).items.map(({ id }) => id)).toEqual([shared.id]);
    expect(await fixture.plane.send('GET', `${base}?state=odd`)).toMatchObject({ status: 400, body: { errors: [{ pointer: '/state' }] } });
    const { text } = await fixture.plane.send('GET', `${base}/${mine.id}`);
    for (const { accessToken, refreshToken } of [mine, theirs, shared]) for (const secret of [accessToken, refreshToken]) expect(text).not.toContain(secret);
  });

  test('a link to connect again is made for whose connection it is', async () => {
    const ana = await fixture.person('ana');
    const { id } = await fixture.connect({ person: ana });
    const reply = await fixture.plane.send<{ connectUrl: string }>('POST', `${base}/${id}/reconnect-link`);
    expect([reply.status, new URL(reply.body.connectUrl).pathname]).toEqual([201, '/connect']);
  });

  test('of another workspace there is nothing', async () => {
    await fixture.plane.send('POST', '/v1/workspaces', { body: { name: 'other' } });
    const { id } = await fixture.connect({ person: await fixture.person('ana') });
    const other = '/v1/workspaces/other/connections';
    expect((await fixture.plane.send<Listed>('GET', other)).body.items).toEqual([]);
    for (const [method, path] of [['GET', ''], ['DELETE', ''], ['POST', '/reconnect-link']] as const) expect((await fixture.plane.send(method, `${other}/${id}${path}`)).status).toBe(404);
    expect(await fixture.query('select from connections where id = $1', [id])).toHaveLength(1);
  });

  test('programs have no connections of their own', async () => {
    expect((await fixture.plane.send('GET', '/v1/me/connections')).status).toBe(403);
  });
});

import { randomUUID } from 'node:crypto';
import { tokenAnswer } from '@gatehouse/access-tokens';
import { beforeEach, describe, expect, test } from 'vitest';
import { connectOrigin, dataPlaneToken, hashOf, useConnections } from '../../spec-support/use-connections.ts';
import { useControlPlane } from '../../spec-support/use-control-plane.ts';
import { subjectStatement } from './find-subject.store.ts';

const fixture = useConnections();
const withoutToken = useControlPlane();
beforeEach(async () => {
  fixture.provider.interfere({});
  fixture.provider.goAway(false);
  await fixture.query('delete from connections');
});

const expire = (id: string) => fixture.query(`update connections set expires_at = now() - interval '1 second', next_refresh_at = null, retry_at = null where id = $1`, [id]);

describe('who may ask', () => {
  test.each([[undefined, 401], ['', 401], [`${dataPlaneToken}x`, 401], [dataPlaneToken, 200]])('the token %j: %d', async (token, status) => {
    // `undefined` stands for none at all.
    const reply = await fetch(new URL('/internal/tokens', fixture.plane.internalUrl), {
      method: 'POST', headers: token === undefined ? {} : { Authorization: `Bearer ${token}` }, body: JSON.stringify({ server: fixture.server, subject: 'shared' }),
    });
    expect(reply.status).toBe(status);
  });

  test('without a token of its own the route is off, and says so', async () => {
    expect(await fixture.ask({ server: fixture.server, subject: 'shared' }, { at: withoutToken.plane })).toMatchObject({ status: 503, body: { code: 'token_broker_off' } });
  });

  test.each([
    ['no JSON', '{', 400], ['no server', '{"subject":"shared"}', 400], ['a subject that is none', JSON.stringify({ server: randomUUID(), subject: 'everyone' }), 400], ['too much', 'x'.repeat(20_000), 413],
  ])('%s', async (_name, body, status) => {
    const reply = await fetch(new URL('/internal/tokens', fixture.plane.internalUrl), { method: 'POST', headers: { Authorization: `Bearer ${dataPlaneToken}` }, body });
    expect(reply.status).toBe(status);
  });
});

describe('whose token', () => {
  test('a person’s own, with when it expires', async () => {
    const ana = await fixture.person('ana');
    const { id, accessToken } = await fixture.connect({ person: ana });
    const { status, body } = await fixture.ask({ server: fixture.server, subject: { person: ana } });
    expect([status, tokenAnswer.parse(body)]).toMatchObject([200, { status: 'token', accessToken, connection: id, owner: fixture.app, person: ana, expiresAt: expect.any(Number) as number }]);
  });

  test('never another’s, and never the organisation’s for a person’s', async () => {
    const [ana, ben] = [await fixture.person('ana'), await fixture.person('ben')];
    await fixture.connect({ person: ana });
    await fixture.connect({ person: null });
    expect((await fixture.ask({ server: fixture.server, subject: { person: ben } })).body).toMatchObject({ status: 'connect_required', reason: 'not_connected', app: 'Acme' });
    expect((await fixture.ask({ server: fixture.server, subject: 'shared' })).body).toEqual({ status: 'misconfigured' });
  });

  test('the organisation’s where the server says so, and for no person', async () => {
    const ana = await fixture.person('ana');
    const shared = await fixture.putServer(`shared-${randomUUID().slice(0, 8)}`, { app: 'acme', shared: true });
    const { accessToken } = await fixture.connect({ person: null });
    const { body } = await fixture.ask({ server: shared, subject: 'shared' });
    expect(body).toMatchObject({ status: 'token', accessToken });
    expect(body).not.toHaveProperty('person');
    expect((await fixture.ask({ server: shared, subject: { person: ana } })).body).toEqual({ status: 'misconfigured' });
  });

  test('nobody’s for who is unknown or disabled', async () => {
    const ana = await fixture.person('ana');
    await fixture.connect({ person: ana });
    await fixture.query('update people set disabled = true where id = $1', [ana]);
    for (const subject of [{ person: ana }, { person: randomUUID() }, { issuer: 'https://elsewhere.example', subject: 'ana' }]) {
      expect((await fixture.ask({ server: fixture.server, subject })).body).toEqual({ status: 'no_person' });
    }
  });

  test('none for an upstream that the server does not have any more: a data plane may not have heard of that yet', async () => {
    const ana = await fixture.person('ana');
    const { accessToken } = await fixture.connect({ person: ana });
    const [{ url } = { url: '' }] = await fixture.query<{ url: string }>(`select document->'upstream'->>'url' as url from servers where id = $1`, [fixture.server]);
    const ask = (upstream: string) => fixture.ask({ server: fixture.server, subject: { person: ana }, upstream });
    expect((await ask(url)).body).toMatchObject({ status: 'token', accessToken });
    for (const former of ['https://former.example/mcp', `${url}/`, '']) expect((await ask(former)).body).toEqual({ status: 'outdated' });
  });

  test('none for a server that is not there, wants no connection, or names an app that is not there', async () => {
    const ana = await fixture.person('ana');
    const nameless = await fixture.putServer(`nameless-${randomUUID().slice(0, 8)}`, { app: 'no-such-app' });
    for (const server of [randomUUID(), nameless]) expect((await fixture.ask({ server, subject: { person: ana } })).body).toEqual({ status: 'misconfigured' });
  });

  test('one connection serves every server of its app; one that wants more scopes asks for all of them', async () => {
    const ana = await fixture.person('ana');
    const { accessToken } = await fixture.connect({ person: ana });
    const second = await fixture.putServer(`second-${randomUUID().slice(0, 8)}`, { app: 'acme', scopes: ['read'] });
    const third = await fixture.putServer(`third-${randomUUID().slice(0, 8)}`, { app: 'acme', scopes: ['write'] });
    expect((await fixture.ask({ server: second, subject: { person: ana } })).body).toMatchObject({ accessToken });
    expect((await fixture.ask({ server: third, subject: { person: ana } })).body).toMatchObject({ status: 'connect_required', reason: 'scopes' });
  });
});

test('a link is absolute and of the public control plane, with the id that messages use', async () => {
  const ana = await fixture.person('ana');
  const { body } = await fixture.ask({ server: fixture.server, subject: { person: ana } });
  expect(body).toMatchObject({ status: 'connect_required', connectUrl: expect.stringMatching(new RegExp(`^${connectOrigin}/connect\\?link=[\\w-]+$`)) as string, linkId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
});

describe('tokens that expire', () => {
  test('two control planes, twenty callers each: one refresh, no error, no family revoked', async () => {
    const ana = await fixture.person('ana');
    const { id } = await fixture.connect({ person: ana });
    const second = await fixture.another();
    const { refreshes, revokedFamilies } = fixture.provider;
    for (const expiry of [1, 2]) {
      await expire(id);
      const asked = [fixture.plane, second].flatMap((at) => Array.from({ length: 20 }, () => fixture.ask({ server: fixture.server, subject: { person: ana } }, { at })));
      const tokens = new Set((await Promise.all(asked)).map(({ body }) => (body.status === 'token' ? body.accessToken : body.status)));
      expect(tokens.size).toBe(1);
      expect(await fixture.provider.accepts([...tokens][0] ?? '')).toBe(true);
      expect([fixture.provider.refreshes - refreshes, fixture.provider.revokedFamilies - revokedFamilies]).toEqual([expiry, 0]);
    }
  });

  test('a provider that is down (fault 17): what is left is given, then it is unavailable; nobody is asked to connect again; it recovers', async () => {
    const ana = await fixture.person('ana');
    const { id, accessToken } = await fixture.connect({ person: ana, expiresInSeconds: 20 });
    fixture.provider.goAway();
    const request = { server: fixture.server, subject: { person: ana } };
    expect((await fixture.ask(request)).body).toMatchObject({ status: 'token', accessToken });
    await expect.poll(async () => (await fixture.query<{ failures: number }>('select failures from connections where id = $1', [id]))[0]?.failures).toBe(1);
    expect((await fixture.ask(request)).body).toMatchObject({ status: 'token', accessToken });
    await expire(id);
    for (let call = 0; call < 3; call += 1) expect((await fixture.ask(request)).body).toEqual({ status: 'provider_unavailable' });
    expect((await fixture.query('select state from connections where id = $1', [id]))[0]).toEqual({ state: 'active' });
    fixture.provider.goAway(false);
    await expire(id);
    expect((await fixture.ask(request)).body).toMatchObject({ status: 'token' });
  });

  test('what cannot be refreshed asks to connect again once it has expired', async () => {
    const ana = await fixture.person('ana');
    const { id, accessToken } = await fixture.connect({ person: ana, withRefreshToken: false, expiresInSeconds: 3 });
    const request = { server: fixture.server, subject: { person: ana } };
    expect((await fixture.ask(request)).body).toMatchObject({ accessToken });
    await expire(id);
    expect((await fixture.ask(request)).body).toMatchObject({ status: 'reconnect_required', reason: 'expired' });
  });

  test('a token without an expiry is given as long as nobody refuses it', async () => {
    const ana = await fixture.person('ana');
    const { accessToken } = await fixture.connect({ person: ana, expiresInSeconds: null });
    const { body } = await fixture.ask({ server: fixture.server, subject: { person: ana } });
    expect(body).toMatchObject({ accessToken });
    expect(body).not.toHaveProperty('expiresAt');
  });
});

describe('a token that the upstream refused', () => {
  test('is refreshed, once; another that is refused right after asks to connect again, without another refresh', async () => {
    const ana = await fixture.person('ana');
    const { accessToken } = await fixture.connect({ person: ana });
    const { refreshes } = fixture.provider;
    const ask = (token: string) => fixture.ask({ server: fixture.server, subject: { person: ana }, refused: hashOf(token) });
    const [first, ...others] = await Promise.all(Array.from({ length: 10 }, () => ask(accessToken)));
    expect(new Set(others.map(({ body }) => JSON.stringify('accessToken' in body && body.accessToken))).size).toBe(1);
    expect(fixture.provider.refreshes - refreshes).toBe(1);
    const renewed = first?.body.status === 'token' ? first.body.accessToken : '';
    expect(renewed).not.toBe(accessToken);
    expect((await ask(accessToken)).body).toMatchObject({ status: 'token', accessToken: renewed });
    expect((await ask(renewed)).body).toMatchObject({ status: 'reconnect_required', reason: 'refused' });
    expect(fixture.provider.refreshes - refreshes).toBe(1);
  });

  test('and cannot be refreshed asks to connect again, and stays: another server may take it', async () => {
    const ana = await fixture.person('ana');
    const { accessToken } = await fixture.connect({ person: ana, withRefreshToken: false });
    const request = { server: fixture.server, subject: { person: ana } };
    expect((await fixture.ask({ ...request, refused: hashOf(accessToken) })).body).toMatchObject({ status: 'reconnect_required', reason: 'refused' });
    expect((await fixture.ask(request)).body).toMatchObject({ status: 'token', accessToken });
  });

  test('and was new for the data plane is not refreshed', async () => {
    const ana = await fixture.person('ana');
    const { accessToken } = await fixture.connect({ person: ana });
    const { refreshes } = fixture.provider;
    const request = { server: fixture.server, subject: { person: ana }, refused: hashOf(accessToken), refusedAgain: true };
    expect((await fixture.ask(request)).body).toMatchObject({ status: 'reconnect_required', reason: 'refused' });
    expect(fixture.provider.refreshes).toBe(refreshes);
  });
});

test('its use is noted, and not with every use', async () => {
  const ana = await fixture.person('ana');
  const { id } = await fixture.connect({ person: ana });
  const used = async () => (await fixture.query<{ used: string | null }>('select last_used_at::text as used from connections where id = $1', [id]))[0]?.used;
  const request = { server: fixture.server, subject: { person: ana } };
  await fixture.ask(request);
  await expect.poll(used).not.toBeNull();
  const first = await used();
  await fixture.ask(request);
  await fixture.ask(request);
  expect(await used()).toBe(first);
});

test('of a hundred thousand connections, one is found by indexes', async () => {
  const ana = await fixture.person('ana');
  await fixture.connect({ person: ana });
  await fixture.query(`insert into people (id, provider, issuer, subject, name) select gen_random_uuid(), 'many', 'https://many.example', n::text, 'Someone' from generate_series(1, 100000) n`);
  await fixture.query(
    `insert into connections (id, workspace_id, owner_kind, owner_id, person_id, sealed, key_term, refreshable)
     select gen_random_uuid(), $1, 'app', $2, p.id, '', 1, true from people p where p.provider = 'many'`,
    [fixture.workspace, fixture.app],
  );
  await fixture.query('analyze people; analyze connections; analyze servers; analyze apps');
  for (const subject of [{ person: ana }, { issuer: 'https://many.example', subject: '5000' }, 'shared'] as const) {
    const [text, parameters] = subjectStatement(fixture.server, subject);
    const plan = (await fixture.query<Record<string, string>>(`explain ${text}`, [...parameters])).map((row) => Object.values(row)[0]).join('\n');
    expect(plan).toMatch(/Index Scan using connections_/);
    expect(plan).not.toMatch(/Seq Scan on (connections|people)/);
  }
  await fixture.query(`delete from connections; delete from people where provider = 'many'`);
});

import { beforeEach, describe, expect, test } from 'vitest';
import { logIn, publicOrigin, useLogin } from '../../spec-support/use-login.ts';
import type { ReadableUser } from './user.dto.ts';

const fixture = useLogin();
beforeEach(() => fixture.query('delete from people; delete from oauth_grants'));

async function loggedIn(subject: string): Promise<{ id: string; headers: Record<string, string> }> {
  const browser = fixture.browser();
  await logIn(browser, subject);
  const headers = { Cookie: browser.cookieHeader(new URL(publicOrigin)), 'X-Gatehouse-CSRF': '1' };
  const { body } = await fixture.plane.send<{ id: string }>('GET', '/v1/me', { authorization: undefined, headers });
  return { id: body.id, headers };
}

async function allow(personId: string, clientName: string): Promise<string> {
  const [grant] = await fixture.query<{ id: string }>(
    `insert into oauth_grants (id, person_id, session_id, client_id, client_name, redirect_host, resource)
     values (gen_random_uuid(), $1, gen_random_uuid(), 'client', $2, 'localhost', 'https://gateway.example/mcp/default/orders') returning id`,
    [personId, clientName],
  );
  return grant?.id ?? '';
}

const grantsOf = (id: string) => fixture.query<{ id: string }>('select id from oauth_grants where person_id = $1 order by client_name', [id]);
const list = (query = '') => fixture.plane.send<{ items: ReadableUser[]; nextCursor?: string }>('GET', `/v1/users${query}`);

test('everyone who logged in is listed, page by page, and read by id', async () => {
  const [ana, ben] = [await loggedIn('ana'), await loggedIn('ben')];
  const first = (await list('?limit=1')).body;
  const second = (await list(`?limit=1&cursor=${first.nextCursor}`)).body;
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual([ana.id, ben.id]);
  expect(second.nextCursor).toBeUndefined();
  const read = await fixture.plane.send<ReadableUser>('GET', `/v1/users/${ana.id}`);
  expect(read.body).toMatchObject({ kind: 'User', provider: 'corp', subject: 'ana', email: 'ana@corp.example', roles: ['member', 'admin'], assignedRoles: [], disabled: false, suspended: false, hasPassword: false });
  for (const id of ['nobody', crypto.randomUUID(), '%00']) expect((await fixture.plane.send('GET', `/v1/users/${id}`)).status).toBe(404);
});

test('a role that an administrator gives stays through logins, and is given with If-Match', async () => {
  const { id, headers } = await loggedIn('ben');
  const read = await fixture.plane.send<ReadableUser>('GET', `/v1/users/${id}`);
  const etag = read.headers.get('etag') ?? '';
  expect((await fixture.plane.send('PATCH', `/v1/users/${id}`, { body: { assignedRoles: ['editor'] } })).status).toBe(428);
  const patched = await fixture.plane.send<ReadableUser>('PATCH', `/v1/users/${id}`, { body: { assignedRoles: ['editor'] }, headers: { 'If-Match': etag } });
  expect(patched.body).toMatchObject({ roles: ['member', 'editor'], assignedRoles: ['editor'], revision: 2 });
  expect((await fixture.plane.send('PATCH', `/v1/users/${id}`, { body: { assignedRoles: [] }, headers: { 'If-Match': etag } })).status).toBe(412);
  await loggedIn('ben');
  // The session that there was has the role too.
  expect((await fixture.plane.send('GET', '/v1/me', { authorization: undefined, headers })).body).toMatchObject({ role: 'editor' });
  // Logins change nothing about the version: an administrator’s change is about what an administrator decides.
  expect((await fixture.plane.send('GET', `/v1/users/${id}`)).headers.get('etag')).toBe(patched.headers.get('etag'));
  const { body } = await fixture.plane.send<{ items: { action: string; fields: string[] }[] }>('GET', '/v1/audit-events');
  expect(body.items.find(({ action }) => action === 'person.changed')?.fields).toEqual(['/assignedRoles']);
});

test.each([
  [{ assignedRoles: ['owner'] }, '/assignedRoles/0'],
  [{ assignedRoles: ['member'] }, '/assignedRoles/0'],
  [{ disabled: 'yes' }, '/disabled'],
  [{ roles: ['admin'] }, '/roles'],
  [{ email: 'x@y.example' }, '/email'],
])('%j is refused at %s', async (body, pointer) => {
  const { id } = await loggedIn('ben');
  expect((await fixture.plane.send('PATCH', `/v1/users/${id}`, { body, headers: { 'If-Match': '*' } })).body).toMatchObject({ status: 422, errors: [{ pointer }] });
});

test('someone without a right to it changes nothing about themselves', async () => {
  const { id, headers } = await loggedIn('ben');
  const reply = await fixture.plane.send('PATCH', `/v1/users/${id}`, { authorization: undefined, body: { assignedRoles: ['admin'] }, headers: { ...headers, 'If-Match': '*' } });
  expect(reply.body).toMatchObject({ status: 403, code: 'forbidden' });
});

describe('what people allowed agents', () => {
  test('is theirs to see and to take back', async () => {
    const [ana, ben] = [await loggedIn('ana'), await loggedIn('ben')];
    const [first, second, foreign] = [await allow(ana.id, 'Cursor'), await allow(ana.id, 'Inspector'), await allow(ben.id, 'Cursor')];
    const as = (headers: Record<string, string>, method: string, path: string) => fixture.plane.send<{ items: { id: string }[] }>(method, path, { authorization: undefined, headers });
    const seen = (await as(ana.headers, 'GET', '/v1/me/grants')).body.items;
    expect(seen.map(({ id }) => id).toSorted()).toEqual([first, second].toSorted());
    expect(seen[0]).toMatchObject({ clientId: 'client', redirectHost: 'localhost', resource: 'https://gateway.example/mcp/default/orders' });
    expect((await as(ana.headers, 'DELETE', `/v1/me/grants/${foreign}`)).status).toBe(404);
    expect((await as(ana.headers, 'DELETE', `/v1/me/grants/${first}`)).status).toBe(204);
    expect(await grantsOf(ana.id)).toEqual([{ id: second }]);
    expect((await as(ana.headers, 'DELETE', '/v1/me/grants')).status).toBe(204);
    expect([await grantsOf(ana.id), await grantsOf(ben.id)]).toEqual([[], [{ id: foreign }]]);
  });

  test('is an administrator’s to see and to take back', async () => {
    const ben = await loggedIn('ben');
    const grant = await allow(ben.id, 'Cursor');
    expect((await fixture.plane.send<{ items: object[] }>('GET', `/v1/users/${ben.id}/grants`)).body.items).toMatchObject([{ id: grant }]);
    expect((await fixture.plane.send('DELETE', `/v1/users/${ben.id}/grants/${grant}`)).status).toBe(204);
    expect((await fixture.plane.send('DELETE', `/v1/users/${ben.id}/grants/${grant}`)).status).toBe(404);
    expect(await grantsOf(ben.id)).toEqual([]);
  });

  test.each([
    ['disabled', 'PATCH', '', { disabled: true }],
    ['logged out by an administrator', 'DELETE', '/sessions', undefined],
  ])('is over for who is %s', async (_how, method, path, body) => {
    const ben = await loggedIn('ben');
    const ana = await loggedIn('ana');
    await allow(ben.id, 'Cursor');
    const kept = await allow(ana.id, 'Cursor');
    const reply = await fixture.plane.send(method, `/v1/users/${ben.id}${path}`, { body, headers: { 'If-Match': '*' } });
    expect(reply.status).toBeLessThan(300);
    expect([await grantsOf(ben.id), await grantsOf(ana.id)]).toEqual([[], [{ id: kept }]]);
    expect((await fixture.plane.send('GET', '/v1/me', { authorization: undefined, headers: ben.headers })).status).toBe(401);
  });
});

test('who is disabled is disabled with everything, or not at all', async () => {
  const ben = await loggedIn('ben');
  const grant = await allow(ben.id, 'Cursor');
  // Where revoking fails, as it does when the process dies at it.
  await fixture.query(`alter table oauth_revocations add constraint never check (until is null) not valid`);
  const reply = await fixture.plane.send('PATCH', `/v1/users/${ben.id}`, { body: { disabled: true }, headers: { 'If-Match': '*' } });
  await fixture.query('alter table oauth_revocations drop constraint never');
  expect(reply.status).toBe(500);
  expect((await fixture.plane.send('GET', `/v1/users/${ben.id}`)).body).toMatchObject({ disabled: false });
  expect(await grantsOf(ben.id)).toEqual([{ id: grant }]);
  expect((await fixture.plane.send('GET', '/v1/me', { authorization: undefined, headers: ben.headers })).status).toBe(200);
});

test('an administrator ends one session of someone, and the trail says so', async () => {
  const [first, second] = [await loggedIn('ben'), await loggedIn('ben')];
  const me = await fixture.plane.send<{ sessionId: string }>('GET', '/v1/me', { authorization: undefined, headers: first.headers });
  const [ana] = [await loggedIn('ana')];
  expect((await fixture.plane.send('DELETE', `/v1/users/${ana.id}/sessions/${me.body.sessionId}`)).status).toBe(404);
  expect((await fixture.plane.send('DELETE', `/v1/users/${first.id}/sessions/nonsense`)).status).toBe(404);
  expect((await fixture.plane.send('DELETE', `/v1/users/${first.id}/sessions/${me.body.sessionId}`)).status).toBe(204);
  expect((await fixture.plane.send('GET', '/v1/me', { authorization: undefined, headers: first.headers })).status).toBe(401);
  expect((await fixture.plane.send('GET', '/v1/me', { authorization: undefined, headers: second.headers })).status).toBe(200);
  const { body } = await fixture.plane.send<{ items: object[] }>('GET', '/v1/audit-events?limit=1');
  expect(body.items).toMatchObject([{ action: 'person.session-ended', actor: 'admin-token', targetId: first.id }]);
});

test('groups and name are those of the last login', async () => {
  const { id } = await loggedIn('ben');
  fixture.provider.put({ subject: 'ben', email: 'benjamin@corp.example', emailVerified: true, name: 'Benjamin', groups: ['platform'] });
  await loggedIn('ben');
  expect((await fixture.plane.send('GET', `/v1/users/${id}`)).body).toMatchObject({ id, name: 'Benjamin', email: 'benjamin@corp.example', groups: ['platform'], roles: ['member', 'admin'] });
});

test('an address that was somebody else’s makes nobody somebody else', async () => {
  const ben = await loggedIn('ben');
  fixture.provider.put({ subject: 'carl', email: 'benjamin@corp.example', emailVerified: true, name: 'Carl' });
  expect((await loggedIn('carl')).id).not.toBe(ben.id);
});

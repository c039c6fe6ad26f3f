import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { type ProtectedMcpServer, startProtectedMcpServer } from '../../../../../test/support/protected-mcp-server.ts';
import type { TestBrowser } from '../../../../../test/support/test-browser.ts';
import { startTestControlPlane } from '../../spec-support/start-test-control-plane.ts';
import { connectAs, pressConnect, useConnecting } from '../../spec-support/use-connecting.ts';

const dataPlaneToken = 'data-plane-token-0123456789abcdefghij';
const fixture = useConnecting({ GATEHOUSE_DATA_PLANE_TOKEN: dataPlaneToken });
let upstream: ProtectedMcpServer;
let ana: TestBrowser;
let anaId = '';
let server = '';

const discovering = { type: 'oauth-authorization-code', discover: true };

beforeAll(async () => {
  upstream = await startProtectedMcpServer();
  server = await fixture.addServer('protected', { title: 'Protected', upstream: { url: upstream.url }, appAuth: discovering });
  ana = await fixture.browserOf('ana');
  anaId = await fixture.personId('ana');
});

afterAll(() => upstream?.close());

const forServer = (id = server, scopes: readonly string[] = []) => fixture.link({ ownerKind: 'server', ownerId: id, serverId: id, personId: anaId, scopes });

async function ask(request: object = {}, id = server): Promise<Record<string, unknown>> {
  const response = await fetch(new URL('/internal/tokens', fixture.plane.internalUrl), {
    method: 'POST', headers: { Authorization: `Bearer ${dataPlaneToken}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ server: id, subject: { person: anaId }, ...request }),
  });
  return (await response.json()) as Record<string, unknown>;
}

/** Who the upstream takes the token for. */
async function whoami(token: unknown): Promise<unknown> {
  const client = new Client({ name: 'spec', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(upstream.url), { requestInit: { headers: { Authorization: `Bearer ${String(token)}` } } }));
  try {
    return (await client.callTool({ name: 'whoami', arguments: {} })).content;
  } finally {
    await client.close();
  }
}

const registrations = () => fixture.query<{ id: string; issuer: string; client_id: string; kind: string; sealed: Buffer | null }>('select * from client_registrations order by issuer');

test('connects with nothing but its URL: whom it asks, what it asks for, and whose the token is', async () => {
  expect(await ask()).toMatchObject({ status: 'connect_required', app: 'Protected' });
  const link = String((await ask())['connectUrl']);
  const question = await ana.open(link);
  expect(question.text).toMatch(/Protected[^]*127\.0\.0\.1[^]*read[^]*write/);
  const page = await ana.submit(question);
  const request = new URL(ana.visited.findLast((url) => url.startsWith(`${upstream.origin}/authorize`)) ?? '');
  const [registration] = await registrations();
  expect(Object.fromEntries(request.searchParams)).toMatchObject({
    resource: upstream.url, code_challenge_method: 'S256', scope: 'read write', client_id: registration?.client_id,
    redirect_uri: `https://gatehouse.example/connect/callback/${registration?.id}`,
  });
  const done = await ana.submit(page, { login: 'ana-upstream' });
  expect([done.status, done.text]).toEqual([200, expect.stringContaining('return to your chat')]);
  const answer = await ask();
  expect(answer).toMatchObject({ status: 'token', owner: server, person: anaId });
  expect(await whoami(answer['accessToken'])).toEqual([{ type: 'text', text: 'ana-upstream' }]);
});

test('one registration for each issuer, its secret sealed; two servers there have their own connections', async () => {
  const second = await fixture.addServer('protected-too', { upstream: { url: upstream.url }, appAuth: discovering });
  await connectAs(ana, await forServer(second), 'ana-upstream-too');
  const found = await registrations();
  expect([found.length, (await upstream.count()).clients, found[0]?.kind, found[0]?.issuer]).toEqual([1, 1, 'registration', `${upstream.origin}/`]);
  expect(found[0]?.sealed).toBeInstanceOf(Buffer);
  expect([await whoami((await ask({}, second))['accessToken']), await whoami((await ask())['accessToken'])]).toEqual([
    [{ type: 'text', text: 'ana-upstream-too' }], [{ type: 'text', text: 'ana-upstream' }],
  ]);
});

test('a token that the upstream refuses is refreshed, with the resource', async () => {
  const before = String((await ask())['accessToken']);
  await fixture.query(`update connections set refreshed_at = now() - interval '1 hour'`);
  await upstream.forgetAccessTokens();
  const after = await ask({ refused: createHash('sha256').update(before).digest('base64url') });
  expect(after['status']).toBe('token');
  expect(await whoami(after['accessToken'])).toEqual([{ type: 'text', text: 'ana-upstream' }]);
});

test('a server that has forgotten us: whoever is connected connects again, and is registered anew on the way', async () => {
  const before = String((await ask())['accessToken']);
  const [former] = await registrations();
  await upstream.forget();
  await fixture.query(`update connections set refreshed_at = now() - interval '1 hour'`);
  await fixture.query(`update client_registrations set checked_at = now() - interval '1 hour'`);
  expect(await ask({ refused: createHash('sha256').update(before).digest('base64url') })).toMatchObject({ status: 'reconnect_required' });
  const done = await connectAs(ana, await forServer(), 'ana-again');
  expect(done.text).toContain('return to your chat');
  const [now] = await registrations();
  expect([now?.id, now?.client_id === former?.client_id]).toEqual([former?.id, false]);
  expect(await whoami((await ask())['accessToken'])).toEqual([{ type: 'text', text: 'ana-again' }]);
});

test('forgotten without anybody having noticed: found out before a person is sent there', async () => {
  await upstream.forget();
  await fixture.query(`update client_registrations set checked_at = now() - interval '1 hour'`);
  expect((await connectAs(ana, await forServer(), 'ana-once-more')).text).toContain('return to your chat');
});

test('the control plane has another URL than when it registered: it does so again', async () => {
  const [former] = await registrations();
  await fixture.query(`update client_registrations set redirect_uri = 'https://former.example/connect/callback/' || id`);
  expect((await connectAs(ana, await forServer(), 'ana-at-the-new-url')).text).toContain('return to your chat');
  expect((await registrations())[0]?.client_id).not.toBe(former?.client_id);
});

test('who connected before we registered again, or is about to, is refreshed as the client of then', async () => {
  const ben = await fixture.browserOf('ben');
  const benId = await fixture.personId('ben');
  const link = () => fixture.link({ ownerKind: 'server', ownerId: server, serverId: server, personId: benId, scopes: [] });
  const registerAgain = async () => {
    await fixture.query(`update client_registrations set redirect_uri = 'https://former.example/connect/callback/' || id`);
    expect((await connectAs(ana, await forServer(), 'ana-registered')).text).toContain('return to your chat');
  };
  const refreshed = async () => {
    const before = String((await ask({ subject: { person: benId } }))['accessToken']);
    await fixture.query(`update connections set refreshed_at = now() - interval '1 hour'`);
    const after = await ask({ subject: { person: benId }, refused: createHash('sha256').update(before).digest('base64url') });
    expect(after['accessToken']).not.toBe(before);
    return whoami(after['accessToken']);
  };
  await connectAs(ben, await link(), 'ben-upstream');
  // As an earlier release leaves it.
  await fixture.query('update connections set client_id = null');
  await registerAgain();
  expect(await refreshed()).toEqual([{ type: 'text', text: 'ben-upstream' }]);
  const page = await pressConnect(ben, await link());
  await registerAgain();
  expect((await ben.submit(page, { login: 'ben-later' })).text).toContain('return to your chat');
  expect(await refreshed()).toEqual([{ type: 'text', text: 'ben-later' }]);
  // His tokens are given back by their own client too.
  const { accessToken, connection } = await ask({ subject: { person: benId } });
  expect((await fixture.plane.send('DELETE', `/v1/workspaces/default/connections/${String(connection)}`)).status).toBe(204);
  await expect.poll(() => whoami(accessToken).catch(() => 'refused')).toBe('refused');
});

test('clients that no connection needs are forgotten after a day', async () => {
  const look = async () => (await startTestControlPlane({ environment: fixture.plane.environment })).close();
  const clients = async () => [(await registrations()).length, (await fixture.query<{ id: string }>('select client_id as id from former_clients order by 1')).map(({ id }) => id)];
  const needed = (await fixture.query<{ id: string }>('select distinct c.client_id as id from connections c join former_clients f on f.client_id = c.client_id order by 1')).map(({ id }) => id);
  expect(needed).toHaveLength(1);
  await fixture.query(`insert into client_registrations (id, workspace_id, issuer, server, is_near) select gen_random_uuid(), workspace_id, 'https://unused.example', '{}', true from client_registrations limit 1`);
  await fixture.query(`insert into former_clients (id, workspace_id, registration_id, client_id, client_auth) select gen_random_uuid(), workspace_id, id, 'unused', 'none' from client_registrations where client_id is not null`);
  await look();
  expect(await clients()).toEqual([2, expect.arrayContaining([...needed, 'unused'])]);
  await fixture.query(`update client_registrations set updated_at = now() - interval '2 days', checked_at = null; update former_clients set created_at = now() - interval '2 days'`);
  await look();
  await expect.poll(clients).toEqual([1, needed]);
  expect((await ask())['status']).toBe('token');
});

test('more scopes: asked for together with those there are', async () => {
  await pressConnect(ana, await forServer(server, ['admin']));
  const request = new URL(ana.visited.findLast((url) => url.startsWith(`${upstream.origin}/authorize`)) ?? '');
  expect(request.searchParams.get('scope')?.split(' ').sort()).toEqual(['admin', 'read', 'write']);
});

test('what an upstream wants more: asked for once, with what there is; then it is the upstream’s word', async () => {
  const answer = await ask({ missing: ['admin', 'read'] });
  expect(answer).toMatchObject({ status: 'connect_required', reason: 'scopes' });
  expect((await ask())['status']).toBe('token');
  const before = ana.visited.length;
  expect((await connectAs(ana, String(answer['connectUrl']), 'ana-more')).text).toContain('return to your chat');
  const request = new URL(ana.visited.slice(before).find((url) => url.startsWith(`${upstream.origin}/authorize`)) ?? '');
  expect(request.searchParams.get('scope')?.split(' ').sort()).toEqual(['admin', 'read', 'write']);
  expect((await ask({ missing: ['admin', 'read'] }))['status']).toBe('token');
});

test('who does not agree', async () => {
  const page = await connectAs(ana, await forServer(), 'nobody');
  expect([page.status, page.text]).toEqual([403, expect.stringContaining('denied')]);
});

test('people who authorize at another authorization server than before: what the former gave ends, everyone’s', async () => {
  const ben = await fixture.browserOf('ben');
  const benId = await fixture.personId('ben');
  await connectAs(ben, await fixture.link({ ownerKind: 'server', ownerId: server, serverId: server, personId: benId, scopes: [] }), 'ben-upstream');
  expect(await ask({ subject: { person: benId } })).toMatchObject({ status: 'token' });
  await fixture.query(`insert into client_registrations (id, workspace_id, issuer, server, is_near, kind, client_id, client_auth)
    select gen_random_uuid(), workspace_id, 'https://former.example', server || '{"issuer":"https://former.example"}', true, 'registration', 'former', 'none' from client_registrations limit 1`);
  await fixture.query(`update discovered_servers set registration_id = (select id from client_registrations where client_id = 'former') where server_id = $1`, [server]);
  await connectAs(ana, await forServer(), 'ana-there');
  expect([(await ask())['status'], (await ask({ subject: { person: benId } }))['status']]).toEqual(['token', 'connect_required']);
});

test('disconnecting gives the token back', async () => {
  const { accessToken, connection } = await ask();
  expect((await fixture.plane.send('DELETE', `/v1/workspaces/default/connections/${String(connection)}`)).status).toBe(204);
  await expect.poll(() => whoami(accessToken).catch(() => 'refused')).toBe('refused');
  expect(await ask()).toMatchObject({ status: 'connect_required' });
});

test('another upstream URL: the tokens are given back too', async () => {
  const id = await fixture.addServer('moved', { upstream: { url: upstream.url }, appAuth: discovering });
  await connectAs(ana, await forServer(id), 'ana-moved');
  const { accessToken } = await ask({}, id);
  expect(await whoami(accessToken)).toEqual([{ type: 'text', text: 'ana-moved' }]);
  const reply = await fixture.plane.send('PATCH', '/v1/workspaces/default/servers/moved', { body: { upstream: { url: 'https://elsewhere.example/mcp' } }, headers: { 'If-Match': '*', 'Content-Type': 'application/merge-patch+json' } });
  expect(reply.status).toBe(200);
  await expect.poll(() => whoami(accessToken).catch(() => 'refused')).toBe('refused');
});

test('one that registers nobody: what an administrator has to enter', async () => {
  const closed = await startProtectedMcpServer({ registers: false });
  try {
    const id = await fixture.addServer('closed-one', { title: 'Closed', upstream: { url: closed.url }, appAuth: discovering });
    const link = await forServer(id);
    const page = await pressConnect(ana, link);
    expect([page.status, page.text]).toEqual([502, expect.stringMatching(/cannot_register/)]);
    expect(page.text).toContain(`${closed.origin}/token`);
    expect(page.text).toContain('https://gatehouse.example/connect/callback/default/&lt;name of the app&gt;');
    // Nothing was used up.
    expect((await ana.open(link)).status).toBe(200);
  } finally {
    await closed.close();
  }
});

test('an upstream that is away uses up no link', async () => {
  const away = await startProtectedMcpServer();
  const id = await fixture.addServer('away-one', { upstream: { url: away.url }, appAuth: discovering });
  await away.close();
  const link = await forServer(id);
  for (let looks = 0; looks < 2; looks += 1) {
    const page = await ana.open(link);
    expect([page.status, page.headers.get('retry-after'), page.text]).toEqual([503, '60', expect.stringContaining('provider_unavailable')]);
  }
});

test('a server that is none to be discovered any more', async () => {
  const link = await forServer();
  await fixture.plane.send('PATCH', '/v1/workspaces/default/servers/protected', { body: { appAuth: { type: 'none' } }, headers: { 'If-Match': '*' } });
  const page = await ana.open(link);
  expect([page.status, page.text]).toEqual([410, expect.stringContaining('owner_gone')]);
});

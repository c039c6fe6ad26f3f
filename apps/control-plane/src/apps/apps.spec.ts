import type { ReadableApp } from '@gatehouse/gateway-config';
import { beforeEach, describe, expect, test } from 'vitest';
import { sampleServer } from '../spec-support/sample-server.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane({ GATEHOUSE_CONTROL_PLANE_URL: 'https://gatehouse.example', GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback' });
const path = '/v1/workspaces/default/apps';

beforeEach(async () => void (await fixture.query('delete from connections; delete from apps; delete from servers; delete from secrets')));

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[];
}

const own = { authorizationUrl: 'https://id.example/authorize', tokenUrl: 'https://id.example/token' };
const sample = (overrides: Readonly<Record<string, unknown>> = {}) => ({ name: 'github', provider: 'github', clientId: 'id-of-client', clientSecret: 'canary-of-client', ...overrides });
const create = <Body = ReadableApp>(body: unknown = sample()) => fixture.plane.send<Body>('POST', path, { body });
const change = <Body = ReadableApp>(method: string, body: unknown, ifMatch = '*') => fixture.plane.send<Body>(method, `${path}/github`, { body, headers: { 'If-Match': ifMatch } });
/** A server that refers to an app, as a store has it: what this spec needs of it is the reference. */
async function putServer(name: string, app: string): Promise<void> {
  await fixture.plane.send('POST', '/v1/workspaces/default/servers', { body: sampleServer(name) });
  await fixture.query(`update servers set document = jsonb_set(document, '{appAuth}', $2::jsonb) where name = $1`, [name, JSON.stringify({ type: 'oauth-authorization-code', app })]);
}

test('an app is registered, read, replaced, changed and deleted', async () => {
  const created = await create(sample({ title: 'GitHub of Corp', scopes: ['repo'] }));
  expect([created.status, created.headers.get('location')]).toEqual([201, `${path}/${created.body.id}`]);
  expect(created.body).toMatchObject({
    kind: 'App', workspace: 'default', name: 'github', provider: 'github', clientSecret: { set: true }, revision: 1, warnings: [],
    redirectUri: 'https://gatehouse.example/connect/callback/default/github',
  });
  const read = await fixture.plane.send<ReadableApp>('GET', `${path}/github`);
  expect(read.headers.get('etag')).toBe(created.headers.get('etag'));
  expect([read.body, (await fixture.plane.send('GET', created.headers.get('location') ?? '')).body]).toEqual([created.body, created.body]);

  const replaced = await change('PUT', sample({ clientId: 'another', clientSecret: undefined }));
  expect(replaced.body).toMatchObject({ clientId: 'another', revision: 2, clientSecret: { set: true } });
  expect(replaced.body.title).toBeUndefined();
  const patched = await change('PATCH', { scopes: ['repo', 'read:org'], extraParameters: { allow_signup: 'false' } });
  expect(patched.body).toMatchObject({ scopes: ['repo', 'read:org'], extraParameters: { allow_signup: 'false' }, revision: 3 });
  expect((await fixture.plane.send<{ items: unknown[] }>('GET', path)).body.items).toEqual([patched.body]);
  expect((await fixture.plane.send('DELETE', `${path}/github`, { headers: { 'If-Match': '*' } })).status).toBe(204);
  expect((await fixture.plane.send('GET', `${path}/github`)).status).toBe(404);
  expect(await fixture.query('select from secrets')).toEqual([]);
  const { body } = await fixture.plane.send<{ items: { action: string; workspace: string; fields: string[] }[] }>('GET', '/v1/audit-events');
  expect(body.items.slice(0, 4).map(({ action, workspace, fields }) => [action, workspace, fields])).toEqual([
    ['app.deleted', 'default', []],
    ['app.changed', 'default', ['/extraParameters', '/scopes']],
    ['app.changed', 'default', ['/clientId', '/scopes', '/title']],
    ['app.created', 'default', ['/clientId', '/clientSecret', '/name', '/provider', '/scopes', '/title']],
  ]);
});

test('what changes nothing is no change', async () => {
  const { body } = await create();
  expect((await change('PUT', body)).body).toEqual(body);
});

test('changes need the ETag of what they change', async () => {
  const { headers } = await create();
  const etag = headers.get('etag') ?? '';
  expect((await fixture.plane.send('PATCH', `${path}/github`, { body: { title: 'x' } })).status).toBe(428);
  expect((await change('PATCH', { title: 'first' }, etag)).status).toBe(200);
  expect((await change('PATCH', { title: 'second' }, etag)).status).toBe(412);
  expect((await fixture.plane.send('DELETE', `${path}/github`, { headers: { 'If-Match': etag } })).status).toBe(412);
});

test('the same request twice is done once', async () => {
  const send = () => fixture.plane.send<ReadableApp>('POST', path, { body: sample(), headers: { 'Idempotency-Key': 'one-app' } });
  const [first, second] = [await send(), await send()];
  expect([first.status, second.status, second.body]).toEqual([201, 201, first.body]);
});

test('P15 of the secret only that it is set is ever read', async () => {
  const texts = [(await create()).text, (await fixture.plane.send('GET', `${path}/github`)).text, (await change('PATCH', { clientSecret: 'canary-of-another' })).text, (await fixture.plane.send('GET', path)).text];
  for (const text of texts) expect(text).not.toContain('canary');
  expect(JSON.stringify(await fixture.query(`select document::text, encode(sealed, 'escape') from apps, secrets`))).not.toContain('canary');
});

test('a secret is cleared by null, where the client needs none', async () => {
  await create(sample({ provider: undefined, ...own, clientAuth: 'post' }));
  expect((await change<Problem>('PATCH', { clientSecret: null })).body.errors).toMatchObject([{ pointer: '/clientSecret', code: 'required' }]);
  const { body } = await change('PATCH', { clientSecret: null, clientAuth: 'none' });
  expect(body).toMatchObject({ clientAuth: 'none', revision: 2 });
  expect(body.clientSecret).toBeUndefined();
  expect(await fixture.query('select from secrets')).toEqual([]);
});

test('lists are read page by page', async () => {
  for (const name of ['a', 'b', 'c']) await create(sample({ name }));
  const first = await fixture.plane.send<{ items: { name: string }[]; nextCursor: string }>('GET', `${path}?limit=2`);
  const second = await fixture.plane.send<{ items: { name: string }[] }>('GET', `${path}?limit=2&cursor=${first.body.nextCursor}`);
  expect([first, second].map(({ body }) => body.items.map(({ name }) => name))).toEqual([['a', 'b'], ['c']]);
});

test('another workspace’s app is not there', async () => {
  const { body } = await create();
  await fixture.plane.send('POST', '/v1/workspaces', { body: { name: 'other' } });
  for (const reference of ['github', body.id]) {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const sent = method === 'PUT' ? sample() : method === 'PATCH' ? {} : undefined;
      expect([method, (await fixture.plane.send(method, `/v1/workspaces/other/apps/${reference}`, { body: sent, headers: { 'If-Match': '*' } })).status]).toEqual([method, 404]);
    }
  }
  expect((await fixture.plane.send('DELETE', '/v1/workspaces/other')).status).toBe(204);
});

test('a workspace with an app is not empty', async () => {
  await fixture.plane.send('POST', '/v1/workspaces', { body: { name: 'with-app' } });
  await fixture.plane.send('POST', '/v1/workspaces/with-app/apps', { body: sample() });
  expect((await fixture.plane.send('DELETE', '/v1/workspaces/with-app')).body).toMatchObject({ status: 409, errors: [{ code: 'workspace_not_empty' }] });
});

test('what servers refer to is neither deleted nor renamed', async () => {
  await create();
  await create(sample({ name: 'unused' }));
  for (const name of ['issues', 'code']) await putServer(name, 'github');
  const inUse = { status: 409, code: 'conflict', errors: [{ code: 'app_in_use', detail: 'is used by code, issues' }] };
  expect((await fixture.plane.send<Problem>('DELETE', `${path}/github`, { headers: { 'If-Match': '*' } })).body).toMatchObject(inUse);
  expect((await change<Problem>('PATCH', { name: 'renamed' })).body).toMatchObject({ ...inUse, errors: [{ pointer: '/name', code: 'app_in_use' }] });
  expect((await change('PATCH', { title: 'Renamed' })).status).toBe(200);
  expect((await fixture.plane.send('DELETE', `${path}/unused`, { headers: { 'If-Match': '*' } })).status).toBe(204);
  await fixture.query('delete from servers');
  expect((await fixture.plane.send('DELETE', `${path}/github`, { headers: { 'If-Match': '*' } })).status).toBe(204);
});

describe('connections end with the client that they are of', () => {
  const connect = async (id: string) =>
    fixture.query(
      `insert into connections (id, workspace_id, owner_kind, owner_id, sealed, key_term, refreshable)
       select gen_random_uuid(), workspace_id, 'app', id, '', 1, true from apps where id = $1`,
      [id],
    );
  const connections = async () => (await fixture.query('select from connections')).length;
  const revoked = async (id: string) => (await fixture.query('select from token_revocations where subject = $1', [id])).length;

  test('when it is deleted, and data planes forget the tokens', async () => {
    const { body } = await create(sample({ provider: 'figma' }));
    await connect(body.id);
    expect((await fixture.plane.send('DELETE', `${path}/github`, { headers: { 'If-Match': '*' } })).status).toBe(204);
    expect([await connections(), await revoked(body.id)]).toEqual([0, 1]);
  });

  test.each([
    ['another client', { clientId: 'another' }],
    ['another token URL', { tokenUrl: own.tokenUrl }],
    ['another revocation URL', { revocationUrl: 'https://id.example/revoke' }],
    ['another provider', { provider: 'clickup' }],
  ])('when it becomes %s', async (_what, patch) => {
    const { body } = await create(sample({ provider: 'figma' }));
    await connect(body.id);
    expect((await change('PATCH', { ...patch, clientSecret: 'canary-of-another' })).body.warnings.map(({ code }) => code)).toContain('connections_ended');
    expect([await connections(), await revoked(body.id)]).toEqual([0, 1]);
  });

  test('and not when something else changes of one that needs no secret', async () => {
    const { body } = await create(sample({ provider: undefined, ...own, clientSecret: undefined, clientAuth: 'none' }));
    await connect(body.id);
    expect((await change('PATCH', { title: 'x' })).body.warnings).toEqual([]);
    expect(await connections()).toBe(1);
  });

  test('and not when something else changes, or nothing does because it is refused', async () => {
    const { body } = await create(sample({ provider: 'figma' }));
    await connect(body.id);
    await change('PATCH', { title: 'x', scopes: ['file_content:read'], clientSecret: 'canary-rotated', pkce: true, extraParameters: { prompt: 'consent' } });
    await putServer('design', 'github');
    expect((await fixture.plane.send('DELETE', `${path}/github`, { headers: { 'If-Match': '*' } })).status).toBe(409);
    expect([await connections(), await revoked(body.id)]).toEqual([1, 0]);
  });
});

describe('bad documents are refused whole, with every problem', () => {
  const loose = (overrides: Record<string, unknown>) => sample({ provider: undefined, ...own, ...overrides });
  test.each<[string, Record<string, unknown>, [string, string][]]>([
    ['nothing', {}, [['/clientId', 'required'], ['/name', 'required']]],
    ['neither a provider nor URLs', sample({ provider: undefined }), [['/authorizationUrl', 'required'], ['/tokenUrl', 'required']]],
    ['one URL of two', sample({ provider: undefined, tokenUrl: own.tokenUrl }), [['/authorizationUrl', 'required']]],
    ['a provider that nobody knows', sample({ provider: 'nonsense' }), [['/provider', 'unknown_provider']]],
    ['a provider that every object has', sample({ provider: 'constructor' }), [['/provider', 'unknown_provider']]],
    ['a variable that is missing', sample({ provider: 'okta' }), [['/variables/domain', 'required']]],
    ['a variable that nobody knows', sample({ variables: { domain: 'x.example' } }), [['/variables/domain', 'unrecognized_keys']]],
    ['a variable that would lead elsewhere', sample({ provider: 'okta', variables: { domain: 'evil.example/?x=.okta.com' } }), [['/variables/domain', 'invalid_value']]],
    ['variables of no provider', loose({ variables: { domain: 'x' } }), [['/variables', 'invalid_value']]],
    ['unknown fields', sample({ nonsense: 1 }), [['/nonsense', 'unrecognized_keys']]],
    ['a URL that is none', loose({ tokenUrl: 'id.example/token' }), [['/tokenUrl', 'invalid_value']]],
    ['plain http', loose({ authorizationUrl: 'http://192.0.2.1/authorize', tokenUrl: 'http://1.1.1.1/token' }), [['/authorizationUrl', 'https_required'], ['/tokenUrl', 'https_required']]],
    ['plain http to a private address that the deployment does not name', loose({ tokenUrl: 'http://10.0.0.1/token' }), [['/tokenUrl', 'https_required']]],
    ['plain http by a variable', sample({ provider: 'keycloak', variables: { base: 'http://192.0.2.1', realm: 'corp' } }), [['/variables', 'https_required']]],
    ['a scope with a space', sample({ scopes: ['repo read:org'] }), [['/scopes/0', 'invalid_value']]],
    ['a parameter that is the gateway’s own', sample({ extraParameters: { redirect_uri: 'https://evil.example' } }), [['/extraParameters/redirect_uri', 'invalid_key']]],
    ['a way to prove who one is without the means', sample({ clientSecret: undefined, clientAuth: 'basic' }), [['/clientSecret', 'required']]],
    ['a secret that is not sent', sample({ clientAuth: 'none' }), [['/clientAuth', 'invalid_value']]],
    ['neither a secret nor PKCE', loose({ clientSecret: undefined, pkce: false }), [['/pkce', 'invalid_value']]],
    ['no PKCE where the provider requires it', sample({ provider: 'airtable', pkce: false }), [['/pkce', 'invalid_value']]],
    ['another workspace', sample({ workspace: 'other' }), [['/workspace', 'workspace_mismatch']]],
  ])('%s', async (_what, body, expected) => {
    const reply = await create<Problem>(body);
    expect(reply.status).toBe(422);
    expect(reply.body.errors.map(({ pointer, code }) => [pointer, code]).toSorted()).toEqual(expected);
    expect(await fixture.query('select from apps')).toEqual([]);
  });

  test('a name that is taken', async () => {
    await create();
    expect((await create<Problem>()).body).toMatchObject({ status: 409, code: 'name_taken', errors: [{ pointer: '/name' }] });
  });

  test('plain http to addresses that the deployment names is allowed', async () => {
    expect((await create(loose({ authorizationUrl: 'http://127.0.0.1:9/authorize', tokenUrl: 'http://localhost:9/token' }))).status).toBe(201);
  });
});

describe('warnings', () => {
  const codes = ({ body }: { body: ReadableApp }) => body.warnings.map(({ code, pointer }) => [code, pointer]);

  test('of what stands', async () => {
    expect(codes(await create(sample({ clientSecret: undefined })))).toEqual([['client_secret_missing', '/clientSecret']]);
    expect(codes(await create(sample({ name: 'off', pkce: false })))).toEqual([['pkce_off', '/pkce']]);
    expect(codes(await create(sample({ name: 'scopes', provider: 'stripe', scopes: ['read_only', 'raed_only'] })))).toEqual([['unknown_scope', '/scopes/1']]);
    await fixture.query(`update apps set document = jsonb_set(document, '{provider}', '"of-a-later-release"') where name = 'scopes'`);
    expect(codes(await fixture.plane.send<ReadableApp>('GET', `${path}/scopes`))).toEqual([['unknown_provider', '/provider']]);
  });

  test('of what one change did', async () => {
    await create();
    expect(codes(await change('PATCH', { title: 'x' }))).toEqual([]);
    expect(codes(await change('PATCH', { tokenUrl: 'https://github.com/another/token' }))).toEqual([['secret_follows_new_url', '/clientSecret']]);
    expect(codes(await change('PATCH', { provider: 'gitlab', tokenUrl: null, clientSecret: 'canary-new' }))).toEqual([]);
    expect(codes(await change('PATCH', { name: 'gitlab' }))).toEqual([['redirect_uri_changed', '/name']]);
  });
});

test('the catalogue is read by everyone who is logged in', async () => {
  const { body } = await fixture.plane.send<{ items: { id: string; title: string }[] }>('GET', '/v1/catalog');
  expect(body.items.map(({ title }) => title)).toEqual(body.items.map(({ title }) => title).toSorted((a, b) => a.localeCompare(b, 'en')));
  expect((await fixture.plane.send('GET', '/v1/catalog/github')).body).toEqual(body.items.find(({ id }) => id === 'github'));
  expect((await fixture.plane.send('GET', '/v1/catalog/nonsense')).status).toBe(404);
  expect((await fixture.plane.send('GET', '/v1/catalog/__proto__')).status).toBe(404);
});

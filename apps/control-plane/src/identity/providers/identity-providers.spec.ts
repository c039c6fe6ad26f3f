import type { ReadableIdentityProvider } from '@gatehouse/gateway-config';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ForgingProvider, forgedClient, startForgingProvider } from '../../../../../test/support/forging-provider.ts';
import { sampleServer } from '../../spec-support/sample-server.ts';
import { useControlPlane } from '../../spec-support/use-control-plane.ts';

const fixture = useControlPlane({ GATEHOUSE_CONTROL_PLANE_URL: 'https://gatehouse.example', GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback' });
const path = '/v1/identity-providers';
let provider: ForgingProvider;

beforeAll(async () => void (provider = await startForgingProvider()));
afterAll(() => provider?.close());
beforeEach(async () => {
  provider.describe();
  provider.answerAll();
  await fixture.query(`delete from identity_providers; delete from secrets`);
});

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[];
}

const sample = (overrides: Readonly<Record<string, unknown>> = {}) => ({ name: 'corp', issuer: provider.issuer, ...forgedClient, ...overrides });
const create = <Body = ReadableIdentityProvider>(body: unknown = sample()) => fixture.plane.send<Body>('POST', path, { body });
const change = <Body = ReadableIdentityProvider>(method: string, body: unknown, ifMatch = '*') => fixture.plane.send<Body>(method, `${path}/corp`, { body, headers: { 'If-Match': ifMatch } });

test('a provider is registered, read, replaced, changed and deleted', async () => {
  const created = await create(sample({ title: 'Corp', roles: { admin: ['platform'] } }));
  expect(created.status).toBe(201);
  expect(created.body).toMatchObject({
    kind: 'IdentityProvider', name: 'corp', issuer: provider.issuer, redirectUri: 'https://gatehouse.example/login/callback/corp', enabled: true, revision: 1, warnings: [],
    clientSecret: { set: true },
  });
  const read = await fixture.plane.send<ReadableIdentityProvider>('GET', `${path}/corp`);
  expect(read.headers.get('etag')).toBe(created.headers.get('etag'));
  expect(read.body).toEqual(created.body);
  expect((await fixture.plane.send('GET', created.headers.get('location') ?? '')).body).toEqual(created.body);

  const replaced = await change('PUT', sample({ enabled: false, clientSecret: undefined }));
  expect(replaced.body).toMatchObject({ enabled: false, revision: 2, clientSecret: { set: true } });
  expect(replaced.body.title).toBeUndefined();
  const patched = await change('PATCH', { title: 'New', claims: { groups: 'realm_access.roles' } });
  expect(patched.body).toMatchObject({ title: 'New', claims: { groups: 'realm_access.roles' }, revision: 3 });
  expect((await fixture.plane.send<{ items: unknown[] }>('GET', path)).body.items).toEqual([patched.body]);
  expect((await fixture.plane.send('DELETE', `${path}/corp`, { headers: { 'If-Match': '*' } })).status).toBe(204);
  expect((await fixture.plane.send('GET', `${path}/corp`)).status).toBe(404);
  expect(await fixture.query('select 1 from secrets')).toEqual([]);
  const { body } = await fixture.plane.send<{ items: { action: string; fields: string[] }[] }>('GET', '/v1/audit-events');
  expect(body.items.slice(0, 4).map(({ action, fields }) => [action, fields])).toEqual([
    ['identity-provider.deleted', []],
    ['identity-provider.changed', ['/claims', '/title']],
    ['identity-provider.changed', ['/enabled', '/roles', '/title']],
    ['identity-provider.created', ['/clientId', '/clientSecret', '/enabled', '/issuer', '/name', '/roles', '/title']],
  ]);
});

test('what changes nothing is no change', async () => {
  const { body } = await create();
  expect((await change('PUT', body)).body).toMatchObject({ revision: 1 });
});

test('changes need the ETag of what they change', async () => {
  const { headers } = await create();
  const etag = headers.get('etag') ?? '';
  expect((await fixture.plane.send('PATCH', `${path}/corp`, { body: { title: 'x' } })).status).toBe(428);
  expect((await change('PATCH', { title: 'first' }, etag)).status).toBe(200);
  expect((await change('PATCH', { title: 'second' }, etag)).status).toBe(412);
  expect((await fixture.plane.send('DELETE', `${path}/corp`, { headers: { 'If-Match': etag } })).status).toBe(412);
});

test('of the secret only that it is set is ever read', async () => {
  const texts = [(await create()).text, (await fixture.plane.send('GET', `${path}/corp`)).text, (await change('PATCH', { clientSecret: 'another-secret-value' })).text, (await fixture.plane.send('GET', path)).text];
  for (const text of texts) expect(text).not.toMatch(/secret-of-the-forged-client|another-secret-value/);
  const dump = JSON.stringify(await fixture.query('select document::text, encode(sealed, \'escape\') from identity_providers, secrets'));
  expect(dump).not.toMatch(/secret-of-the-forged-client|another-secret-value/);
});

describe('bad documents are refused whole, with every problem', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['nothing', {}, ['/name', '/issuer', '/clientId', '/clientSecret']],
    ['unknown fields', sampleLike({ nonsense: 1, claims: { mail: 'x' } }), ['/claims/mail', '/nonsense']],
    ['an issuer that is none', sampleLike({ issuer: 'corp.example' }), ['/issuer']],
    ['an issuer with a query', sampleLike({ issuer: 'https://corp.example/?tenant=1' }), ['/issuer']],
    ['the name of local accounts', sampleLike({ name: 'local' }), ['/name']],
    ['a scope with a space', sampleLike({ scopes: ['openid profile'] }), ['/scopes/0']],
    ['a role that is none', sampleLike({ roles: { owner: ['a'] } }), ['/roles/owner']],
    ['a cleared secret', sampleLike({ clientSecret: null }), ['/clientSecret']],
  ])('%s', async (_what, body, pointers) => {
    const reply = await create<Problem>(body);
    expect(reply.status).toBe(422);
    expect(reply.body.errors.map(({ pointer }) => pointer).filter((pointer) => pointers.includes(pointer)).toSorted()).toEqual(pointers.toSorted());
  });

  test('the issuer of another document: nobody could say whose word a token is', async () => {
    await create();
    expect((await create<Problem>(sample({ name: 'twin' }))).body).toMatchObject({ status: 422, errors: [{ pointer: '/issuer', code: 'issuer_taken' }] });
    await create(sample({ name: 'other', issuer: 'https://corp.example', enabled: false }));
    const moved = await fixture.plane.send<Problem>('PATCH', `${path}/other`, { body: { issuer: provider.issuer }, headers: { 'If-Match': '*' } });
    expect(moved.body).toMatchObject({ status: 422, errors: [{ pointer: '/issuer', code: 'issuer_taken' }] });
  });

  test('a name that is taken', async () => {
    await create();
    expect((await create<Problem>()).body).toMatchObject({ status: 409, code: 'name_taken', errors: [{ pointer: '/name' }] });
  });
});

/** Valid but for what is overridden, with no provider to ask. */
function sampleLike(overrides: Record<string, unknown>): Record<string, unknown> {
  return { name: 'corp', issuer: 'https://corp.example', ...forgedClient, ...overrides };
}

describe('discovery is tried before a document is stored', () => {
  const refusedWith = async (code: string, body: unknown = sample()) => {
    const reply = await create<Problem>(body);
    expect([reply.status, reply.body.errors.map((problem) => [problem.pointer, problem.code])]).toEqual([422, [['/issuer', code]]]);
    expect(await fixture.query('select 1 from identity_providers')).toEqual([]);
    return reply.body;
  };

  test.each([['issuer of somebody else', 'https://another.example'], ['slash at the end', '/']])('an issuer that is not identical: %s', async (_name, suffix) => {
    provider.describe({ issuer: suffix === '/' ? `${provider.issuer}/` : suffix });
    const { errors } = await refusedWith('issuer_mismatch');
    // What to write instead.
    expect(errors[0]?.detail).toContain(suffix === '/' ? `${provider.issuer}/` : suffix);
  });

  test('an issuer that is something else is not told', async () => {
    provider.describe({ issuer: 'root:x:0:0 <script>' });
    expect((await refusedWith('issuer_mismatch')).errors[0]?.detail).not.toContain('root');
  });

  test('no PKCE with S256', async () => {
    provider.describe({ code_challenge_methods_supported: ['plain'] });
    await refusedWith('pkce_not_supported');
  });

  test('no authorization code flow', async () => {
    provider.describe({ response_types_supported: ['id_token'] });
    await refusedWith('code_flow_not_supported');
  });

  test('no discovery document there', async () => {
    await refusedWith('not_an_issuer', sample({ issuer: `${provider.issuer}/somewhere` }));
    provider.describe({ token_endpoint: undefined });
    await refusedWith('not_an_issuer');
    provider.answerAll((_request, response) => response.end('<html>'));
    await refusedWith('not_an_issuer');
    provider.answerAll((_request, response) => response.writeHead(302, { Location: 'https://corp.example' }).end());
    await refusedWith('not_an_issuer');
  });

  test('plain http is only for addresses that the deployment names', async () => {
    await refusedWith('https_required', sample({ issuer: 'http://192.0.2.1' }));
    await refusedWith('https_required', sample({ issuer: 'http://1.1.1.1' }));
  });

  test('what cannot be asked is a warning', async () => {
    const warningsOf = async (body: unknown) => (await create(body)).body.warnings.map(({ code, pointer }) => [code, pointer]);
    provider.answerAll((_request, response) => response.writeHead(503).end());
    expect(await warningsOf(sample())).toEqual([['provider_unreachable', '/issuer']]);
    provider.answerAll((request) => void request.socket.destroy());
    expect(await warningsOf(sample({ name: 'two', issuer: `${provider.issuer}/two` }))).toEqual([['provider_unreachable', '/issuer']]);
    expect(await warningsOf(sample({ name: 'three', issuer: 'https://10.0.0.1' }))).toEqual([['provider_unreachable', '/issuer']]);
  });

  test('a provider that says nothing of PKCE is a warning', async () => {
    provider.describe({ code_challenge_methods_supported: undefined });
    expect((await create()).body.warnings.map(({ code }) => code)).toEqual(['pkce_not_announced']);
  });

  test('a provider that has gone wrong does not keep its document from being switched off', async () => {
    await create();
    provider.answerAll((request) => void request.socket.destroy());
    expect((await change('PATCH', { title: 'away' })).status).toBe(200);
    provider.answerAll();
    provider.describe({ code_challenge_methods_supported: ['plain'] });
    expect((await change('PATCH', { title: 'still on' })).status).toBe(422);
    const { body } = await change('PATCH', { enabled: false });
    expect(body).toMatchObject({ enabled: false, warnings: [{ code: 'pkce_not_supported' }] });
  });

  test('changes that have consequences elsewhere say so', async () => {
    await create();
    const other = await startForgingProvider();
    const { body } = await change('PATCH', { name: 'renamed', issuer: other.issuer });
    expect(body.warnings.map(({ code }) => code).toSorted()).toEqual(['issuer_changed', 'redirect_uri_changed', 'secret_follows_new_issuer']);
    await other.close();
  });
});

test('the same document under another name takes its people along', async () => {
  await create();
  const issuer = provider.issuer;
  await fixture.query(`insert into people (id, provider, issuer, subject, name) values (gen_random_uuid(), 'corp', $1, 'ana', 'Ana')`, [issuer]);
  await change('PATCH', { name: 'company' });
  const { body } = await fixture.plane.send<{ items: { provider: string; suspended: boolean }[] }>('GET', '/v1/users');
  expect(body.items).toMatchObject([{ provider: 'company', suspended: false }]);
  await fixture.plane.send('DELETE', `${path}/company`, { headers: { 'If-Match': '*' } });
  expect((await fixture.plane.send<{ items: { suspended: boolean }[] }>('GET', '/v1/users')).body.items).toMatchObject([{ suspended: true }]);
});

test('who asks for a provider by name is told of when it is renamed, switched off or deleted', async () => {
  await create();
  const server = (name: string, more: object) => fixture.plane.send('POST', '/v1/workspaces/default/servers', { body: sampleServer(name, { agentAuth: { type: 'interactive' }, ...more }) });
  await server('orders', { agentAuth: { type: 'interactive', identityProvider: 'corp' } });
  await server('billing', { access: { allow: [{ user: 'x@y.example' }, { group: 'sales', identityProvider: 'corp' }] } });
  await server('others', {});
  await fixture.plane.send('POST', '/v1/workspaces', { body: { name: 'tenant', access: { allow: [{ group: 'sales', identityProvider: 'corp' }] } } });
  const named = 'default/billing, default/orders, tenant';
  const refused = await fixture.plane.send<Problem>('DELETE', `${path}/corp`, { headers: { 'If-Match': '*' } });
  expect([refused.status, refused.body.errors]).toMatchObject([409, [{ code: 'provider_in_use', detail: expect.stringContaining(named) as string }]]);
  expect((await change('PATCH', { enabled: false })).body.warnings).toMatchObject([{ code: 'provider_in_use', pointer: '/enabled', detail: expect.stringContaining(named) as string }]);
  const orders = await fixture.plane.send<{ warnings: { code: string }[] }>('GET', '/v1/workspaces/default/servers/orders');
  expect(orders.body.warnings.map(({ code }) => code)).toContain('identity_provider_unknown');
  expect((await change('PATCH', { enabled: true })).body.warnings).toEqual([]);
  expect((await change('PATCH', { name: 'renamed' })).body.warnings.map(({ code, pointer }) => [code, pointer])).toEqual([['redirect_uri_changed', '/name'], ['provider_in_use', '/name']]);
  expect((await fixture.plane.send('DELETE', `${path}/renamed`, { headers: { 'If-Match': '*' } })).status).toBe(204);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleServer } from '../../apps/control-plane/src/spec-support/sample-server.ts';
import { connected, useAgents } from '../../apps/control-plane/src/spec-support/use-agents.ts';
import { logIn, publicOrigin } from '../../apps/control-plane/src/spec-support/use-login.ts';
import { forgedClient, type ForgingProvider, startForgingProvider } from '../support/forging-provider.ts';
import type { TestBrowser } from '../support/test-browser.ts';

/**
 * Every route of the OpenAPI document, called with ids of another workspace, or of another person, by principals who may do
 * everything in their own. A new parameter or body has to be named here, or its routes fail.
 */
const fixture = useAgents();
let provider: ForgingProvider;
let browser: TestBrowser;
let apiToken: string;
let agentToken: string;
let serviceAccountKey: string;
/** Of another workspace, or of another person: by the name of the parameter. */
let foreign: Readonly<Record<string, readonly string[]>>;

interface Reply {
  readonly id: string;
  readonly token: string;
  readonly key: string;
}
const made = async (path: string, body: unknown): Promise<Reply> => {
  const reply = await fixture.plane.send<Reply>('POST', path, { body });
  if (reply.status !== 201) throw new Error(`${path}: ${reply.text}`);
  return reply.body;
};
const withCookie = (of: TestBrowser) => ({ Cookie: of.cookieHeader(new URL(publicOrigin)), 'X-Gatehouse-CSRF': '1' });
const me = async (of: TestBrowser): Promise<Reply> => (await fixture.plane.send<Reply>('GET', '/v1/me', { authorization: undefined, headers: withCookie(of) })).body;
async function firstOf(path: string, of: TestBrowser): Promise<string> {
  const { body } = await fixture.plane.send<{ items: readonly Reply[] }>('GET', path, { authorization: undefined, headers: withCookie(of) });
  if (body.items[0] === undefined) throw new Error(`nothing at ${path}`);
  return body.items[0].id;
}

/** Of another person, at an app of another workspace. What is sealed in it is never opened here. */
async function connectionOf(app: string, person: string): Promise<string> {
  const [row] = await fixture.query<{ id: string }>(
    `insert into connections (id, workspace_id, owner_kind, owner_id, person_id, sealed, key_term, refreshable)
     select gen_random_uuid(), workspace_id, 'app', id, $2, '\\x00', 1, false from apps where id = $1 returning id`,
    [app, person],
  );
  return row?.id ?? '';
}

beforeAll(async () => {
  // Nobody here belongs to it.
  await made('/v1/workspaces', { name: 'other', access: { allow: [{ group: 'others' }] } });
  const server = await made('/v1/workspaces/other/servers', sampleServer('theirs', { title: 'Their title' }));
  const account = await made('/v1/workspaces/other/service-accounts', { name: 'robot' });
  const app = await made('/v1/workspaces/other/apps', sampleApp('theirs'));
  const credential = await made('/v1/workspaces/other/credentials', { name: 'theirs', title: 'Their title', scope: 'user' });
  await made('/v1/workspaces/default/servers', sampleServer('ours'));
  serviceAccountKey = (await made('/v1/workspaces/default/service-accounts', { name: 'nightly' })).key;
  apiToken = (await made('/v1/api-tokens', { name: 'ci', role: 'admin' })).token;

  browser = fixture.browser();
  await logIn(browser, 'ana');
  const another = fixture.browser();
  agentToken = (await connected(fixture, { browser: another, login: 'ben' })).tokens.access_token;
  // After the logins, which would have to choose.
  provider = await startForgingProvider();
  await made('/v1/identity-providers', { name: 'forge', issuer: provider.issuer, ...forgedClient, roles: { admin: ['platform'] } });
  foreign = {
    server: [server.id, 'theirs', '..%2F..%2Fother%2Fservers%2Ftheirs', 'theirs%00'],
    app: [app.id, 'theirs', '..%2F..%2Fother%2Fapps%2Ftheirs'],
    credential: [credential.id, 'theirs', '..%2F..%2Fother%2Fcredentials%2Ftheirs'],
    connection: [await connectionOf(app.id, (await me(another)).id), server.id],
    client: [app.id, server.id],
    account: [account.id, 'robot', '..%2F..%2Fother%2Fservice-accounts%2Frobot'],
    session: [await firstOf('/v1/me/sessions', another), server.id],
    grant: [await firstOf('/v1/me/grants', another), server.id],
    // These belong to the whole gateway: what is of a workspace is none of them.
    provider: [server.id, 'theirs'],
    token: [account.id, 'robot'],
    user: [server.id, account.id],
  };
});
afterAll(() => provider?.close());

/** What a route is sent, so that nothing but the id can be wrong about it. */
const sampleApp = (name: string) => ({ name, authorizationUrl: 'https://provider.example/authorize', tokenUrl: 'https://provider.example/token', clientId: 'gatehouse', clientSecret: 'of-the-app' });
const bodies: Readonly<Record<string, () => unknown>> = {
  'PUT /v1/workspaces/{workspace}/servers/{server}': () => sampleServer('theirs'),
  'PATCH /v1/workspaces/{workspace}/servers/{server}': () => ({ title: 'Mine' }),
  'POST /v1/workspaces/{workspace}/servers/{server}/explain': () => ({ request: { method: 'POST', headers: [] } }),
  'PUT /v1/workspaces/{workspace}/credentials/{credential}': () => ({ name: 'theirs', scope: 'workspace', value: 'mine' }),
  'PATCH /v1/workspaces/{workspace}/credentials/{credential}': () => ({ title: 'Mine' }),
  'PUT /v1/me/credentials/{credential}': () => ({ value: 'mine' }),
  'PUT /v1/workspaces/{workspace}/service-accounts/{account}': () => ({ name: 'robot' }),
  'PUT /v1/identity-providers/{provider}': () => ({ name: 'theirs', issuer: provider.issuer, ...forgedClient }),
  'PATCH /v1/identity-providers/{provider}': () => ({ enabled: false }),
  'PATCH /v1/users/{user}': () => ({ disabled: true }),
};

interface Route {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly string[];
}

async function routes(): Promise<Route[]> {
  const { body } = await fixture.plane.send<{ paths: Record<string, Record<string, unknown>> }>('GET', '/openapi.json');
  return Object.entries(body.paths).flatMap(([path, item]) =>
    Object.keys(item).map((key) => {
      const method = key.toUpperCase();
      return { name: `${method} ${path}`, method, path, parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter = '']) => parameter) };
    }),
  );
}

interface Credential {
  readonly authorization: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}
const principals: Readonly<Record<string, () => Credential | Promise<Credential>>> = {
  'an API token': () => ({ authorization: `Bearer ${apiToken}` }),
  'a session': () => ({ authorization: undefined, headers: withCookie(browser) }),
  'a token of the provider': async () => ({ authorization: `Bearer ${await provider.idToken({ aud: publicOrigin, sub: 'ana-at-forge', groups: ['platform'] })}` }),
};

const send = ({ method, path, name }: Route, values: Readonly<Record<string, string>>, { authorization, headers }: Credential) =>
  fixture.plane.send<{ code?: string }>(method, path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => values[parameter] ?? 'nothing'), {
    authorization,
    headers: { 'If-Match': '*', ...headers },
    ...(method !== 'GET' && method !== 'DELETE' && { body: bodies[name]?.() ?? {} }),
  });

const tables = ['workspaces', 'servers', 'server_tools', 'apps', 'connections', 'credentials', 'user_credentials', 'client_registrations', 'service_accounts', 'secrets', 'identity_providers', 'api_tokens', 'people', 'browser_sessions', 'oauth_grants', 'oauth_consents', 'login_links'];
/** All there is, but for when it was last looked at. */
async function stored(): Promise<unknown> {
  const dump: Record<string, unknown> = {};
  for (const table of tables) dump[table] = await fixture.query(`select to_jsonb(t) - 'last_used_at' - 'last_seen_at' as row from ${table} t order by 1`);
  return dump;
}

describe.each(Object.keys(principals))('%s, which may do everything here', (principal) => {
  const credential = async (): Promise<Credential> => (await principals[principal]?.()) ?? { authorization: undefined };

  test('is one: else the rest would say nothing', async () => {
    const reply = await send({ name: '', method: 'GET', path: '/v1/workspaces/default/servers/ours', parameters: [] }, {}, await credential());
    expect(reply.status).toBe(200);
    expect((await send({ name: '', method: 'GET', path: '/v1/me', parameters: [] }, {}, await credential())).body).toMatchObject({ role: 'admin' });
  });

  test('every route with the id or name of another workspace’s, or another person’s: 404, told nothing, changed nothing', async () => {
    const before = await stored();
    const asked = (await routes()).filter(({ parameters }) => parameters.some((parameter) => parameter !== 'workspace'));
    expect(asked.length).toBeGreaterThan(20);
    for (const route of asked) {
      const named = route.parameters.filter((parameter) => parameter !== 'workspace').at(-1) ?? '';
      const values = foreign[named];
      if (values === undefined) throw new Error(`${route.name}: whose {${named}} is foreign has to be said above`);
      for (const value of values) {
        // An existing user, where it is something of theirs that is asked for.
        const reply = await send(route, { workspace: 'default', user: (await me(browser)).id, [named]: value }, await credential());
        // Programs have nothing of their own, whoever's it would be.
        const isOwn = route.path.startsWith('/v1/me/') && principal === 'an API token';
        expect([route.name, value, reply.status, reply.body.code]).toEqual([route.name, value, isOwn ? 403 : 404, isOwn ? 'forbidden' : expect.stringMatching(/^(\w+_)?not_found$/)]);
        expect(reply.text).not.toContain('Their title');
      }
    }
    expect(await stored()).toEqual(before);
  });

  test('every route of a workspace, named by what is none: 404', async () => {
    const { server: [id = ''] = [] } = foreign;
    for (const route of (await routes()).filter(({ parameters }) => parameters[0] === 'workspace' && parameters.length === 1)) {
      const isDocument = route.name === 'POST /v1/workspaces/{workspace}/servers';
      const body = isDocument ? sampleServer('mine') : { name: 'mine', ...(route.path.endsWith('/credentials') && { scope: 'user' }) };
      for (const workspace of [id, 'theirs', 'default%2F..%2Fother', 'other%00']) {
        const reply = await fixture.plane.send<{ code?: string }>(route.method, route.path.replace('{workspace}', workspace), { ...(await credential()), headers: { 'If-Match': '*', ...(await credential()).headers }, ...(route.method === 'POST' && { body }) });
        expect([route.name, workspace, reply.status]).toEqual([route.name, workspace, 404]);
      }
    }
  });

  test.each(['workspace=other', 'workspaceId=other', 'cursor=MXJvYm90', 'cursor=MW91cnM'])('no list of a workspace shows what is in another, whatever is asked for: %s', async (query) => {
    for (const list of ['servers', 'service-accounts', 'credentials']) {
      const reply = await send({ name: '', method: 'GET', path: `/v1/workspaces/default/${list}?${query}`, parameters: [] }, {}, await credential());
      expect([200, 400]).toContain(reply.status);
      expect(reply.text).not.toMatch(/theirs|robot|Their title/);
    }
  });
});

test('an answer that is kept under an idempotency key is no other workspace’s, and no other principal’s', async () => {
  const create = (workspace: string, authorization: string) =>
    fixture.plane.send<Reply>('POST', `/v1/workspaces/${workspace}/service-accounts`, { authorization, body: { name: 'kept' }, headers: { 'Idempotency-Key': 'one-key-for-all' } });
  const first = await create('other', `Bearer ${apiToken}`);
  const here = await create('default', `Bearer ${apiToken}`);
  expect([first.status, here.status]).toEqual([201, 201]);
  expect(here.body.id).not.toBe(first.body.id);
  const somebody = (await made('/v1/api-tokens', { name: 'another', role: 'editor' })).token;
  const asked = await create('other', `Bearer ${somebody}`);
  expect(asked.status).not.toBe(201);
  expect(asked.text).not.toContain(first.body.key);
});

describe('nobody gets through any route', () => {
  const nobodies: Readonly<Record<string, () => Credential | Promise<Credential>>> = {
    'without a credential': () => ({ authorization: undefined }),
    'with an empty one': () => ({ authorization: 'Bearer ' }),
    'with the administrator’s token in another scheme': () => ({ authorization: `Basic ${Buffer.from(`admin:${fixture.plane.environment['GATEHOUSE_ADMIN_TOKEN'] ?? ''}`).toString('base64')}` }),
    'with an API token that nobody was given': () => ({ authorization: `Bearer gatehouse_api_${'A'.repeat(43)}` }),
    'with a session that nobody began': () => ({ authorization: undefined, headers: { Cookie: `__Host-gatehouse=${'A'.repeat(43)}`, 'X-Gatehouse-CSRF': '1' } }),
    'with a service account’s key, which is for data planes': () => ({ authorization: `Bearer ${serviceAccountKey}` }),
    'with an access token of an agent, which is for one server': () => ({ authorization: `Bearer ${agentToken}` }),
    'with a token of an issuer that nobody configured': async () => ({ authorization: `Bearer ${await provider.idToken({ aud: publicOrigin, iss: 'https://elsewhere.example', groups: ['platform'] })}` }),
    'with a wrong token beside a good session': () => ({ authorization: 'Bearer wrong', headers: withCookie(browser) }),
  };

  test.each(Object.keys(nobodies))('%s: 401', async (name) => {
    const before = await stored();
    const all = await routes();
    expect(all.length).toBeGreaterThan(40);
    for (const route of all) {
      const { authorization, headers = {} } = (await nobodies[name]?.()) ?? { authorization: undefined };
      const reply = await send(route, { workspace: 'default', server: 'ours', account: 'nightly' }, { authorization, headers });
      expect([route.name, reply.status, reply.body.code]).toEqual([route.name, 401, 'unauthenticated']);
    }
    expect(await stored()).toEqual(before);
  });
});

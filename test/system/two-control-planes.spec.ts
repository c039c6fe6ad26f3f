import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ana, providerDocument } from '../../apps/control-plane/src/spec-support/use-login.ts';
import type { AdminClient } from '../support/admin-client.ts';
import { type AlternatingProxy, startAlternatingProxy } from '../support/alternating-proxy.ts';
import { type IdentityProvider, startIdentityProvider } from '../support/identity-provider.ts';
import { type DataPlaneProcess, type ProductionShape, startProductionShape } from '../support/production-shape.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { type BrowserPage, TestBrowser } from '../support/test-browser.ts';

type Running = Awaited<ReturnType<ProductionShape['startControlPlane']>>['process'];
type Json = Record<string, unknown>;

const dataPlaneUrl = 'https://gateway.example';
const names = ['one', 'two'] as const;
const password = 'correct horse battery';
const localEmail = 'root@corp.example';

let proxy: AlternatingProxy;
let provider: IdentityProvider;
let upstream: RecordingUpstream;
let shape: ProductionShape;
let admin: AdminClient;
let dataPlane: DataPlaneProcess;
const planes = new Map<string, Running>();

const start = async (name: string): Promise<void> => {
  const { process: started } = await shape.startControlPlane();
  planes.set(name, started);
  proxy.targets.set(name, started.controlPlaneUrl);
};
const created = async (path: string, body: unknown): Promise<Json> => {
  const reply = await admin.post<Json>(path, body);
  expect([reply.status, reply.body]).toEqual([201, expect.anything()]);
  return reply.body;
};

beforeAll(async () => {
  proxy = await startAlternatingProxy();
  [provider, upstream, shape] = await Promise.all([
    startIdentityProvider({ redirectUris: [`${proxy.url}/login/callback/corp`], people: [ana] }),
    startRecordingUpstream(),
    startProductionShape({ GATEHOUSE_CONTROL_PLANE_URL: proxy.url, GATEHOUSE_DATA_PLANE_URL: dataPlaneUrl, GATEHOUSE_LOCAL_LOGIN: 'true' }),
  ]);
  for (const name of names) await start(name);
  admin = shape.adminAt(proxy.url);
  dataPlane = await shape.startDataPlane('one');
  await created('/v1/identity-providers', providerDocument(provider));
  // The two ways of logging in: at the organisation's provider, and here.
  for (const [name, identityProvider] of [['orders', 'corp'], ['ledger', 'local']]) {
    await created('/v1/workspaces/default/servers', { name, type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'interactive', identityProvider }, appAuth: { type: 'none' } });
  }
  const browser = new TestBrowser();
  await browser.submit(await browser.open(String((await created('/v1/first-admin-link', {}))['url'])), { email: localEmail, password });
});
afterAll(async () => {
  await shape?.close();
  await Promise.all([proxy?.close(), provider?.close(), upstream?.close()]);
});

const getJson = async (url: string): Promise<Json> => {
  const reply = await fetch(url);
  expect(reply.status).toBe(200);
  return (await reply.json()) as Json;
};
const post = async (url: string, fields: Record<string, string>): Promise<{ status: number; body: Json }> => {
  const reply = await fetch(url, { method: 'POST', headers: { Accept: 'application/json' }, body: new URLSearchParams(fields) });
  const text = await reply.text();
  return { status: reply.status, body: text === '' ? {} : (JSON.parse(text) as Json) };
};
const call = async (server: string, accessToken: string): Promise<number> => {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } });
  return (await fetch(`${dataPlane.dataPlaneUrl}/mcp/default/${server}`, { method: 'POST', headers, body })).status;
};

/** A client and its person, from the URL of a server to a token that has been given back. */
class Agent {
  readonly server: string;
  readonly browser: TestBrowser;
  readonly #verifier = randomBytes(32).toString('base64url');
  #metadata: Json = {};
  #page: BrowserPage | undefined;
  clientId = '';
  accessToken = '';
  refreshToken = '';

  constructor(server: string, browser = new TestBrowser({ servers: { 'https://client.example': () => upstream.origin } })) {
    this.server = server;
    this.browser = browser;
  }

  readonly discovery = async (): Promise<void> => {
    const resource = await getJson(`${dataPlane.dataPlaneUrl}/.well-known/oauth-protected-resource/mcp/default/${this.server}`);
    expect(resource).toMatchObject({ resource: this.#resource, authorization_servers: [proxy.url] });
    this.#metadata = await getJson(`${proxy.url}/.well-known/oauth-authorization-server`);
    expect(this.#metadata).toMatchObject({ issuer: proxy.url });
  };

  readonly registration = async (): Promise<void> => {
    const body = JSON.stringify({ client_name: 'Agent', redirect_uris: ['https://client.example/callback'], token_endpoint_auth_method: 'none' });
    const reply = await fetch(this.#endpoint('registration'), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    expect(reply.status).toBe(201);
    this.clientId = String(((await reply.json()) as Json)['client_id']);
  };

  readonly authorization = async (): Promise<void> => {
    const parameters = {
      response_type: 'code', client_id: this.clientId, redirect_uri: 'https://client.example/callback', resource: this.#resource, state: 'state-1',
      code_challenge: createHash('sha256').update(this.#verifier).digest('base64url'), code_challenge_method: 'S256',
    };
    this.#page = await this.browser.open(`${this.#endpoint('authorization')}?${new URLSearchParams(parameters).toString()}`);
  };

  readonly consent = async (): Promise<void> => {
    expect(this.page.text).toContain('name="decision"');
    this.#page = await this.browser.submit(this.page, { decision: 'allow' });
  };

  readonly login = async (): Promise<void> => {
    const isLocal = this.server === 'ledger';
    expect(this.page.text).toContain(isLocal ? 'name="password"' : 'name="login"');
    this.#page = await this.browser.submit(this.page, isLocal ? { email: localEmail, password } : { login: ana.subject });
  };

  readonly token = async (): Promise<void> => {
    const code = this.page.url.searchParams.get('code');
    expect([code, this.page.url.searchParams.get('iss')], this.page.text.slice(0, 500)).toEqual([expect.any(String), proxy.url]);
    await this.#tokens({ grant_type: 'authorization_code', code: code ?? '', code_verifier: this.#verifier, redirect_uri: 'https://client.example/callback' });
  };

  readonly refresh = (): Promise<void> => this.#tokens({ grant_type: 'refresh_token', refresh_token: this.refreshToken });

  readonly revocation = async (): Promise<void> => {
    expect((await post(this.#endpoint('revocation'), { token: this.refreshToken, client_id: this.clientId })).status).toBe(200);
    expect(await post(this.#endpoint('token'), { grant_type: 'refresh_token', refresh_token: this.refreshToken, client_id: this.clientId })).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    await vi.waitFor(async () => expect(await call(this.server, this.accessToken)).toBe(401), { timeout: 20_000, interval: 50 });
  };

  get page(): BrowserPage {
    if (this.#page === undefined) throw new Error('no page yet');
    return this.#page;
  }

  get #resource(): string {
    return `${dataPlaneUrl}/mcp/default/${this.server}`;
  }

  #endpoint(name: string): string {
    return String(this.#metadata[`${name}_endpoint`]);
  }

  async #tokens(fields: Record<string, string>): Promise<void> {
    const { status, body } = await post(this.#endpoint('token'), { ...fields, client_id: this.clientId, resource: this.#resource });
    expect([status, body]).toEqual([200, expect.anything()]);
    [this.accessToken, this.refreshToken] = [String(body['access_token']), String(body['refresh_token'])];
    expect(await call(this.server, this.accessToken)).toBe(200);
  }
}

const steps = ['discovery', 'registration', 'authorization', 'consent', 'login', 'token', 'refresh', 'revocation'] as const;
const pathsOf = {
  orders: ['/.well-known/oauth-authorization-server', '/oauth/register', '/oauth/authorize', '/oauth/interaction/', '/login', '/login/start/corp', '/login/callback/corp', '/oauth/authorize/', '/oauth/token', '/oauth/revoke'],
  ledger: ['/.well-known/oauth-authorization-server', '/oauth/register', '/oauth/authorize', '/oauth/interaction/', '/login', '/login/local', '/oauth/authorize/', '/oauth/token', '/oauth/revoke'],
} as const;
/** With an id at the end, all that begin so. */
const isAt = (path: string, wanted: string): boolean => (wanted.endsWith('/') ? path.startsWith(wanted) : path === wanted);

describe.each(['orders', 'ledger'] as const)('two control planes, each request to the other one; a server for people of %s', (server) => {
  it('every step is done by either of them, after the one before was done by the other', async () => {
    proxy.requests.length = 0;
    for (const first of names) {
      proxy.beginWith(first);
      const agent = new Agent(server);
      const done = proxy.requests.length;
      for (const step of steps) await agent[step]();
      const targets = proxy.requests.slice(done).map(({ target }) => target);
      expect(targets.every((target, index) => index === 0 || target !== targets[index - 1])).toBe(true);
    }
    for (const wanted of pathsOf[server]) {
      expect([wanted, new Set(proxy.requests.filter(({ path }) => isAt(path, wanted)).map(({ target }) => target))]).toEqual([wanted, new Set(names)]);
    }
  });

  // The two ways of logging in differ at the login.
  it.each(server === 'orders' ? steps : (['login', 'token'] as const))('the one that answered last is killed before the %s: the other goes on', async (killedBefore) => {
    const agent = new Agent(server);
    let restarted: Promise<void> | undefined;
    for (const step of steps) {
      if (step === killedBefore) {
        const last = proxy.requests.at(-1)?.target ?? '';
        await planes.get(last)?.kill9();
        const done = proxy.requests.length;
        await agent[step]();
        expect(new Set(proxy.requests.slice(done).map(({ target }) => target))).toEqual(new Set(names.filter((name) => name !== last)));
        restarted = start(last);
      } else await agent[step]();
    }
    await restarted;
  });

  it('both are killed and started again: nobody logs in again, neither a client that has a token nor a person with another client', async () => {
    const agent = new Agent(server);
    for (const step of ['discovery', 'registration', 'authorization', 'consent', 'login', 'token'] as const) await agent[step]();
    for (const name of names) await planes.get(name)?.kill9();
    expect(await call(server, agent.accessToken)).toBe(200);
    await Promise.all(names.map(start));
    await agent.refresh();
    // The same client: not a single question.
    await agent.authorization();
    await agent.token();
    const another = new Agent(server, agent.browser);
    for (const step of ['discovery', 'registration', 'authorization', 'consent', 'token'] as const) await another[step]();
  });

  it('both are killed in the middle of a login, and started again: it goes on where it was', async () => {
    const agent = new Agent(server);
    for (const step of ['discovery', 'registration', 'authorization', 'consent'] as const) await agent[step]();
    for (const name of names) await planes.get(name)?.kill9();
    await Promise.all(names.map(start));
    await agent.login();
    await agent.token();
  });
});

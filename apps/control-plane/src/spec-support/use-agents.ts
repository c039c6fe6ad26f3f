import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll } from 'vitest';
import type { IdentityProviderOptions } from '../../../../test/support/identity-provider.ts';
import { closeHttpServer, listenOnLoopback } from '../../../../test/support/listen.ts';
import { type BrowserPage, TestBrowser } from '../../../../test/support/test-browser.ts';
import { type LoginFixture, publicOrigin, useLogin } from './use-login.ts';
import { sampleServer } from './sample-server.ts';

export const dataPlaneUrl = 'https://gateway.example';
export const resourceUrl = (server: string, workspace = 'default'): string => `${dataPlaneUrl}/mcp/${workspace}/${server}`;
/** Where clients of these specs are sent back to, each answered by nothing in particular. */
export const clientOrigins = ['https://client.example', 'https://other.example', 'http://127.0.0.1:5555', 'http://localhost:5555', 'http://127.0.0.1:6666'];

export interface AgentsFixture extends LoginFixture {
  /** Asks the control plane, or another one, as a program does. */
  post(path: string, fields: Readonly<Record<string, string>>, options?: PostOptions): Promise<OAuthReply>;
  register(metadata?: Readonly<Record<string, unknown>>): Promise<RegisteredAgent>;
  addServer(name: string, overrides?: Readonly<Record<string, unknown>>): Promise<void>;
}

export interface PostOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly at?: string;
}

export interface OAuthReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface RegisteredAgent {
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly redirectUri: string;
}

export interface AuthorizationRequest {
  readonly url: URL;
  readonly verifier: string;
  readonly state: string;
}

/** What a client sends a browser to; `overrides` with undefined leave a parameter out. */
export function authorizationRequest(agent: RegisteredAgent, overrides: Readonly<Record<string, string | undefined>> = {}): AuthorizationRequest {
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(16).toString('base64url');
  const parameters = {
    response_type: 'code', client_id: agent.clientId, redirect_uri: agent.redirectUri, state, resource: resourceUrl('orders'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256', ...overrides,
  };
  const url = new URL('/oauth/authorize', publicOrigin);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return { url, verifier, state };
}

/** From the client's request to its code: agrees where it is asked, logs in where it has to. */
export async function authorize(browser: TestBrowser, { url }: AuthorizationRequest, login = 'ana'): Promise<BrowserPage> {
  let page = await browser.open(url);
  if (page.text.includes('name="decision"')) page = await browser.submit(page, { decision: 'allow' });
  return page.text.includes('name="login"') ? browser.submit(page, { login }) : page;
}

export const codeOf = (page: BrowserPage): string => {
  const code = page.url.searchParams.get('code');
  if (code === null) throw new Error(`no code at ${page.url.href}: ${page.text.slice(0, 800)}`);
  return code;
};

/** The fields of a token request for a code. */
export const codeGrant = (agent: RegisteredAgent, code: string, verifier: string): Record<string, string> => ({
  grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: agent.redirectUri, client_id: agent.clientId,
});

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly scope: string;
  readonly expires_in: number;
  readonly token_type: string;
}

/** A control plane with an organisation's provider and an interactive server `orders`, and clients for it. */
export function useAgents(environment: Readonly<Record<string, string>> = {}, options: Partial<IdentityProviderOptions> = {}): AgentsFixture {
  const fixture = useLogin({ GATEHOUSE_DATA_PLANE_URL: dataPlaneUrl, ...environment }, options);
  const elsewhere = createServer((_request, response) => response.end('here we are'));
  let elsewhereUrl = '';
  const post: AgentsFixture['post'] = async (path, fields, { headers = {}, at = fixture.plane.url } = {}) => {
    const response = await fetch(new URL(path, at), { method: 'POST', headers: { Accept: 'application/json', ...headers }, body: new URLSearchParams(fields), redirect: 'manual' });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown> };
  };
  const addServer: AgentsFixture['addServer'] = async (name, overrides = {}) => {
    const reply = await fixture.plane.send('POST', '/v1/workspaces/default/servers', { body: sampleServer(name, { agentAuth: { type: 'interactive' }, ...overrides }) });
    if (reply.status !== 201) throw new Error(reply.text);
  };
  beforeAll(async () => {
    elsewhereUrl = `http://127.0.0.1:${await listenOnLoopback(elsewhere)}`;
    await addServer('orders', { title: 'Orders' });
  });
  afterAll(() => closeHttpServer(elsewhere));
  return {
    get plane() {
      return fixture.plane;
    },
    get postgres() {
      return fixture.postgres;
    },
    get databaseUrl() {
      return fixture.databaseUrl;
    },
    get provider() {
      return fixture.provider;
    },
    query: (text, parameters) => fixture.query(text, parameters),
    browser: () => new TestBrowser({ servers: { [publicOrigin]: () => fixture.plane.url, ...Object.fromEntries(clientOrigins.map((origin) => [origin, () => elsewhereUrl])) } }),
    post,
    addServer,
    register: async (metadata = {}) => {
      const body = { client_name: 'Agent', redirect_uris: ['https://client.example/callback'], token_endpoint_auth_method: 'none', ...metadata };
      const reply = await fixture.plane.send<Record<string, unknown>>('POST', '/oauth/register', { body, authorization: undefined });
      if (reply.status !== 201) throw new Error(`${reply.status} ${reply.text}`);
      const { client_id: clientId, client_secret: clientSecret, redirect_uris: redirectUris } = reply.body;
      return { clientId: String(clientId), clientSecret: clientSecret as string | undefined, redirectUri: (redirectUris as string[])[0] ?? '' };
    },
  };
}

/** A client that has been let in. */
export async function connected(fixture: AgentsFixture, options: { browser?: TestBrowser; login?: string; agent?: RegisteredAgent; overrides?: Readonly<Record<string, string | undefined>> } = {}) {
  const agent = options.agent ?? (await fixture.register());
  const request = authorizationRequest(agent, options.overrides);
  const page = await authorize(options.browser ?? fixture.browser(), request, options.login);
  const reply = await fixture.post('/oauth/token', codeGrant(agent, codeOf(page), request.verifier));
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
  return { agent, tokens: reply.body as unknown as Tokens };
}

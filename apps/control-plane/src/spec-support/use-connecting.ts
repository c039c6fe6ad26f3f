import { parseKey, Secret } from '@gatehouse/sealing';
import { afterAll, beforeAll } from 'vitest';
import { type IdentityProvider, startIdentityProvider } from '../../../../test/support/identity-provider.ts';
import type { BrowserPage, TestBrowser } from '../../../../test/support/test-browser.ts';
import { ConnectLinks, type ConnectOrder } from '../connections/connect-links.service.ts';
import { Database } from '../database/database.ts';
import { openDataSource } from '../database/open-data-source.ts';
import type { ControlPlaneSettings } from '../environment.ts';
import { localRootKey } from '../vault/root-keys/local-root-key.ts';
import { RootKeys } from '../vault/root-keys/root-keys.ts';
import { Vault } from '../vault/vault.ts';
import { sampleServer } from './sample-server.ts';
import { logIn, type LoginFixture, publicOrigin, useLogin } from './use-login.ts';

export interface ConnectingFixture extends LoginFixture {
  /** Where the app `acme` is registered: a provider of its own, at which people have other names. */
  readonly acme: IdentityProvider;
  readonly app: string;
  readonly workspace: string;
  addServer(name: string, overrides: Readonly<Record<string, unknown>>): Promise<string>;
  /** A link to connect `acme`, or something else, as the broker makes it. */
  link(order?: Partial<ConnectOrder>, now?: number): Promise<string>;
  /** A browser in which someone is logged in. */
  browserOf(subject: 'ana' | 'ben'): Promise<TestBrowser>;
  personId(subject: string): Promise<string>;
}

export const acmeRedirectUri = `${publicOrigin}/connect/callback/default/acme`;

/** A control plane with an identity provider, people who are logged in there, and an app at another provider. */
export function useConnecting(environment: Readonly<Record<string, string>> = {}): ConnectingFixture {
  const fixture = useLogin({ GATEHOUSE_DATA_PLANE_TOKEN: 'data-plane-token-0123456789abcdefghij', ...environment });
  let acme: IdentityProvider;
  let ids = { app: '', workspace: '' };
  let links: ConnectLinks;
  let closeDatabase = (): Promise<unknown> => Promise.resolve();
  beforeAll(async () => {
    acme = await startIdentityProvider({
      redirectUris: [acmeRedirectUri, `${publicOrigin}/connect/callback/default/other`], claimsInIdToken: true,
      people: [{ subject: 'ana-at-acme', email: 'ana@acme.example' }, { subject: 'ben-at-acme', email: 'ben@acme.example' }],
    });
    const body = { ...appDocument(acme), name: 'acme' };
    const app = await fixture.plane.send<{ id: string }>('POST', '/v1/workspaces/default/apps', { body });
    if (app.status !== 201) throw new Error(app.text);
    const [workspace] = await fixture.query<{ id: string }>(`select id from workspaces where name = 'default'`);
    ids = { app: app.body.id, workspace: workspace?.id ?? '' };
    // As another replica makes them.
    const dataSource = await openDataSource({ url: new Secret(fixture.databaseUrl), poolSize: 2 }).initialize();
    closeDatabase = () => dataSource.destroy();
    const vault = new Vault(new RootKeys(localRootKey(parseKey(fixture.plane.environment['GATEHOUSE_VAULT_KEY'] ?? ''), 'GATEHOUSE_VAULT_KEY')));
    links = new ConnectLinks(new Database(dataSource), vault, { CONTROL_PLANE_URL: publicOrigin } as ControlPlaneSettings);
  });
  afterAll(async () => {
    await closeDatabase();
    await acme?.close();
  });
  const personId = async (subject: string): Promise<string> => {
    const [row] = await fixture.query<{ id: string }>('select id from people where subject = $1', [subject]);
    if (!row) throw new Error(`${subject} has not logged in`);
    return row.id;
  };
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
    get acme() {
      return acme;
    },
    get app() {
      return ids.app;
    },
    get workspace() {
      return ids.workspace;
    },
    query: (text, parameters) => fixture.query(text, parameters),
    browser: () => fixture.browser(),
    personId,
    addServer: async (name, overrides) => {
      const reply = await fixture.plane.send<{ id: string }>('POST', '/v1/workspaces/default/servers', { body: sampleServer(name, { agentAuth: { type: 'interactive' }, ...overrides }) });
      if (reply.status !== 201) throw new Error(reply.text);
      return reply.body.id;
    },
    link: async (order = {}, now = Date.now()) => (await links.connectLinkFor({ workspaceId: ids.workspace, ownerKind: 'app', ownerId: ids.app, scopes: [], ...order }, now)).connectUrl,
    browserOf: async (subject) => {
      const browser = fixture.browser();
      await logIn(browser, subject);
      return browser;
    },
  };
}

export const appDocument = ({ issuer, clientId, clientSecret }: IdentityProvider) => ({
  title: 'Acme', issuer, authorizationUrl: `${issuer}/auth`, tokenUrl: `${issuer}/token`, clientId, clientSecret, clientAuth: 'post', scopes: ['openid', 'email'],
});

/** Presses the button, and stays at the page of the provider. */
export const pressConnect = async (browser: TestBrowser, link: string): Promise<BrowserPage> => browser.submit(await browser.open(link));

/** All the way to the last page. A browser that the provider knows is not asked again who it is. */
export async function connectAs(browser: TestBrowser, link: string, login: string): Promise<BrowserPage> {
  const page = await pressConnect(browser, link);
  return page.forms.length === 0 ? page : browser.submit(page, { login });
}

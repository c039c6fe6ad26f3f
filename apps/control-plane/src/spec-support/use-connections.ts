import { createHash, randomUUID } from 'node:crypto';
import { parseKey, Secret } from '@gatehouse/sealing';
import type { TokenAnswer } from '@gatehouse/access-tokens';
import { afterAll, beforeAll } from 'vitest';
import { type StrictProvider, type StrictProviderOptions, startStrictProvider } from '../../../../test/support/strict-oauth-provider.ts';
import { TokenSeals } from '../connections/token-seals.ts';
import { Database } from '../database/database.ts';
import { openDataSource } from '../database/open-data-source.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { localRootKey } from '../vault/root-keys/local-root-key.ts';
import { RootKeys } from '../vault/root-keys/root-keys.ts';
import { Vault } from '../vault/vault.ts';
import { putConnection } from './put-connection.ts';
import { sampleServer } from './sample-server.ts';
import { startTestControlPlane, type TestControlPlane } from './start-test-control-plane.ts';
import { type ControlPlaneFixture, useControlPlane } from './use-control-plane.ts';

export const dataPlaneToken = 'data-plane-token-0123456789abcdefghij';
export const connectOrigin = 'https://gatehouse.example';

export interface PutConnection {
  readonly person: string | null;
  readonly owner?: { readonly kind: 'app' | 'server'; readonly id: string };
  readonly expiresInSeconds?: number | null;
  readonly scopes?: readonly string[];
  readonly withRefreshToken?: boolean;
  readonly lastRefresh?: string;
}

export interface BrokerReply {
  readonly status: number;
  readonly body: TokenAnswer;
}

export interface ConnectionsFixture extends ControlPlaneFixture {
  readonly provider: StrictProvider;
  /** The app `acme` at the provider, and a server `tickets` of it. */
  readonly app: string;
  readonly server: string;
  readonly workspace: string;
  person(name: string): Promise<string>;
  /** As though someone had connected. @returns id and access token */
  connect(options: PutConnection): Promise<{ id: string; accessToken: string; refreshToken: string }>;
  putServer(name: string, appAuth: Readonly<Record<string, unknown>>): Promise<string>;
  ask(request: object, options?: { at?: TestControlPlane; token?: string | undefined }): Promise<BrokerReply>;
  /** Another replica. */
  another(): Promise<TestControlPlane>;
}

export const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

/** A control plane with a provider that takes each refresh token once. */
export function useConnections(options: StrictProviderOptions = {}, environment: Readonly<Record<string, string>> = {}): ConnectionsFixture {
  const fixture = useControlPlane({
    GATEHOUSE_CONTROL_PLANE_URL: connectOrigin, GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback', GATEHOUSE_DATA_PLANE_TOKEN: dataPlaneToken, GATEHOUSE_LOCAL_LOGIN: 'true', ...environment,
  });
  let provider: StrictProvider;
  let database: Database;
  let seals: TokenSeals;
  let ids = { app: '', server: '', workspace: '' };
  const closings: (() => Promise<unknown>)[] = [];
  const putServer: ConnectionsFixture['putServer'] = async (name, appAuth) => {
    const reply = await fixture.plane.send<{ id: string }>('POST', '/v1/workspaces/default/servers', { body: sampleServer(name, { title: 'Tickets' }) });
    if (reply.status !== 201) throw new Error(reply.text);
    await fixture.query(`update servers set document = jsonb_set(document, '{appAuth}', $2::jsonb) where id = $1`, [reply.body.id, JSON.stringify({ type: 'oauth-authorization-code', ...appAuth })]);
    return reply.body.id;
  };
  beforeAll(async () => {
    provider = await startStrictProvider(options);
    const { authorizationUrl, tokenUrl, revocationUrl, clientId, clientSecret } = provider;
    const body = { name: 'acme', title: 'Acme', authorizationUrl, tokenUrl, revocationUrl, clientId, clientSecret, clientAuth: 'basic', scopes: ['read'] };
    const app = await fixture.plane.send<{ id: string }>('POST', '/v1/workspaces/default/apps', { body });
    if (app.status !== 201) throw new Error(app.text);
    const [workspace] = await fixture.query<{ id: string }>(`select id from workspaces where name = 'default'`);
    ids = { app: app.body.id, server: await putServer('tickets', { app: 'acme' }), workspace: workspace?.id ?? '' };
    const dataSource = openDataSource({ url: new Secret(fixture.databaseUrl), poolSize: 2 });
    await dataSource.initialize();
    closings.push(() => dataSource.destroy());
    database = new Database(dataSource);
    seals = new TokenSeals(database, new Vault(new RootKeys(localRootKey(parseKey(fixture.plane.environment['GATEHOUSE_VAULT_KEY'] ?? ''), 'GATEHOUSE_VAULT_KEY'))));
  });
  afterAll(async () => {
    for (const closing of closings.reverse()) await closing();
    await provider?.close();
  });
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
      return provider;
    },
    get app() {
      return ids.app;
    },
    get server() {
      return ids.server;
    },
    get workspace() {
      return ids.workspace;
    },
    query: (text, parameters) => fixture.query(text, parameters),
    putServer,
    person: async (name) => {
      const id = uuidV7();
      await fixture.query(`insert into people (id, provider, issuer, subject, email, name) values ($1, 'local', 'local', $2, $3, $4)`, [id, randomUUID(), `${name}-${id}@corp.example`, name]);
      return id;
    },
    connect: ({ person, owner = { kind: 'app', id: ids.app }, expiresInSeconds = 3600, scopes = ['read'], withRefreshToken = true, lastRefresh = '1 hour' }) =>
      putConnection({ database, seals, provider }, { person, owner: { ...owner, workspaceId: ids.workspace }, expiresInSeconds, scopes, withRefreshToken, lastRefresh }),
    ask: async (request, { at = fixture.plane, token = dataPlaneToken } = {}) => {
      const response = await fetch(new URL('/internal/tokens', at.internalUrl), {
        method: 'POST', headers: { ...(token !== undefined && { Authorization: `Bearer ${token}` }), 'Content-Type': 'application/json' }, body: JSON.stringify(request),
      });
      return { status: response.status, body: (await response.json()) as TokenAnswer };
    },
    another: async () => {
      const plane = await startTestControlPlane({ environment: fixture.plane.environment });
      closings.push(() => plane.close());
      return plane;
    },
  };
}

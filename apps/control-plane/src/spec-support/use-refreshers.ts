import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { Secret } from '@gatehouse/sealing';
import { createLogger } from '@gatehouse/service-runtime';
import { type StrictProvider, type StrictProviderOptions, startStrictProvider } from '../../../../test/support/strict-oauth-provider.ts';
import { runSql, startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { ConnectionClients } from '../connections/connection-clients.service.ts';
import { insertConnection } from '../connections/connections.store.ts';
import { ConnectionRefresher, type RefreshTimes } from '../connections/refresh/connection-refresher.ts';
import { TokenSeals } from '../connections/token-seals.ts';
import type { OwnerClient } from '../connections/connection.ts';
import { Database } from '../database/database.ts';
import { openDataSource } from '../database/open-data-source.ts';
import { runMigrations } from '../database/run-migrations.ts';
import { Metrics } from '../health/metrics.ts';
import { localRootKey } from '../vault/root-keys/local-root-key.ts';
import { RootKeys } from '../vault/root-keys/root-keys.ts';
import { Vault } from '../vault/vault.ts';

/** One replica's refresher, on a pool of its own. */
export interface Replica {
  readonly database: Database;
  readonly seals: TokenSeals;
  readonly clients: ConnectionClients;
  readonly refresher: ConnectionRefresher;
  readonly metrics: Metrics;
}

export interface RefresherFixture {
  readonly provider: StrictProvider;
  replica(options?: ReplicaOptions): Promise<Replica>;
  /** A connection with tokens of the provider that expire then; already when negative. */
  connect(options?: ConnectOptions): Promise<string>;
  query<Row = Record<string, unknown>>(text: string, parameters?: unknown[]): Promise<Row[]>;
}

export interface ReplicaOptions {
  readonly times?: Partial<RefreshTimes>;
  readonly poolSize?: number;
  readonly refresh?: OwnerClient['refresh'];
  readonly fetch?: OwnerClient['client']['fetch'];
}

export interface ConnectOptions {
  readonly expiresInSeconds?: number | null;
  readonly withRefreshToken?: boolean;
  readonly idToken?: string;
}

const quick: RefreshTimes = { leaseMs: 2_000, requestMs: 1_000, lookMs: 20, storeMs: 10_000 };

/** Refreshers of several replicas on one database, and a provider that takes each refresh token once. */
export function useRefreshers(options: StrictProviderOptions = {}): RefresherFixture {
  let postgres: TestPostgres;
  let provider: StrictProvider;
  let databaseUrl: string;
  const closings: (() => Promise<unknown>)[] = [];
  const vault = new Vault(new RootKeys(localRootKey(randomBytes(32), 'GATEHOUSE_VAULT_KEY')));
  const owner = { kind: 'app', id: randomUUID(), workspaceId: randomUUID() } as const;
  const open = async (poolSize: number): Promise<Database> => {
    const dataSource = openDataSource({ url: new Secret(databaseUrl), poolSize });
    await dataSource.initialize();
    closings.push(() => dataSource.destroy());
    return new Database(dataSource);
  };
  beforeAll(async () => {
    postgres = await startTestPostgres();
    databaseUrl = await postgres.createDatabase();
    const dataSource = openDataSource({ url: new Secret(databaseUrl), poolSize: 2, unbounded: true });
    await dataSource.initialize();
    await runMigrations(dataSource);
    await dataSource.destroy();
    provider = await startStrictProvider(options);
  });
  afterAll(async () => {
    for (const closing of closings.reverse()) await closing();
    await provider?.close();
    await postgres?.close();
  });
  return {
    get provider() {
      return provider;
    },
    replica: async ({ times = {}, poolSize = 4, refresh = { rotates: true }, fetch: send = (url: string, init: RequestInit) => fetch(url, init) } = {}) => {
      const database = await open(poolSize);
      const seals = new TokenSeals(database, vault);
      const clients = new ConnectionClients();
      const { tokenUrl, revocationUrl, clientId, clientSecret } = provider;
      const client = { tokenUrl, revocationUrl, revocation: 'rfc7009', clientId, authentication: { method: 'basic', secret: new Secret(clientSecret) }, fetch: send } as const;
      clients.provide('app', () => Promise.resolve({ title: 'App', client, refresh }));
      const metrics = new Metrics();
      const logger = createLogger({ level: 'fatal', role: 'control-plane' });
      return { database, seals, clients, metrics, refresher: new ConnectionRefresher({ database, vault, seals, clients, metrics, logger, times: { ...quick, ...times } }) };
    },
    connect: async ({ expiresInSeconds = -1, withRefreshToken = true, idToken } = {}) => {
      const database = await open(1);
      const id = randomUUID();
      const issued = await provider.issue(id);
      const tokens = { accessToken: new Secret(issued.accessToken), refreshToken: withRefreshToken ? new Secret(issued.refreshToken) : undefined, idToken: idToken === undefined ? undefined : new Secret(idToken) };
      await database.transaction(async (sql) => {
        const sealed = await new TokenSeals(database, vault).seal(sql, { id, workspaceId: owner.workspaceId, ownerId: owner.id, personId: id }, tokens);
        // A person of its own each: null would be the organisation's, of which there is one.
        await sql(`insert into people (id, provider, issuer, subject, name) values ($1, 'corp', 'https://corp.example', $2, 'Someone')`, [id, id]);
        await insertConnection(sql, {
          id, owner, personId: id, sessionId: null, ...sealed, refreshable: withRefreshToken, scopes: ['read'], account: null, expiresInSeconds, nextRefreshSeconds: null,
        });
        await sql(`update connections set refreshed_at = now() - interval '1 hour' where id = $1`, [id]);
      });
      return id;
    },
    query: (text, parameters) => runSql(databaseUrl, text, parameters),
  };
}

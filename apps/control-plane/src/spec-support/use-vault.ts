import { randomBytes } from 'node:crypto';
import { parseKey, Secret } from '@gatehouse/sealing';
import { createLogger } from '@gatehouse/service-runtime';
import { afterAll, beforeAll } from 'vitest';
import { runSql, startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { Database } from '../database/database.ts';
import { migrate } from '../database/migrate.ts';
import { openDataSource } from '../database/open-data-source.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { localRootKey } from '../vault/root-keys/local-root-key.ts';
import { RootKeys } from '../vault/root-keys/root-keys.ts';
import type { RotationContext } from '../vault/rotate-keys.ts';
import { Vault } from '../vault/vault.ts';
import { insertDefaultWorkspace } from '../workspaces/workspaces.store.ts';

export interface VaultFixture {
  readonly database: Database;
  readonly rootKeys: RootKeys;
  /** A vault with nothing in its memory, as that of another replica. */
  vault(rootKeys?: RootKeys): Vault;
  context(vault: Vault): RotationContext;
  query<Row = Record<string, unknown>>(text: string, parameters?: unknown[]): Promise<Row[]>;
}

export const rootKeyOf = (text: string) => localRootKey(parseKey(text), 'GATEHOUSE_VAULT_KEY');

/** A database with the schema and a workspace, and no process that works in it: specs take each step themselves. */
export function useVault(): VaultFixture {
  let postgres: TestPostgres | undefined;
  let url = '';
  let database: Database | undefined;
  let close = (): Promise<void> => Promise.resolve();
  const rootKeys = new RootKeys(rootKeyOf(randomBytes(32).toString('hex')));
  beforeAll(async () => {
    postgres = await startTestPostgres();
    url = await postgres.createDatabase();
    await migrate({ environment: { GATEHOUSE_DATABASE_URL: url } });
    const dataSource = await openDataSource({ url: new Secret(url), poolSize: 4 }).initialize();
    close = () => dataSource.destroy();
    database = new Database(dataSource);
    await insertDefaultWorkspace(database.sql, uuidV7());
  });
  afterAll(async () => {
    await close();
    await postgres?.close();
  });
  return {
    get database() {
      if (!database) throw new Error('not started yet');
      return database;
    },
    rootKeys,
    vault: (other = rootKeys) => new Vault(other),
    context(vault) {
      return { database: this.database, vault, logger: createLogger({ level: 'fatal', role: 'control-plane' }), graceSeconds: 60 };
    },
    query: (text, parameters) => runSql(url, text, parameters),
  };
}

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimDataDirectory } from '../../apps/gatehouse/src/data-directory.ts';
import { startEmbeddedPostgres } from '../../apps/gatehouse/src/embedded-postgres/start-embedded-postgres.ts';
import { Client } from 'pg';

export interface TestPostgres {
  /** Of the server, as its owner. */
  readonly url: string;
  /** A new empty database. */
  createDatabase(): Promise<string>;
  close(): Promise<void>;
}

/** A Postgres of one's own; each caller makes as many databases in it as it has things to keep apart. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-postgres-'));
  const dataDirectory = await claimDataDirectory(folder);
  const postgres = await startEmbeddedPostgres(dataDirectory);
  return {
    url: postgres.url,
    createDatabase: async () => {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await runSql(postgres.url, `create database ${name}`);
      const url = new URL(postgres.url);
      url.pathname = `/${name}`;
      return url.href;
    },
    close: async () => {
      await postgres.stop();
      await dataDirectory.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs statements on a connection of their own. */
export async function runSql<Row = Record<string, unknown>>(url: string, text: string, parameters?: unknown[]): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query(text, parameters);
    return result.rows as Row[];
  } finally {
    await client.end();
  }
}

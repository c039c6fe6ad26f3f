import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { claimDataDirectory } from '../../apps/gatehouse/src/data-directory.ts';
import { startEmbeddedPostgres } from '../../apps/gatehouse/src/embedded-postgres/start-embedded-postgres.ts';
import { Client } from 'pg';
import { inject } from 'vitest';
import { PostgresProcess } from './postgres-process.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the server of the whole run, as its owner. */
    readonly postgresUrl: string;
  }
}

export interface TestPostgres {
  /** Of the server, as its owner. */
  readonly url: string;
  /** A new empty database. */
  createDatabase(): Promise<string>;
  close(): Promise<void>;
}

/** Databases of one's own, in the one server of the run: each caller makes as many as it has things to keep apart. */
export function startTestPostgres(): Promise<TestPostgres> {
  const url = inject('postgresUrl');
  const names: string[] = [];
  return Promise.resolve({
    url,
    createDatabase: () => createDatabase(url, names),
    close: async () => {
      for (const name of names) await dropDatabase(url, name);
    },
  });
}

export interface PostgresServer extends TestPostgres {
  /** It and all its sessions die without a word. */
  kill9(): Promise<void>;
  /** After that, at the same port. */
  startAgain(): Promise<void>;
}

/** A server of one's own, for whoever stops it. */
export async function startPostgresServer(): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-postgres-'));
  const dataDirectory = await claimDataDirectory(folder);
  const { url, stop } = await startEmbeddedPostgres(dataDirectory);
  const server = new PostgresProcess(join(dataDirectory.path, 'postgres'));
  return {
    url,
    createDatabase: () => createDatabase(url, []),
    kill9: () => server.kill9(),
    startAgain: () => server.startAgain(),
    close: async () => {
      await server.stop();
      await stop();
      await dataDirectory.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function createDatabase(server: string, names: string[]): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await runSql(server, `create database ${name}`);
  names.push(name);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** Its sessions end with it; but a worker of the server's own that vacuums it just now cannot be ended, and is waited for. */
async function dropDatabase(server: string, name: string): Promise<void> {
  const insufficientPrivilege = '42501';
  for (let triesLeft = 50; ; triesLeft -= 1) {
    try {
      return void (await runSql(server, `drop database ${name} with (force)`));
    } catch (error) {
      if ((error as { code?: unknown }).code !== insufficientPrivilege || triesLeft === 0) throw error;
      await setTimeout(200);
    }
  }
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

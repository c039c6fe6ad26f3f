import { Redis } from 'ioredis';
import { findCanaries, findCanariesInFolder } from './canary.ts';
import { runSql } from './postgres.ts';

export interface Searched {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Of data planes' snapshots. */
  readonly folder: string;
  /** By name: logs, metrics, answers. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Where any of these secrets is in clear text, or encoded: in texts, in Redis, in Postgres or on disk. */
export async function findLeaks({ redisUrl, databaseUrl, folder, texts }: Searched, secrets: string[]): Promise<string[]> {
  const found: string[] = [];
  const search = (where: string, content: string | Uint8Array): void => void found.push(...findCanaries(content, secrets).map(({ form }) => `${where}: ${form}`));
  for (const [name, text] of Object.entries(texts)) search(name, text);

  const redis = new Redis(redisUrl);
  for (const key of await redis.keys('*')) {
    const type = await redis.type(key);
    const fields = type === 'hash' ? Object.entries(await redis.hgetallBuffer(key)).flatMap(([field, value]) => [Buffer.from(field), value]) : [];
    const entries = type === 'stream' ? Buffer.from(JSON.stringify(await redis.xrange(key, '-', '+'))) : Buffer.alloc(0);
    search(`Redis ${key}`, Buffer.concat([Buffer.from(key), await redis.dumpBuffer(key), ...fields, entries]));
  }
  redis.disconnect();

  const tables = await runSql<{ name: string }>(databaseUrl, `select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public'`);
  for (const { name } of tables) search(`Postgres ${name}`, JSON.stringify(await runSql(databaseUrl, `select t::text as row from ${name} t`)));
  return [...found, ...(await findCanariesInFolder(folder, secrets)).map(({ file }) => `disk: ${file}`)];
}

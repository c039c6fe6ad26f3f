import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { claimDataDirectory } from '../data-directory.ts';
import { killAndWait, makePassableFolder, makeTemporaryFolder, query, runModule, startIn, startInChild, until } from './spec-support.ts';
import { startEmbeddedPostgres } from './start-embedded-postgres.ts';

const withPassword = (url: string, password: string): string => Object.assign(new URL(url), { password }).href;
const withUser = (url: string, username: string): string => Object.assign(new URL(url), { username }).href;

it('creates the database at the first start and keeps its data', async () => {
  const folder = await makeTemporaryFolder();
  const cold = await startIn(folder);
  expect(cold.url).toMatch(/^postgres:\/\/gatehouse:[0-9a-f]{48}@127\.0\.0\.1:\d+\/gatehouse$/);
  await query(cold.url, 'create table kept as select 42 as n');
  await cold.stop();
  await expect(query(cold.url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });

  const warm = await startIn(folder);
  expect(await query(warm.url, 'select n from kept')).toEqual([42]);
  expect(new URL(warm.url).password).toBe(new URL(cold.url).password);
});

it('opens to the password of the file alone, and never to the superuser', async () => {
  const folder = await makeTemporaryFolder();
  const first = await startIn(folder);
  const file = join(folder, 'postgres-password');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(new URL(first.url).password).toBe((await readFile(file, 'utf8')).trim());

  // 28P01 invalid_password, 28000 invalid_authorization_specification
  await expect(query(withPassword(first.url, 'wrong'), 'select 1')).rejects.toMatchObject({ code: '28P01' });
  await expect(query(withUser(first.url, 'postgres'), 'select 1')).rejects.toMatchObject({ code: '28000' });
  expect(await query(first.url, 'select rolsuper from pg_roles where rolname = current_user')).toEqual([false]);
  await first.stop();

  await rm(file);
  const second = await startIn(folder);
  expect(new URL(second.url).password).not.toBe(new URL(first.url).password);
  expect(await query(second.url, 'select 1')).toEqual([1]);
});

it('keeps what protects the data switched on', async () => {
  const { url } = await startIn(await makeTemporaryFolder());
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums']) {
    expect(await query(url, `show ${setting}`), setting).toEqual(['on']);
  }
  expect(await query(url, 'show listen_addresses')).toEqual(['127.0.0.1']);
});

it('runs two instances side by side', async () => {
  const folder = await makeTemporaryFolder();
  const [a, b] = await Promise.all([startIn(join(folder, 'a')), startIn(join(folder, 'b'))]);
  await Promise.all([query(a.url, 'create table only_here ()'), query(b.url, 'create table only_here ()')]);
  await a.stop();
  expect(await query(b.url, 'select count(*)::int from only_here')).toEqual([0]);
});

it('lives below any path: long, quoted, in any script, and below folders that are closed to others', async () => {
  const closed = join(await makePassableFolder(), 'closed');
  await mkdir(closed, { mode: 0o700 });
  const { url } = await startIn(join(closed, `dœs "it" work, $HOME's 門番?`, 'l'.repeat(200), 'm'.repeat(200)));
  expect(await query(url, 'select 1')).toEqual([1]);
});

it('runs without root', async () => {
  const folder = await makePassableFolder();
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const data = join(folder, 'open', 'data');
  await mkdir(join(folder, 'open'));
  await chmod(join(folder, 'open'), 0o777);
  const { line } = await runModule(startInChild(data), nobody);
  expect(await query(line, 'select 1')).toEqual([1]);
  expect((await stat(join(data, 'postgres'))).uid).toBe((await stat(data)).uid);
});

it('starts anew after it was killed while it made the cluster', async () => {
  const folder = await makeTemporaryFolder();
  const starting = runModule(startInChild(folder));
  await until(async () => (await readdir(folder)).some((name) => name.startsWith('postgres.initdb-')));
  const [lock = ''] = (await readdir(folder)).filter((name) => name.startsWith('lock.'));
  process.kill(Number(lock.split('.')[1]), 'SIGKILL');
  await killAndWait((await starting).child);

  const { url } = await startIn(folder);
  expect(await query(url, 'select 1')).toEqual([1]);
});

it('says what Postgres said when it does not start', async () => {
  const folder = await makeTemporaryFolder();
  await (await startIn(folder)).stop();
  await writeFile(join(folder, 'postgres', 'PG_VERSION'), '9.6\n');
  const directory = await claimDataDirectory(folder);
  await expect(startEmbeddedPostgres(directory)).rejects.toMatchObject({
    code: 'embedded_postgres_failed',
    output: expect.stringContaining('FATAL') as string,
  });
  await directory.close();
});

it('empties a log that has grown too large', async () => {
  const folder = await makeTemporaryFolder();
  await writeFile(join(folder, 'postgres.log'), Buffer.alloc(11 * 1024 * 1024));
  await startIn(folder);
  expect((await stat(join(folder, 'postgres.log'))).size).toBeLessThan(100_000);
});

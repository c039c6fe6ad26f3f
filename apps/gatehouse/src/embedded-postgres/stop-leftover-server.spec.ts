import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isRunning } from './process-identity.ts';
import { killAndWait, killWatcherOf, makeTemporaryFolder, query, readServerPid, runModule, startIn, startInChild, until } from './spec-support.ts';

it('stops the server that outlived its killed parent, and keeps what it had committed', async () => {
  const folder = await makeTemporaryFolder();
  const { child, line } = await runModule(startInChild(folder));
  await query(line, 'create table kept as select 42 as n');
  const left = await readServerPid(folder);
  await killWatcherOf(left);
  await killAndWait(child);
  expect(isRunning(left)).toBe(true);

  const { url } = await startIn(folder);
  expect(isRunning(left)).toBe(false);
  expect(await query(url, 'select n from kept')).toEqual([42]);
});

it('seldom comes to that: the server ends when its parent is killed', async () => {
  const folder = await makeTemporaryFolder();
  const { child } = await runModule(startInChild(folder));
  const pid = await readServerPid(folder);
  await killAndWait(child);
  await until(() => !isRunning(pid));
});

it('recovers when server and parent were both killed', async () => {
  const folder = await makeTemporaryFolder();
  const { child, line } = await runModule(startInChild(folder));
  await query(line, 'create table kept as select 42 as n');
  process.kill(await readServerPid(folder), 'SIGKILL');
  await killAndWait(child);

  const { url } = await startIn(folder);
  expect(await query(url, 'select n from kept')).toEqual([42]);
});

it.each([
  ['names a living process of another kind', (text: string) => text.replace(/^\d+/, String(process.pid))],
  ['names a process that is gone', (text: string) => text.replace(/^\d+/, '2147483646')],
  ['is empty', () => ''],
])('is not held up by a pid file that %s', async (_, change) => {
  const folder = await makeTemporaryFolder();
  const first = await startIn(folder);
  const file = join(folder, 'postgres', 'postmaster.pid');
  const left = change(await readFile(file, 'utf8'));
  await first.stop();
  await writeFile(file, left);

  const { url } = await startIn(folder);
  expect(await query(url, 'select 1')).toEqual([1]);
  expect(isRunning(process.pid)).toBe(true);
});

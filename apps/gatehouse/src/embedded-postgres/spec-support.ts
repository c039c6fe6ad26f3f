import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
 
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { claimDataDirectory } from '../data-directory.ts';
import { startEmbeddedPostgres } from './start-embedded-postgres.ts';

export async function makeTemporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'gatehouse-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/** A folder that other users can pass through, which `makeTemporaryFolder`'s is not. */
export async function makePassableFolder(): Promise<string> {
  const folder = await makeTemporaryFolder();
  await chmod(folder, 0o711);
  return folder;
}

/** Claims and starts; `stop` also gives the directory back. What a failed test leaves running is stopped at its end. */
export async function startIn(folder: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const directory = await claimDataDirectory(folder);
  const { url, stop: stopServer } = await startEmbeddedPostgres(directory);
  const stop = async (): Promise<void> => {
    await stopServer();
    await directory.close();
  };
  onTestFinished(stop);
  return { url, stop };
}

export async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

/** Runs a module's text in a process of its own, and waits for the first line it prints. */
export async function runModule(
  source: string,
  options: { uid?: number; gid?: number } = {},
): Promise<{ child: ChildProcess; pid: number; line: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    ...options,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => killAndWait(child));
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), once(child, 'exit')])) as [unknown];
  return { child, pid: child.pid ?? 0, line: String(line) };
}

export async function killAndWait(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** What `gatehouse up` does with the two, as text for `runModule`. */
export function startInChild(folder: string): string {
  return `
    import { claimDataDirectory } from ${JSON.stringify(import.meta.resolve('../data-directory.ts'))};
    import { startEmbeddedPostgres } from ${JSON.stringify(import.meta.resolve('./start-embedded-postgres.ts'))};
    const postgres = await startEmbeddedPostgres(await claimDataDirectory(${JSON.stringify(folder)}));
    console.log(postgres.url);
    setInterval(() => undefined, 1_000);
  `;
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20);
}

export async function readServerPid(folder: string): Promise<number> {
  return Number.parseInt(await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8'), 10);
}

/** Kills the shell that would stop the server after its parent: then the server is really left behind. */
export async function killWatcherOf(serverPid: number): Promise<void> {
  for (const pid of await readdir('/proc')) {
    const commandLine = (await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '')).split('\0');
    if (commandLine.includes('gatehouse-postgres-watcher') && commandLine.includes(String(serverPid))) {
      process.kill(Number(pid), 'SIGKILL');
    }
  }
}

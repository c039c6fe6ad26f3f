import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { runCommand } from './run-command.ts';

/** Ends the embedded database that a killed `gatehouse up` left running below `dataDir`, if there is one. */
export async function stopOrphanedPostgres(dataDir: string): Promise<void> {
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    if (entry.name !== 'postmaster.pid') continue;
    const [pid = ''] = (await readFile(join(entry.parentPath, entry.name), 'utf8')).split('\n');
    if (await isPostgres(pid)) await endProcess(Number(pid));
  }
}

/** The number may have been given to another process since. */
async function isPostgres(pid: string): Promise<boolean> {
  const { stdout } = await runCommand('ps', ['-o', 'comm=', '-p', pid]);
  return stdout.includes('postgres');
}

/** SIGQUIT is Postgres's immediate shutdown. It is no child of ours, so its end can only be looked for. */
async function endProcess(pid: number): Promise<void> {
  if (!isRunning(pid)) return;
  process.kill(pid, 'SIGQUIT');
  while (isRunning(pid)) await pause(20);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

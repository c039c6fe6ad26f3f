import { chown, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a running server says of itself in its data directory. */
export interface PostmasterFile {
  readonly pid: number;
  readonly isReady: boolean;
}

/** Undefined where there is none, or none that makes sense. Lines: pid, directory, start, port, sockets, address, memory, status. */
export async function readPostmasterFile(cluster: string): Promise<PostmasterFile | undefined> {
  const lines = (await readFile(pathOf(cluster), 'utf8').catch(() => '')).split('\n');
  // Single-user mode writes its pid as a negative number.
  const pid = Math.abs(Number(lines[0]));
  return Number.isSafeInteger(pid) && pid > 0 ? { pid, isReady: lines[7]?.trim() === 'ready' } : undefined;
}

/** Above any pid that Linux gives out, within what Postgres reads. */
const NO_PID = 2_147_483_647;

/**
 * Postgres believes its predecessor alive when some process of the same user has the pid in the file: after a restart of the
 * container that is often itself by another name. The file is kept, since its line on shared memory is how a new server notices
 * sessions that outlived the old one; only the pid goes.
 */
export async function disownPostmasterFile(cluster: string): Promise<void> {
  const path = pathOf(cluster);
  const [, ...rest] = (await readFile(path, 'utf8')).split('\n');
  const { uid, gid } = await stat(cluster);
  const replacement = `${path}.disowned`;
  await writeFile(replacement, [NO_PID, ...rest].join('\n'), { mode: 0o600 });
  await chown(replacement, uid, gid);
  await rename(replacement, path);
}

/** An empty or torn file, from a power cut, would keep Postgres from starting. */
export async function removePostmasterFile(cluster: string): Promise<void> {
  await rm(pathOf(cluster), { force: true });
}

function pathOf(cluster: string): string {
  return join(cluster, 'postmaster.pid');
}

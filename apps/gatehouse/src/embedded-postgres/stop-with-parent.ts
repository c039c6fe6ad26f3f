import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { ServerUser } from './server-user.ts';

/** Waits for a line; the end of the input without one means that the parent was killed. */
const SCRIPT = 'read -r _ || kill -INT "$1"';

/**
 * Stops the server when this process ends without having done so: by SIGKILL, or for want of memory. A shell holds the other end of
 * a pipe that the kernel closes with the process. Returns what to call once the server has ended in another way.
 */
export function stopWithParent(pid: number, user: ServerUser): () => void {
  const watcher = spawn('/bin/sh', ['-c', SCRIPT, 'gatehouse-postgres-watcher', String(pid)], {
    ...user,
    cwd: '/',
    env: {},
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Without a watcher the server is left behind by a killed parent, and stopped at the next start.
  watcher.on('error', () => undefined);
  watcher.stdin.on('error', () => undefined);
  watcher.unref();
  (watcher.stdin as Socket).unref();
  return () => watcher.stdin.end('\n');
}

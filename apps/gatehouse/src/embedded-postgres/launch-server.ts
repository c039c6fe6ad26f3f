import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresFailed } from './embedded-postgres-error.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { spawnServer } from './run-in-cluster.ts';
import type { Installation } from './run-in-cluster.ts';
import { openServerLog } from './server-log.ts';
import { serverArguments } from './server-settings.ts';
import { stopProcess } from './stop-process.ts';
import { stopWithParent } from './stop-with-parent.ts';

export interface RunningServer {
  readonly port: number;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** Recovery after a crash replays up to `max_wal_size`; that takes seconds, not minutes. */
const READY_WITHIN_MS = 120_000;

/** Starts the server on a free port and waits until it takes connections. */
export async function launchServer(installation: Installation, cluster: string, logPath: string): Promise<RunningServer> {
  const port = await findFreePort();
  const args = serverArguments(cluster, port);
  const log = await openServerLog(logPath, installation.user);
  const child = spawnServer(installation, cluster, args, log.file.fd);
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? String(code)}`));
  });
  await log.file.close();

  const { pid } = child;
  if (pid === undefined) throw new EmbeddedPostgresFailed('Postgres could not be started', await ended);
  const dismissWatcher = stopWithParent(pid, installation.user);
  void ended.then(dismissWatcher);

  const failure = await Promise.race([ended, waitUntilReady(cluster, pid, isRunning)]);
  if (failure !== undefined) {
    await stopIfRunning();
    throw new EmbeddedPostgresFailed(`Postgres did not start (${failure})`, await log.tail());
  }
  // It ends with this process; it does not keep this process from ending.
  child.unref();
  return { port, pid, stop: stopIfRunning };

  async function stopIfRunning(): Promise<void> {
    child.ref();
    // Only while the child is not reaped is the pid surely its own.
    if (pid !== undefined && isRunning()) await stopProcess(pid);
    await ended;
  }
}

/** By the server's own word in its pid file, as pg_ctl does: no connection, no password. Undefined when ready, else why not. */
async function waitUntilReady(cluster: string, pid: number, isRunning: () => boolean): Promise<string | undefined> {
  for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline && isRunning(); await delay(10)) {
    const file = await readPostmasterFile(cluster);
    if (file?.pid === pid && file.isReady) return undefined;
  }
  return `it was not ready within ${READY_WITHIN_MS / 1000} s`;
}

/** Postgres has no port 0. Between here and its start somebody else may take the port: then it fails, and is started again. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

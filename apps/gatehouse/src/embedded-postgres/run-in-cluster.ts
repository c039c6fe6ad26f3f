import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { EmbeddedPostgresFailed, lastLines } from './embedded-postgres-error.ts';
import type { ServerUser } from './server-user.ts';

/** Programs, and the user that they run as. */
export interface Installation {
  readonly binaries: string;
  readonly user: ServerUser;
}

/**
 * How the programs are told their data directory: as the directory they are started in. It is entered before the user changes, so
 * the folders above may be root's alone; and no length, space or quote in the path ever reaches Postgres or the shell of initdb.
 */
const DATA_DIRECTORY = '/proc/self/cwd';

/** Nothing of this process's environment: PGDATA, LD_LIBRARY_PATH and the like would change the server, secrets would reach it. */
const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC' };

export function spawnInCluster(
  { binaries, user }: Installation,
  cluster: string,
  program: 'initdb' | 'postgres',
  args: readonly string[],
  options: Pick<SpawnOptions, 'stdio' | 'detached'>,
): ChildProcess {
  return spawn(join(binaries, 'bin', program), args, { ...options, ...user, cwd: cluster, env: ENVIRONMENT });
}

/** Runs initdb to its end. */
export function runInitdb(installation: Installation, cluster: string, args: readonly string[]): Promise<void> {
  return runToEnd(installation, cluster, 'initdb', ['-D', DATA_DIRECTORY, ...args], '');
}

/** Runs statements, one a line, on a cluster that no server runs on. The first that fails ends it. */
export function runSingleUser(installation: Installation, cluster: string, statements: readonly string[]): Promise<void> {
  // A statement that fails would be repeated in the error, and may hold a password.
  const settings = ['-c', 'exit_on_error=on', '-c', 'log_min_error_statement=panic', '-c', 'log_checkpoints=off'];
  const args = ['--single', '-D', DATA_DIRECTORY, ...settings, 'template1'];
  return runToEnd(installation, cluster, 'postgres', args, statements.map((statement) => `${statement}\n`).join(''));
}

export function spawnServer(installation: Installation, cluster: string, args: readonly string[], logFile: number): ChildProcess {
  // Detached, into a session of its own: Ctrl-C in a terminal must not stop the database before those who use it.
  return spawnInCluster(installation, cluster, 'postgres', ['-D', DATA_DIRECTORY, ...args], {
    stdio: ['ignore', logFile, logFile],
    detached: true,
  });
}

async function runToEnd(
  installation: Installation,
  cluster: string,
  program: 'initdb' | 'postgres',
  args: readonly string[],
  input: string,
): Promise<void> {
  const child = spawnInCluster(installation, cluster, program, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? String(code)));
  });
  // A program that ended early does not read its input; how it ended says more than the broken pipe.
  child.stdin?.on('error', () => undefined).end(input);
  const output = child.stderr ? text(child.stderr) : Promise.resolve('');
  try {
    const outcome = await ended;
    if (outcome !== '0') throw new EmbeddedPostgresFailed(`${program} ended with ${outcome}`, lastLines(await output));
  } catch (cause) {
    if (cause instanceof EmbeddedPostgresFailed) throw cause;
    throw new EmbeddedPostgresFailed(`${program} could not be started`, String(cause), { cause });
  }
}

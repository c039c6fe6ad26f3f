import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readlink, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { readPostmasterFile } from '../../apps/gatehouse/src/embedded-postgres/postmaster-file.ts';
import { endWithThisProcess } from './run-command.ts';

/** The processes of a Postgres, to be killed and started again at the same port. */
export class PostgresProcess {
  readonly #cluster: string;
  #command: readonly string[] = [];
  #restarted: ChildProcess | undefined;

  /** @param cluster its folder, on which it runs */
  constructor(cluster: string) {
    this.#cluster = cluster;
  }

  /** It dies without a word, with all that serve its sessions. */
  async kill9(): Promise<void> {
    const { pid } = (await readPostmasterFile(this.#cluster)) ?? {};
    if (pid === undefined) throw new Error('no Postgres runs here');
    this.#command = [await readlink(`/proc/${pid}/exe`), ...(await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(1, -1)];
    const sessions = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter((child) => child !== '').map(Number);
    for (const process of [pid, ...sessions]) kill(process);
    // Those that are gone have let go of their memory, which the next one asks for.
    for (const process of [pid, ...sessions]) while (await isRunning(process)) await pause(10);
  }

  /** Recovers what the crash left, and resolves when it takes connections. */
  async startAgain(): Promise<void> {
    const [program = '', ...args] = this.#command;
    const { uid, gid } = await stat(this.#cluster);
    const user = process.getuid?.() === 0 ? { uid, gid } : {};
    const child = spawn(program, args, { ...user, cwd: this.#cluster, env: { LC_ALL: 'C', TZ: 'UTC' }, stdio: 'ignore' });
    endWithThisProcess(child);
    this.#restarted = child;
    for (;;) {
      const file = await readPostmasterFile(this.#cluster);
      if (file?.pid === child.pid && file?.isReady === true) return;
      if (child.exitCode !== null) throw new Error(`Postgres ended with ${child.exitCode}`);
      await pause(10);
    }
  }

  /** The one that was started again, if it runs. */
  async stop(): Promise<void> {
    const child = this.#restarted;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    await exited;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone with the first one.
  }
}

/** Corpses that nobody has buried yet do not count. */
async function isRunning(pid: number): Promise<boolean> {
  const state = /\) (\S)/.exec(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))?.[1];
  return state !== undefined && state !== 'Z';
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { environment } from './environment.ts';

const executable = fileURLToPath(new URL('../bin/gatehouse.js', import.meta.url));

export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Only what a command needs of this process's environment: no settings of whoever runs the tests. */
const environmentWith = (env: Readonly<Record<string, string>> = {}) => ({ PATH: environment['PATH'], HOME: environment['HOME'], NO_COLOR: '1', ...env });

/** Runs the built command line to its end. */
export async function gatehouse(args: readonly string[], { cwd, env, input }: RunOptions = {}): Promise<CommandResult> {
  const child = spawn(process.execPath, [executable, ...args], { cwd, env: environmentWith(env), stdio: 'pipe' });
  child.stdin.end(input);
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number | null]>]);
  return { exitCode, stdout, stderr };
}

export interface RunningGatehouse {
  readonly child: ChildProcess;
  /** What it said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Everything on standard output so far. */
  stdout(): string;
  /** Sends a signal and gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a command that goes on running; resolves when it says by a line of JSON that it is ready. */
export async function startGatehouse(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<RunningGatehouse> {
  const child = spawn(process.execPath, [executable, ...args, '--json'], { env: environmentWith(env), stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  const lines: string[] = [];
  const stderr = text(child.stderr);
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const ready = new Promise<RunningGatehouse['ready']>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      const value = JSON.parse(line) as Record<string, unknown>;
      if (value['ready'] === true) resolve(value);
    });
  });
  const ended = exited.then(async ([exitCode]) => Promise.reject(new Error(`gatehouse ${args[0]} ended with ${exitCode}: ${lines.join('\n')}${await stderr}`)));
  return {
    child,
    ready: await Promise.race([ready, ended]),
    stdout: () => lines.join('\n'),
    stop: async (signal = 'SIGTERM') => {
      ended.catch(() => undefined);
      child.kill(signal);
      return (await exited)[0];
    },
  };
}

export interface RunningUp extends RunningGatehouse {
  readonly controlPlaneUrl: string;
  readonly dataPlaneUrl: string;
}

/** `gatehouse up` on free ports. */
export async function gatehouseUp(dataDir: string, flags: readonly string[] = []): Promise<RunningUp> {
  const up = await startGatehouse(['up', '--data-dir', dataDir, '--control-plane-port', '0', '--data-plane-port', '0', ...flags]);
  const { controlPlaneUrl, dataPlaneUrl } = up.ready as { controlPlaneUrl: string; dataPlaneUrl: string };
  return { ...up, controlPlaneUrl, dataPlaneUrl };
}

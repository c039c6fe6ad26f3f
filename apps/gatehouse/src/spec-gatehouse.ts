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

export interface RunningUp {
  readonly child: ChildProcess;
  readonly controlPlaneUrl: string;
  readonly dataPlaneUrl: string;
  /** Everything on standard output so far. */
  stdout(): string;
  /** Sends a signal and gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** `gatehouse up --json` on free ports; resolves when it says that it is ready. */
export async function gatehouseUp(dataDir: string, flags: readonly string[] = [], env?: Readonly<Record<string, string>>): Promise<RunningUp> {
  const args = ['up', '--json', '--data-dir', dataDir, '--control-plane-port', '0', '--data-plane-port', '0', ...flags];
  const child = spawn(process.execPath, [executable, ...args], { env: environmentWith(env), stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  const lines: string[] = [];
  const stderr = text(child.stderr);
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const first = await Promise.race([once(createInterface(child.stdout).on('line', (line) => lines.push(line)), 'line') as Promise<[string]>, exited]);
  if (typeof first[0] !== 'string') throw new Error(`gatehouse up ended with ${first[0]}: ${await stderr}`);
  const { controlPlaneUrl, dataPlaneUrl } = JSON.parse(first[0]) as { controlPlaneUrl: string; dataPlaneUrl: string };
  return {
    child,
    controlPlaneUrl,
    dataPlaneUrl,
    stdout: () => lines.join('\n'),
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return (await exited)[0];
    },
  };
}

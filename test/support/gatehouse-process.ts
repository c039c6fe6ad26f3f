import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createAdminClient, type AdminClient } from './admin-client.ts';
import { type CommandResult, endWithThisProcess, runCommand } from './run-command.ts';

export interface GatehouseProcess {
  child: ChildProcess;
  controlPlaneUrl: string;
  dataPlaneUrl: string;
  /** Where the first administrator sets a password, once; empty where there is one already. */
  loginUrl: string;
  /** With the token that `up` wrote to its data directory. */
  admin: AdminClient;
  /** Everything the process has written so far, in order of arrival. */
  output(): string;
  /** The process dies without a word. */
  kill9(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export interface GatehouseOptions {
  /** Added to this process's environment; undefined removes. */
  env?: Record<string, string | undefined>;
  /** Of another build than this checkout's. */
  executable?: string;
}

interface ReadyLine {
  ready: true;
  controlPlaneUrl?: string;
  dataPlaneUrl?: string;
  loginUrl?: string;
}

const executable = fileURLToPath(new URL('../../apps/gatehouse/bin/gatehouse.js', import.meta.url));

/** Runs a command of the built product to its end. */
export const gatehouseCommand = (args: string[], env: Record<string, string> = {}): Promise<CommandResult> =>
  runCommand(process.execPath, [executable, ...args], { env: { ...process.env, ...env } });

/** Starts the built product and resolves when it says that it is ready; rejects with its output when it ends before. */
export async function startGatehouse(args: string[], options: GatehouseOptions = {}): Promise<GatehouseProcess> {
  const env = { ...process.env, ...options.env };
  const child = spawn(process.execPath, [options.executable ?? executable, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  endWithThisProcess(child);
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const output = (): string => chunks.join('');

  const { controlPlaneUrl = '', dataPlaneUrl = '', loginUrl = '' } = await readyLine(child, output);
  const token = await adminToken(args);
  return {
    child,
    controlPlaneUrl,
    dataPlaneUrl,
    loginUrl,
    admin: createAdminClient(controlPlaneUrl, token),
    output,
    kill9: async () => void (await end(child, 'SIGKILL')),
    stop: () => end(child, 'SIGTERM'),
  };
}

function readyLine(child: ChildProcess & { stdout: NodeJS.ReadableStream }, output: () => string): Promise<ReadyLine> {
  return new Promise((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const ready = parseReady(line);
      if (ready !== undefined) resolve(ready);
    });
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`gatehouse ended with ${code} before it was ready:\n${output()}`)));
  });
}

function parseReady(line: string): ReadyLine | undefined {
  try {
    const value = JSON.parse(line) as Partial<ReadyLine> | null;
    return value?.ready === true ? (value as ReadyLine) : undefined;
  } catch {
    return undefined;
  }
}

async function adminToken(args: string[]): Promise<string> {
  const folder = args[args.indexOf('--data-dir') + 1];
  if (!args.includes('--data-dir') || folder === undefined) return '';
  return (await readFile(join(folder, 'admin-token'), 'utf8')).trim();
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  return child.exitCode;
}

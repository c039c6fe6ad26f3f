import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { listenOnLoopback } from './listen.ts';
import { ensureRedisServer } from './redis-binary.ts';
import { endWithThisProcess } from './run-command.ts';

export interface RunningRedis {
  port: number;
  url: string;
  /** The process dies without a word; the connections break. */
  kill9(): Promise<void>;
  /** It says nothing any more, and its connections stay open. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** A Redis of its own for a test, without persistence. Give the port of an earlier one to come back in its place. */
export async function startRedis(options: { port?: number; args?: string[] } = {}): Promise<RunningRedis> {
  await ensureRedisServer();
  const attempts = options.port === undefined ? 5 : 1;
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const redis = await tryStart(port, options.args ?? []);
    if (typeof redis !== 'string') return redis;
    if (attempt === attempts) throw new Error(`redis-server did not start on port ${port}:\n${redis}`);
  }
}

/** Resolves with what the server said when it ended instead of accepting connections. */
async function tryStart(port: number, args: string[]): Promise<RunningRedis | string> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', [...settings, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  endWithThisProcess(child);
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (line.includes('Ready to accept connections')) break;
  }
  child.stdout.resume();
  const end = (signal: NodeJS.Signals): Promise<void> => endAndClean(child, signal, folder);
  if (child.exitCode === null && lines.at(-1)?.includes('Ready') === true) {
    return {
      port,
      url: `redis://127.0.0.1:${port}`,
      kill9: () => end('SIGKILL'),
      freeze: () => void child.kill('SIGSTOP'),
      thaw: () => void child.kill('SIGCONT'),
      stop: () => end('SIGTERM'),
    };
  }
  await end('SIGKILL');
  return lines.join('\n');
}

/** Ends a process, and takes its folder away. */
export async function endAndClean(child: ChildProcess, signal: NodeJS.Signals, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  await rm(folder, { recursive: true, force: true });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  server.close();
  await once(server, 'close');
  return port;
}

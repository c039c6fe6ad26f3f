import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { installDebianPackage } from './debian-package.ts';
import { closeHttpServer, listenOnLoopback } from './listen.ts';
import { endWithThisProcess, runCommand } from './run-command.ts';

export interface Nginx {
  readonly url: string;
  /** A line for each request, as the configuration has them written. */
  accessLog(): Promise<string>;
  errorLog(): Promise<string>;
  close(): Promise<void>;
}

/** Where the planes listen, as `host:port`. */
export interface NginxTargets {
  readonly dataPlanes: readonly [string, string];
  readonly controlPlanes: readonly string[];
}

const configurationFile = fileURLToPath(new URL('../../deploy/compose/nginx.conf', import.meta.url));
const advice = 'The tests need nginx. Install it (Debian: apt-get install nginx-light, macOS: brew install nginx) and try again.';

/** The ingress of docker-compose.yml with its own configuration, in which only addresses and folders are this machine's. */
export async function startNginx({ dataPlanes, controlPlanes }: NginxTargets, port?: number): Promise<Nginx> {
  await ensureNginx();
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'));
  const listens = port ?? (await freePort());
  const file = join(folder, 'nginx.conf');
  await writeFile(file, replaceAll(await readFile(configurationFile, 'utf8'), {
    'data-plane-1:3001': dataPlanes[0],
    'data-plane-2:3001': dataPlanes[1],
    // A name with several addresses is several servers, as Compose has them where there are replicas.
    [controlPlaneOf('control-plane:3000')]: controlPlanes.map(controlPlaneOf).join(' '),
    'listen 8080': `listen 127.0.0.1:${listens}`,
    'worker_processes auto': 'worker_processes 1',
    ' /tmp/': ` ${folder}/`,
    '/dev/std': `${folder}/std`,
  }));
  const run = ['-c', file, '-p', folder, '-e', join(folder, 'stderr')];
  const { exitCode, stderr } = await runCommand('nginx', ['-t', ...run]);
  if (exitCode !== 0) throw new Error(stderr);
  const child = spawn('nginx', [...run, '-g', 'daemon off;'], { stdio: 'ignore' });
  endWithThisProcess(child);
  const url = `http://127.0.0.1:${listens}`;
  await vi.waitFor(async () => {
    if ((await fetch(`${url}/.ingress-health`)).status !== 204) throw new Error('not yet');
  }, { timeout: 20_000 });
  return {
    url,
    accessLog: () => readFile(join(folder, 'stdout'), 'utf8'),
    errorLog: () => readFile(join(folder, 'stderr'), 'utf8'),
    close: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const controlPlaneOf = (target: string): string => `server ${target} max_fails=1 fail_timeout=2s;`;

/** One of this machine that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  await closeHttpServer(server);
  return port;
}

async function ensureNginx(): Promise<void> {
  if (hasNginx()) return;
  await installDebianPackage('nginx-light', advice);
  if (!hasNginx()) throw new Error(advice);
}

const hasNginx = (): boolean => spawnSync('nginx', ['-v']).error === undefined;

/** @throws where there is nothing to replace: then the configuration has become another one */
function replaceAll(text: string, replacements: Readonly<Record<string, string>>): string {
  return Object.entries(replacements).reduce((replaced, [from, to]) => {
    if (!replaced.includes(from)) throw new Error(`deploy/compose/nginx.conf has no "${from}"`);
    return replaced.replaceAll(from, to);
  }, text);
}

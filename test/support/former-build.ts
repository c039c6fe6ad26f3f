import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './run-command.ts';

export interface FormerBuild {
  readonly commit: string;
  /** To be run as this checkout's own is. */
  readonly executable: string;
  close(): Promise<void>;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const migrations = 'apps/control-plane/src/database/migrations';

/** The release before this one: the newest tag, and until there is one, the last commit of an earlier schema. Nothing where there is no history. */
export async function formerCommit(): Promise<string | undefined> {
  const tag = await git(['describe', '--tags', '--abbrev=0', 'HEAD^']);
  if (tag !== undefined) return tag;
  const newestMigration = await git(['log', '-1', '--format=%H', '--diff-filter=A', '--', migrations]);
  return newestMigration === undefined ? undefined : git(['rev-parse', '--verify', '--quiet', `${newestMigration}^`]);
}

/** Builds it in a folder of its own, with the packages that are installed here. */
export async function buildFormer(commit: string): Promise<FormerBuild> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-former-'));
  const close = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await must('git', ['clone', '--quiet', '--shared', '--no-checkout', root, folder], root);
    await must('git', ['checkout', '--quiet', '--detach', commit], folder);
    await linkPackages(folder);
    await must(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build'], join(folder, 'apps/gatehouse'));
    return { commit, executable: join(folder, 'apps/gatehouse/bin/gatehouse.js'), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What is installed here is there too, but for the workspace's own packages, which are its own. */
async function linkPackages(folder: string): Promise<void> {
  const own = join(folder, 'node_modules/@gatehouse');
  await mkdir(own, { recursive: true });
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name !== '@gatehouse') await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
  for (const group of ['apps', 'libs']) {
    for (const name of await readdir(join(folder, group))) {
      const workspace = join(folder, group, name);
      if (!existsSync(join(workspace, 'package.json'))) continue;
      const { name: full } = JSON.parse(await readFile(join(workspace, 'package.json'), 'utf8')) as { name: string };
      await symlink(workspace, join(folder, 'node_modules', full));
      const installed = join(root, group, name, 'node_modules');
      if (existsSync(installed)) await symlink(installed, join(workspace, 'node_modules'));
    }
  }
}

async function git(args: string[]): Promise<string | undefined> {
  const { exitCode, stdout } = await runCommand('git', args, { cwd: root });
  return exitCode === 0 && stdout.trim() !== '' ? stdout.trim() : undefined;
}

async function must(command: string, args: string[], cwd: string): Promise<void> {
  const { exitCode, stdout, stderr } = await runCommand(command, args, { cwd });
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`);
}

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type CommandResult, runCommand } from '../support/run-command.ts';
import { installTools } from './install-tools.ts';

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
/** What is asked for. */
export const toolLists = ['requirements.txt', 'package.json', 'package-lock.json'].map((file) => join(lists, file));

/** Installed at the first use, under a name made of what is asked for. */
export async function deployTools(): Promise<DeployTools> {
  const contents = await Promise.all(toolLists.map((file) => readFile(file)));
  const folder = join(root, 'node_modules/.cache', `gatehouse-deploy-tools-${createHash('sha256').update(contents.join('\n')).digest('hex').slice(0, 12)}`);
  await installTools({ folder, lists: toolLists });
  const env = { ...process.env, PYTHONPATH: join(folder, 'python') };
  return {
    kubectl: (args) => runCommand(join(folder, 'python/bin/kubectl'), args, { env }),
    hadolint: (args) => runCommand(join(folder, 'python/bin/hadolint'), args, { env }),
    python: (args) => runCommand('python3', args, { env }),
    promtool: (args) => runCommand(existsSync(join(folder, 'promtool')) ? join(folder, 'promtool') : 'promtool', args),
    load: <T>(path: string) => import(pathToFileURL(join(folder, 'node_modules', path)).href) as Promise<T>,
  };
}

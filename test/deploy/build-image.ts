import { chmod, mkdir, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { runCommand } from '../support/run-command.ts';
import { buildContext } from './build-context.ts';
import { type Instruction, readDockerfile, readPairs, type Stage } from './read-dockerfile.ts';

export interface Image {
  /** What would be the image's `/`, without what its base has. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly user: string;
}

export interface BuildOptions {
  /** Of the checkout. */
  readonly source: string;
  readonly folder: string;
  /** Folders to take in a stage's place, by its name. */
  readonly instead?: Readonly<Record<string, string>>;
}

/**
 * Carries out a Dockerfile without an engine: each stage is a folder, each RUN a shell in its working directory. So a RUN may name
 * no absolute path, and what the base images bring is what this machine has.
 */
export async function buildImage({ source, folder, instead = {} }: BuildOptions): Promise<Image> {
  const context = join(folder, 'context');
  await copyFiles(source, await buildContext(source), context);
  const roots: Record<string, string> = { ...instead };
  let image: Image | undefined;
  for (const stage of readDockerfile(await readFile(join(source, 'Dockerfile'), 'utf8'))) {
    if (roots[stage.name] !== undefined) continue;
    const root = join(folder, `stage-${stage.name || 'final'}`);
    roots[stage.name] = root;
    image = await buildStage(stage, root, (name) => (name === undefined ? context : roots[name]));
  }
  if (image === undefined) throw new Error('the Dockerfile has no stage');
  return image;
}

async function buildStage({ steps }: Stage, root: string, rootOf: (stage: string | undefined) => string | undefined): Promise<Image> {
  let [workdir, user] = ['/', ''];
  let entrypoint: string[] = [];
  const environment: Record<string, string> = {};
  await mkdir(root, { recursive: true });
  await chmod(root, 0o755);
  const step = async ({ keyword, text }: Instruction): Promise<void> => {
    switch (keyword) {
      case 'WORKDIR':
        workdir = text;
        return void (await mkdir(join(root, workdir), { recursive: true }));
      case 'ENV':
        return void Object.assign(environment, readPairs(text));
      case 'USER':
        user = text;
        return;
      case 'ENTRYPOINT':
        entrypoint = JSON.parse(text) as string[];
        return;
      case 'COPY':
        return copy(text, { root, workdir, rootOf });
      case 'RUN':
        return run('sh', ['-c', text], { cwd: join(root, workdir), env: { ...process.env, ...environment } });
      case 'LABEL':
      case 'EXPOSE':
      case 'CMD':
        return;
      default:
        throw new Error(`not carried out: ${keyword} ${text}`);
    }
  };
  for (const instruction of steps) await step(instruction);
  return { root, environment, entrypoint, user };
}

interface CopyPlace {
  readonly root: string;
  readonly workdir: string;
  readonly rootOf: (stage: string | undefined) => string | undefined;
}

/** A folder's content goes into the target, which is made; files go into it where it ends with a slash. */
async function copy(text: string, { root, workdir, rootOf }: CopyPlace): Promise<void> {
  const words = text.split(' ');
  const flags = Object.fromEntries(words.filter((word) => word.startsWith('--')).map((flag) => flag.slice(2).split('=') as [string, string]));
  const [target = '', ...sources] = words.filter((word) => !word.startsWith('--')).reverse();
  const from = rootOf(flags['from']);
  if (from === undefined) throw new Error(`no such stage: COPY ${text}`);
  const into = join(root, isAbsolute(target) ? target : join(workdir, target));
  await mkdir(into, { recursive: true });
  for (const source of sources.reverse()) {
    const path = join(from, source);
    const isFile = (await runCommand('test', ['-f', path])).exitCode === 0;
    if (isFile && !target.endsWith('/')) throw new Error(`a file is copied into a folder, with a slash behind it: COPY ${text}`);
    // Links cost nothing, and nothing that is copied is changed any more.
    await run('cp', ['-al', isFile ? path : `${path}/.`, into]);
  }
  if (flags['chown'] !== undefined && process.getuid?.() === 0) await run('chown', ['-R', flags['chown'], into]);
}

async function copyFiles(source: string, files: readonly string[], target: string): Promise<void> {
  for (const folder of new Set(files.map((file) => dirname(file)))) await mkdir(join(target, folder), { recursive: true });
  const byFolder = Map.groupBy(files, (file) => dirname(file));
  for (const [folder, names] of byFolder) await run('cp', ['-a', ...names.map((name) => join(source, name)), join(target, folder)]);
}

async function run(command: string, args: string[], options: Parameters<typeof runCommand>[2] = {}): Promise<void> {
  const { exitCode, stdout, stderr } = await runCommand(command, args, options);
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${exitCode}:\n${stdout}\n${stderr}`);
}

import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, open, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresUnsupported } from './embedded-postgres-error.ts';
import type { PackagedBinaries } from './find-binaries.ts';
import { formatIdentity, isAlive, isOfOwnWorld, ownIdentity, parseIdentity } from './process-identity.ts';

const STAGING_PREFIX = '.staging.';

/**
 * Returns the folder with `bin/postgres` that the server's user can run.
 *
 * In place where that is possible. A copy below `home` otherwise: as root, since the checkout may be below a folder that only root
 * can enter; and where the package's install script did not run, since the libraries are then not found by their short names.
 */
export async function installBinaries(packaged: PackagedBinaries, home: string, asRoot: boolean): Promise<string> {
  const links = await readLinks(packaged.folder);
  const isComplete = links.every(({ target }) => existsSync(join(packaged.folder, target)));
  if (!asRoot && isComplete) return packaged.folder;

  const folder = join(home, `postgres-${packaged.version}`);
  if (existsSync(folder)) return folder;
  try {
    await copyAtomically(packaged.folder, links, folder);
  } catch (cause) {
    throw new EmbeddedPostgresUnsupported(`its binaries could not be copied to ${folder}`, { cause });
  }
  return folder;
}

async function copyAtomically(from: string, links: readonly Link[], to: string): Promise<void> {
  const home = dirname(to);
  await mkdir(home, { recursive: true });
  await chmod(home, 0o755);
  await removeAbandonedStaging(home);

  const staging = await mkdtemp(join(home, `${STAGING_PREFIX}${formatIdentity(ownIdentity())}-`));
  try {
    await cp(from, staging, { recursive: true, verbatimSymlinks: true, filter: isNeededToRun });
    for (const { source, target } of links) await linkOnce(basename(source), join(staging, target));
    await settle(staging);
    // The only step that others see. A second starter's copy is as good as ours.
    await rename(staging, to);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

interface Link {
  /** Both relative to the package's `native` folder, and always in the same folder. */
  readonly source: string;
  readonly target: string;
}

/** npm cannot pack symbolic links: the package lists them, with paths from its own root. */
async function readLinks(folder: string): Promise<Link[]> {
  const listed = JSON.parse(await readFile(join(folder, 'pg-symlinks.json'), 'utf8')) as Link[];
  const strip = (path: string): string => path.replace(/^native\//, '');
  return listed.map(({ source, target }) => ({ source: strip(source), target: strip(target) }));
}

async function linkOnce(source: string, target: string): Promise<void> {
  await symlink(source, target).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

function isNeededToRun(path: string): boolean {
  return !/\.a$|\/(pgxs|pkgconfig|include)$/.test(path);
}

/** Modes that do not depend on the umask, contents on disk before the rename: a power cut must not leave empty programs. */
async function settle(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await settle(path);
    if (!entry.isFile()) continue;
    const file = await open(path, 'r');
    try {
      await file.chmod(basename(folder) === 'bin' || /\.so(\.|$)/.test(entry.name) ? 0o755 : 0o644);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

async function removeAbandonedStaging(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    const owner = name.startsWith(STAGING_PREFIX) ? parseIdentity(name.slice(STAGING_PREFIX.length).replace(/-.*$/, '')) : undefined;
    if (owner === undefined || (isOfOwnWorld(owner) && isAlive(owner))) continue;
    await rm(join(home, name), { recursive: true, force: true });
  }
}

import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const defaultDataDirectory = '.gatehouse';

/** What a running `gatehouse up` writes down for the other commands. */
export interface Instance {
  readonly pid: number;
  readonly version: string;
  readonly controlPlaneUrl: string;
  readonly dataPlaneUrl: string;
}

const pathIn = (dataDirectory: string): string => join(dataDirectory, 'instance.json');

export const adminTokenPath = (dataDirectory: string): string => join(dataDirectory, 'admin-token');

export async function writeInstance(dataDirectory: string, instance: Instance): Promise<void> {
  const path = pathIn(dataDirectory);
  await writeFile(`${path}.new`, `${JSON.stringify(instance, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

export async function removeInstance(dataDirectory: string): Promise<void> {
  await rm(pathIn(dataDirectory), { force: true });
}

/** The instance whose process is alive, or undefined. A file that a killed process left behind does not count. */
export async function readInstance(dataDirectory: string): Promise<Instance | undefined> {
  const text = await readFile(pathIn(dataDirectory), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const instance = JSON.parse(text) as Instance;
  return isAlive(instance.pid) ? instance : undefined;
}

/** The admin token must not go to whoever listens on a dead instance's port. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

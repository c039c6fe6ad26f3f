import { copyFile, mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandFailure } from '../command-failure.ts';
import { mergeConfiguration } from './merge-configuration.ts';
import type { McpClient, ServerEntry } from './mcp-client.ts';

export interface WrittenConfiguration {
  readonly isChanged: boolean;
  /** Where the file as it was is kept, if there was one. */
  readonly backup?: string;
}

/** Merges the servers into a client's file. The file is replaced as a whole, so that it is never half written. */
export async function writeConfiguration(client: McpClient, file: string, servers: readonly ServerEntry[]): Promise<WrittenConfiguration> {
  // A linked file (as dotfiles are) stays a link.
  const path = await realpath(file).catch(() => file);
  const current = await readIfThere(path);
  const text = mergeInto(client, file, current, servers);
  if (text === undefined) return { isChanged: false };
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.new`;
  await writeFile(draft, text, { mode: current === undefined ? 0o600 : (await stat(path)).mode & 0o777 });
  const backup = current === undefined ? undefined : `${path}.${new Date().toISOString().replaceAll(/[:.]/g, '-')}.backup`;
  if (backup !== undefined) await copyFile(path, backup);
  await rename(draft, path);
  return { isChanged: true, ...(backup !== undefined && { backup }) };
}

function mergeInto(client: McpClient, file: string, current: string | undefined, servers: readonly ServerEntry[]): string | undefined {
  try {
    return mergeConfiguration(client, current, servers);
  } catch (error) {
    if (error instanceof CommandFailure) throw new CommandFailure(`${file} is not changed: ${error.message}`, { cause: error });
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

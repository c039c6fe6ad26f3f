import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const searchFolders = createRequire(import.meta.url).resolve.paths('x') ?? [];

/** The absolute path of a file in an installed package, also one that its `exports` do not name. */
export function packageFile(name: string, file: string): string {
  const folder = searchFolders.find((candidate) => existsSync(join(candidate, name, 'package.json')));
  if (folder === undefined) throw new Error(`${name} is not installed: run npm ci`);
  return join(folder, name, file);
}

/** The script that a package installs as a command. */
export function packageBin(name: string, command = name.split('/').at(-1) ?? name): string {
  const manifest = JSON.parse(readFileSync(packageFile(name, 'package.json'), 'utf8')) as { bin: Record<string, string> };
  const script = manifest.bin[command];
  if (script === undefined) throw new Error(`${name} has no command ${command}`);
  return packageFile(name, script);
}

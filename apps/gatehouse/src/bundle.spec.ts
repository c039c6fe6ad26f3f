import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));

/** Every package that a chunk loads at once, bundled or not, by itself or by the chunks it imports; not what it imports later. */
function packagesOf(chunk: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(chunk)) return packages;
  seen.add(chunk);
  const source = readFileSync(chunk, 'utf8');
  // What is bundled stands below the name of the file it comes from.
  for (const [, name = ''] of source.matchAll(/^\/\/.*\/node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\//gm)) packages.add(name);
  for (const [, from = ''] of source.matchAll(/^(?:import|export)\s(?:[^'"]*\sfrom\s)?["']([^"']+)["'];?$/gm)) {
    if (!from.startsWith('.')) packages.add(from);
    else for (const name of packagesOf(join(dirname(chunk), from), seen)) packages.add(name);
  }
  return packages;
}

const chunkOf = (name: string): string => {
  const file = readdirSync(join(dist, 'assets')).find((candidate) => candidate.startsWith(`${name}-`) && candidate.endsWith('.js'));
  return join(dist, 'assets', file ?? `no chunk ${name}`);
};
const database = ['typeorm', 'pg'];

it.each([
  ['main', join(dist, 'main.js')],
  ['call', chunkOf('call')],
  ['data-plane', chunkOf('data-plane')],
])('%s never loads the database', (_role, chunk) => {
  expect([...packagesOf(chunk)].filter((name) => database.includes(name))).toEqual([]);
});

it('call loads no server framework', () => {
  expect([...packagesOf(chunkOf('call'))].filter((name) => name.startsWith('@nestjs/') || name === 'pino')).toEqual([]);
});

it('the program of the process that reads documents lies beside what starts it, and loads neither database nor framework', () => {
  const starting = readdirSync(join(dist, 'assets')).filter((file) => file.endsWith('.js') && readFileSync(join(dist, 'assets', file), 'utf8').includes('`./import-worker${'));
  expect(starting).toHaveLength(1);
  const packages = [...packagesOf(join(dist, 'assets', 'import-worker.js'))];
  expect(packages.filter((name) => database.includes(name) || name.startsWith('@nestjs/'))).toEqual([]);
  expect(packages).toEqual(expect.arrayContaining(['zod', 'graphql']));
});

it('control-plane loads the database, so that these specs look in the right place', () => {
  expect([...packagesOf(chunkOf('control-plane'))]).toEqual(expect.arrayContaining(database));
});

it('the catalogue of providers lies where the bundle’s code looks for it', () => {
  const providers = fileURLToPath(new URL('../../../libs/app-catalog/providers/', import.meta.url));
  expect(readdirSync(join(dist, 'providers'))).toEqual(readdirSync(providers));
  const reading = readdirSync(join(dist, 'assets')).filter((file) => file.endsWith('.js') && readFileSync(join(dist, 'assets', file), 'utf8').includes("new URL(\"../providers/\", import.meta.url)"));
  // One folder below dist: from there `../providers/` is what was copied.
  expect(reading).toHaveLength(1);
});

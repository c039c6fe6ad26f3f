import { readFile } from 'node:fs/promises';
import { dirname, join, matchesGlob } from 'node:path';
import { runCommand } from '../support/run-command.ts';

/** The files that `docker build` would be given: those of the checkout, less what .dockerignore names. */
export async function buildContext(root: string): Promise<string[]> {
  const { stdout } = await runCommand('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'], { cwd: root });
  const deleted = new Set((await runCommand('git', ['ls-files', '--deleted'], { cwd: root })).stdout.split('\n'));
  const rules = (await readFile(join(root, '.dockerignore'), 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return stdout.split('\n').filter((file) => file !== '' && !deleted.has(file) && !isIgnored(file, rules));
}

/** The last rule that matches a file, or a folder above it, counts. */
function isIgnored(file: string, rules: readonly string[]): boolean {
  const places: string[] = [];
  for (let place = file; place !== '.'; place = dirname(place)) places.push(place);
  const last = rules.findLast((rule) => places.some((place) => matchesGlob(place, rule.replace(/^!/, ''))));
  return last !== undefined && !last.startsWith('!');
}

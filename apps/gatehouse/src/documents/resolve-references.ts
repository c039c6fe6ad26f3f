import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Environment } from '../environment.ts';

export interface ReferenceProblem {
  readonly path: readonly PropertyKey[];
  readonly detail: string;
}

export interface ReferenceSources {
  readonly environment: Environment;
  /** Relative names of files begin here. */
  readonly folder: string;
}

/** Puts the text in the place of every `{fromEnv: NAME}` and `{fromFile: PATH}`. */
export async function resolveReferences(content: unknown, sources: ReferenceSources): Promise<{ content: unknown; problems: ReferenceProblem[] }> {
  const problems: ReferenceProblem[] = [];
  const visit = async (value: unknown, path: readonly PropertyKey[]): Promise<unknown> => {
    if (Array.isArray(value)) return Promise.all(value.map((item, index) => visit(item, [...path, index])));
    if (typeof value !== 'object' || value === null) return value;
    const reference = referenceIn(value);
    if (!reference) {
      const entries = Object.entries(value).map(async ([key, child]) => [key, await visit(child, [...path, key])] as const);
      return Object.fromEntries(await Promise.all(entries));
    }
    const found = await lookUp(reference, sources);
    if ('text' in found) return found.text;
    problems.push({ path, detail: found.problem });
    // Stands for the text, so that the schema does not complain of the same place again.
    return 'unresolved';
  };
  return { content: await visit(content, []), problems };
}

interface Reference {
  readonly from: 'fromEnv' | 'fromFile';
  readonly name: unknown;
}

function referenceIn(value: object): Reference | undefined {
  const [entry, ...others] = Object.entries(value) as [string, unknown][];
  if (!entry || others.length > 0) return undefined;
  const [from, name] = entry;
  return from === 'fromEnv' || from === 'fromFile' ? { from, name } : undefined;
}

async function lookUp({ from, name }: Reference, { environment, folder }: ReferenceSources): Promise<{ text: string } | { problem: string }> {
  if (typeof name !== 'string' || name === '') return { problem: `${from} needs a name` };
  if (from === 'fromEnv') {
    const value = environment[name];
    return value ? { text: value } : { problem: `the environment variable ${name} is ${value === '' ? 'empty' : 'not set'}` };
  }
  try {
    // The line break that editors put at the end of a file is no part of a secret.
    const value = (await readFile(resolve(folder, name), 'utf8')).replace(/\r?\n$/, '');
    return value === '' ? { problem: `the file ${name} is empty` } : { text: value };
  } catch (error) {
    return { problem: `the file ${name} cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveReferences } from './resolve-references.ts';

describe('resolveReferences', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-references-'));
    await writeFile(join(folder, 'token'), 'of a file\n');
    await writeFile(join(folder, 'empty'), '\n');
  });
  afterAll(() => rm(folder, { recursive: true }));
  const resolve = (content: unknown) => resolveReferences(content, { environment: { KEY: 'of the environment', EMPTY: '' }, folder });

  it('puts text in the place of references, wherever they are', async () => {
    const { content, problems } = await resolve({ a: { fromEnv: 'KEY' }, list: [{ value: { fromFile: 'token' } }], other: { fromEnv: 'x', more: 1 }, n: 1 });
    expect(problems).toEqual([]);
    expect(content).toEqual({ a: 'of the environment', list: [{ value: 'of a file' }], other: { fromEnv: 'x', more: 1 }, n: 1 });
  });

  it.each([
    [{ fromEnv: 'MISSING' }, 'the environment variable MISSING is not set'],
    [{ fromEnv: 'EMPTY' }, 'the environment variable EMPTY is empty'],
    [{ fromEnv: 7 }, 'fromEnv needs a name'],
    [{ fromFile: 'nothing' }, 'the file nothing cannot be read (ENOENT)'],
    [{ fromFile: 'empty' }, 'the file empty is empty'],
  ])('says what is wrong with %j, and where', async (reference, detail) => {
    const { problems } = await resolve({ headers: [{ value: reference }] });
    expect(problems).toEqual([{ path: ['headers', 0, 'value'], detail }]);
  });
});

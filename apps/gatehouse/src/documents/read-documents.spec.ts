import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseDocuments, readDocuments } from './read-documents.ts';

describe('parseDocuments', () => {
  it('gives every document of a text with its place, and leaves empty ones out', () => {
    const { documents, problems } = parseDocuments('# orders\nkind: Server\nname: a\n---\n---\nkind: Server\nappAuth:\n  value: x\n', 'a.yaml');
    expect(problems).toEqual([]);
    expect(documents.map(({ line, content }) => [line, content])).toEqual([
      [2, { kind: 'Server', name: 'a' }],
      [6, { kind: 'Server', appAuth: { value: 'x' } }],
    ]);
    expect(documents[1]?.lineOf(['appAuth', 'value'])).toBe(8);
    expect(documents[1]?.lineOf(['appAuth', 'missing'])).toBe(8);
  });

  it('names the line of what is no YAML, and goes on with the other documents', () => {
    const { documents, problems } = parseDocuments('kind: Server\n---\na: [1\n---\nkind: Workspace\n', 'a.yaml');
    expect(problems).toMatchObject([{ file: 'a.yaml', line: 4 }]);
    expect(documents.map(({ content }) => content['kind'])).toEqual(['Server', 'Workspace']);
  });

  it.each(['just text', '- a\n- list', '42'])('refuses %j: no fields', (source) => {
    expect(parseDocuments(source, 'a.yaml').problems).toMatchObject([{ line: 1, detail: expect.stringContaining('is not a document') as string }]);
  });

  it('refuses aliases that grow without end', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]', ...['b', 'c', 'd', 'e', 'f'].map((name, index) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcde'[index]}`).join(', ')}]`)].join('\n');
    expect(parseDocuments(bomb, 'a.yaml').problems).toMatchObject([{ line: 1, detail: expect.stringMatching(/alias/i) as string }]);
  });
});

describe('readDocuments', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-documents-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('reads the YAML and JSON files of a directory by name, and nothing else', async () => {
    await writeFile(join(folder, 'b.yml'), 'kind: B');
    await writeFile(join(folder, 'a.yaml'), 'kind: A');
    await writeFile(join(folder, 'c.json'), '{"kind": "C"}');
    await writeFile(join(folder, 'README.md'), 'kind: no');
    const { documents } = await readDocuments([folder]);
    expect(documents.map(({ content }) => content['kind'])).toEqual(['A', 'B', 'C']);
    expect(documents[0]?.folder).toBe(folder);
  });

  it('reads standard input', async () => {
    const { documents } = await readDocuments(['-'], Readable.from(['kind: ', 'Server']));
    expect(documents).toMatchObject([{ file: '-', content: { kind: 'Server' } }]);
  });

  it('says which file is missing', async () => {
    const { problems } = await readDocuments([join(folder, 'nothing.yaml')]);
    expect(problems).toMatchObject([{ file: join(folder, 'nothing.yaml'), detail: 'cannot be read: there is no such file' }]);
  });
});

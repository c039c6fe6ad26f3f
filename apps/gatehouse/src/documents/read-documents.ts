import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Document, isNode, LineCounter, parseAllDocuments } from 'yaml';
import type { DocumentProblem, WrittenDocument } from './written-document.ts';

export interface ReadDocuments {
  readonly documents: readonly WrittenDocument[];
  readonly problems: readonly DocumentProblem[];
}

const extensions = new Set(['.yaml', '.yml', '.json']);

/** Reads every document of files, of the YAML and JSON files of directories, and of standard input (`-`). */
export async function readDocuments(names: readonly string[], standardInput: NodeJS.ReadableStream = process.stdin): Promise<ReadDocuments> {
  const read: ReadDocuments[] = [];
  for (const name of names) {
    for (const file of await filesOf(name)) {
      read.push(await readFileDocuments(file, standardInput));
    }
  }
  return { documents: read.flatMap(({ documents }) => documents), problems: read.flatMap(({ problems }) => problems) };
}

async function filesOf(name: string): Promise<readonly string[]> {
  const isDirectory = name !== '-' && (await stat(name).then((entry) => entry.isDirectory(), () => false));
  if (!isDirectory) return [name];
  const entries = await readdir(name);
  return entries.filter((entry) => extensions.has(extname(entry))).toSorted().map((entry) => join(name, entry));
}

async function readFileDocuments(file: string, standardInput: NodeJS.ReadableStream): Promise<ReadDocuments> {
  try {
    return parseDocuments(file === '-' ? await text(standardInput) : await readFile(file, 'utf8'), file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { documents: [], problems: [{ file, detail: `cannot be read: ${code === 'ENOENT' ? 'there is no such file' : message}` }] };
  }
}

/** The documents of one YAML (or JSON) text; empty ones are left out. */
export function parseDocuments(source: string, file: string): ReadDocuments {
  const lines = new LineCounter();
  const documents: WrittenDocument[] = [];
  const problems: DocumentProblem[] = [];
  for (const document of parseAllDocuments(source, { lineCounter: lines, prettyErrors: false }) as Document.Parsed[]) {
    for (const error of document.errors) problems.push({ file, line: lines.linePos(error.pos[0]).line, detail: error.message });
    if (document.errors.length > 0) continue;
    const lineOf = (path: readonly PropertyKey[]): number => lines.linePos(offsetOf(document, path)).line;
    const content = contentOf(document);
    if (content === null) continue;
    if (content instanceof Error) problems.push({ file, line: lineOf([]), detail: content.message });
    else if (isRecord(content)) documents.push({ file, line: lineOf([]), folder: file === '-' ? process.cwd() : dirname(resolve(file)), content, lineOf });
    else problems.push({ file, line: lineOf([]), detail: 'is not a document: it needs fields such as "kind: Server"' });
  }
  return { documents, problems };
}

/** The document's value; aliases that would grow it without end are an error. */
function contentOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Of the deepest node on the way to `path` that the text has. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range[0] ?? 0;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

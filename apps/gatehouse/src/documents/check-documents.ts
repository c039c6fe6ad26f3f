import { plainMessage } from '@gatehouse/config-fields';
import { pointerOf } from '@gatehouse/errors';
import type { Environment } from '../environment.ts';
import { CommandFailure } from '../command-failure.ts';
import { documentKinds, type Issue } from './document-kinds.ts';
import type { ReadDocuments } from './read-documents.ts';
import { type ReferenceProblem, resolveReferences } from './resolve-references.ts';
import { type CheckedDocument, type DocumentProblem, titleOf, type WrittenDocument } from './written-document.ts';

/**
 * Checks every document before anything is done with one, and gives them in the order of their dependencies.
 * @throws CommandFailure with every problem
 */
export async function checkDocuments(read: ReadDocuments, environment: Environment): Promise<readonly CheckedDocument[]> {
  const problems = [...read.problems];
  const checked: CheckedDocument[] = [];
  for (const document of read.documents) {
    const result = await checkDocument(document, environment);
    if (Array.isArray(result)) problems.push(...result);
    else if (checked.some((other) => titleOf(other) === titleOf(result))) problems.push({ ...place(document, titleOf(result)), detail: 'is there twice' });
    else checked.push(result);
  }
  if (problems.length > 0) throw new CommandFailure(['The documents have problems; nothing was changed.', ...problems.map(problemLine)].join('\n'));
  if (checked.length === 0) throw new CommandFailure('There are no documents in what was given.');
  return documentKinds.flatMap((kind) => checked.filter((document) => document.kind === kind).toSorted((a, b) => Number(isVirtual(a)) - Number(isVirtual(b))));
}

/** Its members have to be there. */
const isVirtual = ({ body }: CheckedDocument): boolean => body['type'] === 'virtual';

async function checkDocument(document: WrittenDocument, environment: Environment): Promise<CheckedDocument | DocumentProblem[]> {
  const { kind: kindName, workspace = 'default', ...others } = document.content;
  const kind = documentKinds.find((candidate) => candidate.kind === kindName);
  if (!kind) return [{ ...place(document), pointer: '/kind', detail: `must be one of ${documentKinds.map((known) => known.kind).join(', ')}` }];
  if (typeof workspace !== 'string' || workspace === '') return [{ ...place(document), pointer: '/workspace', detail: 'must be the name of a workspace' }];

  // What belongs to no workspace and names one is refused as with any field that it does not have.
  const fields = !kind.isInWorkspace && 'workspace' in document.content ? { workspace, ...others } : others;
  const { content, problems } = await resolveReferences(fields, { environment, folder: document.folder });
  const body = content as Record<string, unknown>;
  const named = { kind, workspace, name: typeof body['name'] === 'string' ? body['name'] : '(no name)' };
  const result = kind.schema.safeParse(body, { error: plainMessage });
  const all = [...problems, ...(result.error?.issues ?? []).flatMap((issue) => problemsOf(issue))];
  if (all.length > 0) return all.map(({ path, detail }) => ({ ...place(document, titleOf(named), path), pointer: pointerOf(path), detail }));
  return { ...named, file: document.file, body, parsed: result.data as Record<string, unknown> };
}

function place(document: WrittenDocument, title?: string, path: readonly PropertyKey[] = []): Pick<DocumentProblem, 'file' | 'line' | 'title'> {
  return { file: document.file, line: path.length === 0 ? document.line : document.lineOf(path), ...(title && { title }) };
}

const problemLine = ({ file, line, title, pointer, detail }: DocumentProblem): string =>
  `  ${[`${file}${line === undefined ? '' : `:${line}`}`, title, pointer, detail].filter((part) => part !== undefined && part !== '').join('  ')}`;

/** Of a union, the alternative that went furthest was meant. */
function problemsOf(issue: Issue): ReferenceProblem[] {
  if (issue.keys) return issue.keys.map((key) => ({ path: [...issue.path, key], detail: 'is not a known field' }));
  const [meant] = (issue.errors ?? []).toSorted((a, b) => depthOf(b) - depthOf(a));
  if (!meant || depthOf(meant) === 0) return [{ path: issue.path, detail: issue.message }];
  return meant.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }));
}

const depthOf = (issues: readonly Issue[]): number => Math.max(0, ...issues.map((issue) => issue.path.length));


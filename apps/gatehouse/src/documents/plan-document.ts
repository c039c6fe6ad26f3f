import { takeSource, type ToolsSource } from '@gatehouse/gateway-config';
import { CommandFailure } from '../command-failure.ts';
import type { RestClient } from '../gateway/rest-client.ts';
import { readOnlyFields } from './document-kinds.ts';
import { type Difference, findDifferences, isCertain } from './find-differences.ts';
import { type CheckedDocument, titleOf } from './written-document.ts';

/** What applying a document means for what the gateway has. */
export type Plan =
  /** The ETag of what can be read although it is not stored. */
  | { readonly step: 'create'; readonly etag?: string | undefined }
  | { readonly step: 'replace'; readonly differences: readonly Difference[]; readonly isCertain: boolean; readonly etag: string; readonly revision: unknown }
  | { readonly step: 'nothing' };

export const itemPath = ({ kind, workspace, name }: CheckedDocument): string =>
  kind.isSingle ? kind.collection(workspace) : `${kind.collection(workspace)}/${encodeURIComponent(name)}`;

/** What there is one of can always be read: revision 0 says that nobody stored it. */
export const isStored = (body: unknown): boolean => (body as { readonly revision?: unknown }).revision !== 0;

/** Reads what there is now, and compares. */
export async function planDocument(document: CheckedDocument, rest: RestClient): Promise<Plan> {
  const found = await rest.find(itemPath(document));
  if (!found) return { step: 'create' };
  if (document.kind.isSingle && !isStored(found.body)) return { step: 'create', etag: found.etag };
  const current = found.body as Readonly<Record<string, unknown>>;
  const differences = findDifferences(written(current), written({ ...document.kind.defaults(document.parsed), ...withMarks(withoutUndefined(document.parsed)) }));
  if (differences.length === 0) return { step: 'nothing' };
  if (found.etag === undefined) throw new CommandFailure(`${titleOf(document)}: the gateway gave no ETag`);
  return { step: 'replace', differences, isCertain: differences.some(isCertain), etag: found.etag, revision: current['revision'] };
}

/** A source that a document itself has is read as a mark. */
const withMarks = (document: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  document['type'] === 'api' ? { ...document, tools: takeSource(document['tools'] as ToolsSource).tools } : document;

const written = (document: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(document).filter(([field]) => !readOnlyFields.has(field)));

const withoutUndefined = (document: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined));

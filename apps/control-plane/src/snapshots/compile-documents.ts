import { compileDocument, type SealedDocument, type SnapshotKeys } from '@gatehouse/gateway-config';
import { type DocumentSources, readDocuments, type UnreadableDocument } from './read-documents.ts';

/** How many documents are open at a time. */
const batchSize = 200;

export interface Compiled {
  readonly documents: readonly SealedDocument[];
  /** Asked for, and no longer there. */
  readonly gone: readonly string[];
  readonly unreadable: readonly UnreadableDocument[];
}

export interface CompileContext extends DocumentSources {
  readonly keys: SnapshotKeys;
}

/** Seals the documents of the given ids for the data planes; `skip` leaves out those whose content is already there. */
export async function compileDocuments({ keys, ...sources }: CompileContext, ids: readonly string[], skip: ReadonlyMap<string, string> = new Map()): Promise<Compiled> {
  const documents: SealedDocument[] = [];
  const unreadable: UnreadableDocument[] = [];
  const gone: string[] = [];
  for (let start = 0; start < ids.length; start += batchSize) {
    const batch = ids.slice(start, start + batchSize);
    const read = await readDocuments(sources, batch);
    const compiled = read.documents.map((document) => compileDocument(keys, document));
    documents.push(...compiled.filter(({ id, hash }) => skip.get(id) !== hash));
    unreadable.push(...read.unreadable);
    const found = new Set([...compiled, ...read.unreadable].map(({ id }) => id));
    gone.push(...batch.filter((id) => !found.has(id)));
  }
  return { documents, gone, unreadable };
}

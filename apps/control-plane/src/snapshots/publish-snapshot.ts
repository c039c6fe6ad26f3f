import { compileDocument, type SealedDocument, type SnapshotKeys } from '@gatehouse/gateway-config';
import type { SnapshotChannel } from '@gatehouse/snapshot-channel';
import { type CompileContext, compileDocuments } from './compile-documents.ts';
import { readAllIds, type UnreadableDocument } from './read-documents.ts';
import { readChangesSince, readSeenRevision, type SeenRevision } from './revisions.store.ts';

export interface PublishContext extends CompileContext {
  readonly channel: SnapshotChannel;
}

export interface PublishOutcome {
  readonly result: 'unchanged' | 'changed' | 'replaced' | 'lost_race';
  readonly seen: SeenRevision;
  readonly documents: number;
  readonly removed: number;
  readonly unreadable: readonly UnreadableDocument[];
}

/**
 * Publishes what the channel does not have yet. `before` is what the last publication had seen: where the database has another
 * history by now, it was restored, even if its revisions have caught up again.
 *
 * The channel's state is read before the database's revision: were it the other way round, a publication in between would look
 * like a channel that is ahead, which means a restored database too.
 */
export async function publishChanges(context: PublishContext, before?: SeenRevision): Promise<PublishOutcome> {
  const state = await context.channel.readState();
  if (!state || !(await context.channel.isWhole())) return publishEverything(context);
  const { changed, continues, revision, at } = await readChangesSince(context.sql, state.revision, before);
  if (!continues || revision < state.revision) return publishEverything(context);
  const seen = { revision, at };
  if (revision === state.revision) return { result: 'unchanged', seen, documents: 0, removed: 0, unreadable: [] };
  const { documents, gone, unreadable } = await compileDocuments(context, changed);
  const held = new Set((await context.channel.readDocuments(unreadable.map(({ id }) => id))).map(({ id }) => id));
  const added = [...documents, ...placeholders(context.keys, unreadable, held)];
  const published = await context.channel.publish({ expected: state, revision, mode: 'change', documents: added, removed: gone });
  return { result: published ? 'changed' : 'lost_race', seen, documents: added.length, removed: gone.length, unreadable };
}

/** For a channel that is empty or not whole, and for a restored database: nothing of what was there survives. */
export async function publishEverything(context: PublishContext): Promise<PublishOutcome> {
  const expected = await context.channel.readState();
  // Read before the documents: they may be newer than this says, never older.
  const seen = await readSeenRevision(context.sql);
  const { documents, unreadable } = await compileDocuments(context, await readAllIds(context.sql));
  const all = [...documents, ...placeholders(context.keys, unreadable, new Set())];
  const published = await context.channel.publish({ expected, revision: seen.revision, mode: 'replace', documents: all, removed: [] });
  return { result: published ? 'replaced' : 'lost_race', seen, documents: all.length, removed: 0, unreadable };
}

/** Compares everything by content and publishes the differences, whatever the revisions say. */
export async function reconcile(context: PublishContext): Promise<PublishOutcome> {
  const held = (await context.channel.isWhole()) ? await context.channel.readIndex() : undefined;
  if (!held) return publishEverything(context);
  const seen = await readSeenRevision(context.sql);
  if (seen.revision < held.state.revision) return publishEverything(context);
  const ids = await readAllIds(context.sql);
  const { documents: readable, unreadable } = await compileDocuments(context, ids, held.index);
  const documents = [...readable, ...placeholders(context.keys, unreadable, held.index)];
  const existing = new Set(ids);
  const removed = [...held.index.keys()].filter((id) => !existing.has(id));
  const counts = { seen, documents: documents.length, removed: removed.length, unreadable };
  if (seen.revision === held.state.revision && documents.length === 0 && removed.length === 0) return { result: 'unchanged', ...counts };
  const published = await context.channel.publish({ expected: held.state, revision: seen.revision, mode: 'change', documents, removed });
  return { result: published ? 'changed' : 'lost_race', ...counts };
}

/**
 * What a document that cannot be opened is published as. It exists: were it left out, one fault in the vault would remove
 * servers that are being served. Where the channel holds a version of it (`held`), that one stays, which a new data plane can
 * serve as well. Where it holds none, a placeholder keeps its place in the index: a data plane rejects it, says so, and serves
 * on the version that it has itself.
 */
function placeholders(keys: SnapshotKeys, unreadable: readonly UnreadableDocument[], held: { has(id: string): boolean }): SealedDocument[] {
  return unreadable.filter(({ id }) => !held.has(id)).map(({ id }) => compileDocument(keys, { kind: 'unreadable', id }));
}

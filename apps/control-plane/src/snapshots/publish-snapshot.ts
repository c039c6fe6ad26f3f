import type { SnapshotChannel } from '@gatehouse/snapshot-channel';
import { type CompileContext, compileDocuments } from './compile-documents.ts';
import { readAllIds, type UnreadableDocument } from './read-documents.ts';
import { readChangesSince, readRevision } from './revisions.store.ts';

export interface PublishContext extends CompileContext {
  readonly channel: SnapshotChannel;
}

export interface PublishOutcome {
  readonly result: 'unchanged' | 'changed' | 'replaced' | 'lost_race';
  readonly revision: number;
  readonly documents: number;
  readonly removed: number;
  readonly unreadable: readonly UnreadableDocument[];
}

const unchanged = (revision: number): PublishOutcome => ({ result: 'unchanged', revision, documents: 0, removed: 0, unreadable: [] });

/**
 * Publishes what the channel does not have yet. The channel's state is read before the database's revision: were it the other
 * way round, a publication in between would look like a channel that is ahead, which means a restored database.
 */
export async function publishChanges(context: PublishContext): Promise<PublishOutcome> {
  const state = await context.channel.readState();
  if (!state) return publishEverything(context);
  const { revision, changed } = await readChangesSince(context.sql, state.revision);
  if (revision === state.revision) return unchanged(revision);
  if (revision < state.revision) return publishEverything(context);
  const { documents, gone, unreadable } = await compileDocuments(context, changed);
  const published = await context.channel.publish({ expected: state, revision, mode: 'change', documents, removed: gone });
  return { result: published ? 'changed' : 'lost_race', revision, documents: documents.length, removed: gone.length, unreadable };
}

/** For an empty channel, and for one that is ahead of a restored database: nothing of what was there survives. */
export async function publishEverything(context: PublishContext): Promise<PublishOutcome> {
  const expected = await context.channel.readState();
  // Read before the documents: they may be newer than this says, never older.
  const revision = await readRevision(context.sql);
  const { documents, unreadable } = await compileDocuments(context, await readAllIds(context.sql));
  const published = await context.channel.publish({ expected, revision, mode: 'replace', documents, removed: [] });
  return { result: published ? 'replaced' : 'lost_race', revision, documents: documents.length, removed: 0, unreadable };
}

/** Compares everything by content and publishes the differences, whatever the revisions say. */
export async function reconcile(context: PublishContext): Promise<PublishOutcome> {
  const held = await context.channel.readIndex();
  if (!held) return publishEverything(context);
  const revision = await readRevision(context.sql);
  if (revision < held.state.revision) return publishEverything(context);
  const ids = await readAllIds(context.sql);
  const { documents, unreadable } = await compileDocuments(context, ids, held.index);
  const existing = new Set(ids);
  const removed = [...held.index.keys()].filter((id) => !existing.has(id));
  if (revision === held.state.revision && documents.length === 0 && removed.length === 0) return { ...unchanged(revision), unreadable };
  const published = await context.channel.publish({ expected: held.state, revision, mode: 'change', documents, removed });
  return { result: published ? 'changed' : 'lost_race', revision, documents: documents.length, removed: removed.length, unreadable };
}

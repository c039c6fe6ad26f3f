import type { SnapshotKeys } from '@gatehouse/gateway-config';
import type { Logger } from '@gatehouse/service-runtime';
import type { ChannelDocument } from '@gatehouse/snapshot-channel';
import { applyChange, emptySnapshot, type Snapshot } from './current-snapshot.ts';
import { prepareDocuments } from './prepare-snapshot.ts';
import { readSnapshot, removeUnfinished, type SnapshotOnDisk, writeSnapshot } from './snapshot-disk.ts';

/** No publication has this stamp. */
const noStamp = '';
const retryMs = 10_000;

export interface SnapshotKeeperOptions {
  readonly directory: string;
  readonly keys: SnapshotKeys;
  readonly logger: Logger;
  readonly current: () => Snapshot | undefined;
  /** How long a disk that took nothing is left alone (10 s). */
  readonly retryMs?: number;
}

/** Keeps the last known good on disk. A disk that is full or read-only never stops the data plane: it says so and serves on. */
export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #written: Snapshot | undefined;
  #nextWriteAt = 0;
  /** Files that were skipped or could not be written, since the start. */
  failures = 0;

  constructor(options: SnapshotKeeperOptions) {
    this.#options = options;
  }

  /** The revision a start without anything else would serve. */
  get writtenRevision(): number | undefined {
    return this.#written?.state.revision;
  }

  /**
   * What was kept. Where anything of it was rejected, then or now, it claims no stamp: the channel's documents are looked at
   * again, since this release may take what the one before did not. One of which nothing can be used is none at all.
   */
  async load(): Promise<Snapshot | undefined> {
    const { directory, keys, logger } = this.#options;
    await removeUnfinished(directory).catch((error: unknown) => logger.warn({ err: error }, 'unfinished snapshot files could not be removed'));
    const kept = await readSnapshot(directory, keys, (file, error) => {
      this.failures += 1;
      logger.warn({ file, err: error }, 'snapshot on disk cannot be used, skipped');
    });
    if (!kept) return undefined;
    const { prepared, rejects } = await prepareDocuments(keys, olderFirst(kept));
    for (const { id, reason } of rejects) logger.error({ document: id, reason }, 'document on disk rejected');
    const rejected = [...new Set([...kept.rejected, ...rejects.map(({ id }) => id)])];
    if (prepared.length === 0 && rejected.length > 0) {
      this.failures += 1;
      return undefined;
    }
    logger.info({ revision: kept.state.revision, documents: prepared.length, rejected: rejected.length }, 'serving the snapshot on disk');
    const state = rejected.length > 0 ? { ...kept.state, stamp: noStamp } : kept.state;
    return (this.#written = applyChange(emptySnapshot(state), { state, prepared, removed: [], rejected }));
  }

  /** Something changed: written at once, or together with what else changes until the next write is due. */
  schedule(): void {
    this.#timer ??= setTimeout(() => void this.#writeWhenDue(), Math.max(0, this.#nextWriteAt - Date.now())).unref();
  }

  /** Writes what is not written yet. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  /** A disk that was full may have room by now, and nothing may change for days that would be written then. */
  async #writeWhenDue(): Promise<void> {
    await this.flush();
    if (this.#written !== this.#options.current()) this.schedule();
  }

  async #write(): Promise<void> {
    const snapshot = this.#options.current();
    if (snapshot === undefined || snapshot === this.#written) return;
    const startedAt = Date.now();
    try {
      await writeSnapshot(this.#options.directory, this.#options.keys, snapshot);
      this.#written = snapshot;
      // A large snapshot that changes all the time must not keep the disk busy: a tenth of the time at most.
      this.#nextWriteAt = Date.now() + Math.max(100, 10 * (Date.now() - startedAt));
    } catch (error) {
      this.failures += 1;
      this.#nextWriteAt = Date.now() + (this.#options.retryMs ?? retryMs);
      this.#options.logger.error({ err: error }, 'snapshot could not be written to disk; serving on');
    }
  }
}

/** A document that is an older version of itself may have a name that another one has taken since: that one comes later, and has it. */
function olderFirst({ documents, rejected }: SnapshotOnDisk): ChannelDocument[] {
  const isOlder = new Set(rejected);
  return [...documents.filter(({ id }) => isOlder.has(id)), ...documents.filter(({ id }) => !isOlder.has(id))];
}

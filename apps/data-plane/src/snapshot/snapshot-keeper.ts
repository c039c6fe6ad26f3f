import type { SnapshotKeys } from '@gatehouse/gateway-config';
import type { Logger } from '@gatehouse/service-runtime';
import { applyChange, emptySnapshot, type Snapshot } from './current-snapshot.ts';
import { prepareDocuments } from './prepare-snapshot.ts';
import { readSnapshot, writeSnapshot } from './snapshot-disk.ts';

export interface SnapshotKeeperOptions {
  readonly directory: string;
  readonly keys: SnapshotKeys;
  readonly logger: Logger;
  readonly current: () => Snapshot | undefined;
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

  async load(): Promise<Snapshot | undefined> {
    const { directory, keys, logger } = this.#options;
    const kept = await readSnapshot(directory, keys, (file, error) => {
      this.failures += 1;
      logger.warn({ file, err: error }, 'snapshot on disk cannot be used, skipped');
    });
    if (!kept) return undefined;
    const { prepared, rejects } = await prepareDocuments(keys, kept.documents);
    for (const { id, reason } of rejects) logger.error({ document: id, reason }, 'document on disk rejected');
    logger.info({ revision: kept.state.revision, documents: prepared.length }, 'serving the snapshot on disk');
    return (this.#written = applyChange(emptySnapshot(kept.state), { state: kept.state, prepared, removed: [] }));
  }

  /** Something changed: written at once, or together with what else changes until the next write is due. */
  schedule(): void {
    this.#timer ??= setTimeout(() => void this.flush(), Math.max(0, this.#nextWriteAt - Date.now())).unref();
  }

  /** Writes what is not written yet. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
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
      this.#options.logger.error({ err: error }, 'snapshot could not be written to disk; serving on');
    }
  }
}

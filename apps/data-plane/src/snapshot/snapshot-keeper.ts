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
  /** Changes within this time are written together. */
  readonly delayMs?: number;
}

/** Keeps the last known good on disk. A disk that is full or read-only never stops the data plane: it says so and serves on. */
export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #written: Snapshot | undefined;
  /** Files that were skipped or could not be written, since the start. */
  failures = 0;

  constructor(options: SnapshotKeeperOptions) {
    this.#options = options;
  }

  async load(): Promise<Snapshot | undefined> {
    const { directory, keys, logger } = this.#options;
    const kept = await readSnapshot(directory, keys, (file, error) => {
      this.failures += 1;
      logger.warn({ file, err: error }, 'snapshot on disk cannot be used, skipped');
    });
    if (!kept) return undefined;
    const { prepared, rejects } = prepareDocuments(keys, kept.documents);
    for (const { id, reason } of rejects) logger.error({ document: id, reason }, 'document on disk rejected');
    logger.info({ revision: kept.state.revision, documents: prepared.length }, 'serving the snapshot on disk');
    return (this.#written = applyChange(emptySnapshot(kept.state), { state: kept.state, prepared, removed: [] }));
  }

  /** Something changed: written soon, together with what else changes until then. */
  schedule(): void {
    this.#timer ??= setTimeout(() => void this.flush(), this.#options.delayMs ?? 1_000).unref();
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
    try {
      await writeSnapshot(this.#options.directory, this.#options.keys, snapshot);
      this.#written = snapshot;
    } catch (error) {
      this.failures += 1;
      this.#options.logger.error({ err: error }, 'snapshot could not be written to disk; serving on');
    }
  }
}

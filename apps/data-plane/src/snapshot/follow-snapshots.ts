import type { SnapshotKeys } from '@gatehouse/gateway-config';
import type { Logger } from '@gatehouse/service-runtime';
import type { ChannelDocument, ChannelEvent, ChannelState, Hint, SnapshotChannel } from '@gatehouse/snapshot-channel';
import { applyChange, emptySnapshot, type Snapshot } from './current-snapshot.ts';
import { prepareDocuments, type Reject } from './prepare-snapshot.ts';

export interface FollowOptions {
  readonly channel: SnapshotChannel;
  readonly keys: SnapshotKeys;
  readonly pollMs: number;
  readonly logger: Logger;
  /** Called after every change, for what goes by the snapshot between requests; with whether the channel had been away before. */
  readonly onApplied: (afterOutage: boolean) => void;
  readonly onEvent?: (event: ChannelEvent) => void;
}

/** What the data plane knows of its configuration. */
export interface SnapshotStatus {
  readonly snapshot: Snapshot | undefined;
  readonly source: 'channel' | 'disk' | undefined;
  readonly appliedAt: number | undefined;
  readonly rejects: readonly Reject[];
  /** Whether the last look at the channel failed, or none has succeeded since the start: it serves on, from what it has. */
  readonly degraded: boolean;
}

/**
 * Keeps the snapshot current: a hint is applied at once; a gap, a new subscription and a poll look at the whole index.
 * Work is done one piece at a time; a request never waits for any of it.
 */
export class SnapshotFollower {
  readonly #options: FollowOptions;
  readonly #rejects = new Map<string, Reject & { readonly hash: string }>();
  #snapshot: Snapshot | undefined;
  #source: SnapshotStatus['source'];
  #appliedAt: number | undefined;
  #degraded = false;
  /** Whether the channel has answered since the start: until then nobody knows how old what is served is. */
  #hasHeard = false;
  #queue: Promise<void> = Promise.resolve();
  #unfollow: (() => Promise<void>) | undefined;
  #poll: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  get current(): Snapshot | undefined {
    return this.#snapshot;
  }

  get status(): SnapshotStatus {
    const rejects = [...this.#rejects.values()].map(({ id, reason }) => ({ id, reason }));
    return { snapshot: this.#snapshot, source: this.#source, appliedAt: this.#appliedAt, rejects, degraded: this.#degraded || !this.#hasHeard };
  }

  /** Serves a snapshot that was kept on disk until the channel has said what is newer. */
  restore(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#source = 'disk';
    this.#appliedAt = Date.now();
  }

  async start(): Promise<void> {
    this.#unfollow = await this.#options.channel.follow({
      onHint: (hint) => this.#enqueue(() => this.#onHint(hint)),
      onSubscribed: () => this.#enqueue(() => this.#synchronise()),
      onEvent: (event) => this.#options.onEvent?.(event),
    });
    this.#schedulePoll();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#poll);
    await this.#unfollow?.();
    await this.#queue;
  }

  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      if (this.#stopped) return;
      try {
        await work();
        this.#setDegraded(undefined);
      } catch (error) {
        this.#setDegraded(error);
      }
    });
  }

  async #onHint(hint: Hint): Promise<void> {
    if (hint.state.stamp === this.#snapshot?.state.stamp) return;
    if (this.#snapshot === undefined || hint.replaced || hint.previousStamp !== this.#snapshot.state.stamp) return this.#synchronise();
    const ids = hint.changed.map(({ id }) => id);
    const documents = await this.#options.channel.readDocuments(ids);
    // One that is gone already was removed by a later publication: look at all of it.
    if (documents.length < ids.length) return this.#synchronise();
    await this.#apply(this.#snapshot, hint.state, documents, hint.removed);
  }

  async #checkState(): Promise<void> {
    const state = await this.#options.channel.readState();
    // Nothing published is not "nothing configured": the channel was lost, and what is served stays.
    if (state && state.stamp !== this.#snapshot?.state.stamp) await this.#synchronise();
  }

  async #synchronise(): Promise<void> {
    const published = await this.#options.channel.readIndex();
    if (!published || published.state.stamp === this.#snapshot?.state.stamp) return;
    const base = this.#snapshot ?? emptySnapshot(published.state);
    const isUpToDate = (id: string): boolean => base.documents.get(id)?.source.hash === published.index.get(id);
    const wanted = [...published.index].filter(([id, hash]) => !isUpToDate(id) && this.#rejects.get(id)?.hash !== hash).map(([id]) => id);
    const documents = await this.#options.channel.readDocuments(wanted);
    await this.#expectRemoved(missing(wanted, documents));
    const removed = [...base.documents.entries()].map(([id]) => id).filter((id) => !published.index.has(id));
    for (const id of this.#rejects.keys()) if (isUpToDate(id)) this.#rejects.delete(id);
    await this.#apply(base, published.state, documents, removed);
  }

  /** A document that is not there was removed meanwhile, or the channel has lost it: then its index is nothing to follow. */
  async #expectRemoved(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const now = await this.#options.channel.readIndex();
    const lost = ids.filter((id) => now === undefined || now.index.has(id));
    if (lost.length > 0) throw new Error(`the channel has lost ${lost.length} documents of its index`);
  }

  async #apply(base: Snapshot, state: ChannelState, documents: readonly ChannelDocument[], removed: readonly string[]): Promise<void> {
    const { prepared, rejects } = await prepareDocuments(this.#options.keys, documents);
    for (const { source } of prepared) this.#rejects.delete(source.id);
    for (const id of removed) this.#rejects.delete(id);
    for (const reject of rejects) {
      this.#rejects.set(reject.id, { ...reject, hash: documents.find(({ id }) => id === reject.id)?.hash ?? '' });
      this.#options.logger.error({ document: reject.id, reason: reject.reason, revision: state.revision }, 'document rejected, its previous version stays');
    }
    // Nothing at all could be opened: that is a wrong key, not a configuration.
    const [reject] = this.#rejects.values();
    if (this.#snapshot === undefined && prepared.length === 0 && reject) {
      throw new Error(`none of ${this.#rejects.size} documents could be used (${reject.reason}): is GATEHOUSE_SNAPSHOT_KEY the same on all planes?`);
    }
    this.#snapshot = applyChange(base, { state, prepared, removed, rejected: [...this.#rejects.keys()] });
    this.#source = 'channel';
    this.#appliedAt = Date.now();
    this.#options.logger.info({ revision: state.revision, changed: prepared.length, removed: removed.length, rejected: rejects.length }, 'snapshot applied');
    this.#options.onApplied(this.#degraded);
  }

  #setDegraded(error: unknown): void {
    if (error !== undefined && !this.#degraded) this.#options.logger.warn({ err: error }, 'configuration channel is away; serving what is known');
    if (error === undefined && this.#degraded) this.#options.logger.info('configuration channel is back');
    this.#degraded = error !== undefined;
    this.#hasHeard ||= error === undefined;
  }

  #schedulePoll(): void {
    // ±20 %, so that a fleet does not ask in step.
    this.#poll = setTimeout(() => {
      this.#enqueue(() => this.#checkState());
      if (!this.#stopped) this.#schedulePoll();
    }, this.#options.pollMs * (0.8 + Math.random() * 0.4));
    this.#poll.unref();
  }
}

function missing(ids: readonly string[], documents: readonly ChannelDocument[]): string[] {
  const found = new Set(documents.map(({ id }) => id));
  return ids.filter((id) => !found.has(id));
}

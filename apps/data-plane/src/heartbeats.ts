import { version } from '@gatehouse/service-runtime';
import type { SnapshotChannel } from '@gatehouse/snapshot-channel';
import type { SnapshotStatus } from './snapshot/follow-snapshots.ts';

export interface HeartbeatsOptions {
  readonly channel: SnapshotChannel;
  /** The data plane's name. */
  readonly id: string;
  readonly intervalMs: number;
  readonly status: () => SnapshotStatus;
  readonly isDraining: () => boolean;
}

/** Tells the control plane which revision this data plane serves: at every change, and regularly. */
export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
  }

  /** Now, and again after the interval. One that cannot be delivered is not missed. */
  beat(): void {
    clearTimeout(this.#timer);
    const { channel, id, intervalMs, isDraining } = this.#options;
    const { snapshot, source, appliedAt, rejects } = this.#options.status();
    const ageSeconds = appliedAt === undefined ? 0 : Math.round((Date.now() - appliedAt) / 1000);
    channel
      .reportHeartbeat({
        id,
        version,
        revision: snapshot?.state.revision,
        hash: snapshot?.hash,
        ageSeconds,
        source,
        rejects,
        draining: isDraining(),
        reportedAt: new Date().toISOString(),
      })
      .catch(() => undefined);
    this.#timer = setTimeout(() => this.beat(), intervalMs).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

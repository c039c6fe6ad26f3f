import type { SnapshotChannel } from '@gatehouse/snapshot-channel';
import type { Database } from '../database/database.ts';

export interface ReadinessReport {
  readonly status: 'ready' | 'unready';
  /** Why it is unready. */
  readonly reason?: string;
  /** What is away at the moment; what can be done without it is done. */
  readonly degraded?: readonly ('database' | 'channel')[];
}

const probeTimeoutMs = 2_000;

/**
 * Ready once the schema was there and the database answered, until the shutdown. A database that is away later makes it
 * degraded: taking every replica out of service would turn clear 503 answers into connection errors.
 */
export class Readiness {
  #reason: string | undefined = 'starting';
  #probes: { database: Database; channel: SnapshotChannel } | undefined;

  waitingFor(reason: string): void {
    this.#reason = reason;
  }

  started(database: Database, channel: SnapshotChannel): void {
    this.#probes = { database, channel };
    this.#reason = undefined;
  }

  async report(): Promise<ReadinessReport> {
    if (this.#reason !== undefined || !this.#probes) return { status: 'unready', reason: this.#reason ?? 'starting' };
    const { database, channel } = this.#probes;
    const [databaseAnswers, channelAnswers] = await Promise.all([answers(database.sql('select 1')), answers(channel.readState())]);
    const degraded = [...(databaseAnswers ? [] : (['database'] as const)), ...(channelAnswers ? [] : (['channel'] as const))];
    return { status: 'ready', ...(degraded.length > 0 && { degraded }) };
  }
}

async function answers(probe: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), probeTimeoutMs);
  });
  const answered = await Promise.race([probe.then(() => true, () => false), timeout]);
  clearTimeout(timer);
  return answered;
}

import { performance } from 'node:perf_hooks';
import { snapshotKeysOf } from '@gatehouse/gateway-config';
import type { Logger } from '@gatehouse/service-runtime';
import type { SnapshotChannel } from '@gatehouse/snapshot-channel';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { channelToken, loggerToken } from '../control-plane-parts.ts';
import { Database } from '../database/database.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { environmentPolicyOf } from '../header-policy/environment-policy.ts';
import { Metrics } from '../health/metrics.ts';
import { Vault } from '../vault/vault.ts';
import { publishChanges, type PublishContext, type PublishOutcome, reconcile } from './publish-snapshot.ts';
import { forgetOldRevisions, type SeenRevision } from './revisions.store.ts';

const firstRetryMs = 250;
const lastRetryMs = 10_000;
/** Every so many runs everything is compared by content, whatever the revisions say. */
const runsPerReconciliation = 360;
/** A vault that is repaired leaves no revision behind: while something cannot be opened, it is looked at sooner. */
const runsWhileUnreadable = 6;

/** Keeps the channel up to date: at start, after each change, and by a poll for what either of them missed. */
@Injectable()
export class SnapshotPublisher implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #context: PublishContext;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #pollMs: number;
  #runsUntilReconciliation = 0;
  #seen: SeenRevision | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  /** Since when something that was committed here waits to be published. */
  #nudgedAt: number | undefined;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    database: Database,
    vault: Vault,
    metrics: Metrics,
    @Inject(channelToken) channel: SnapshotChannel,
    @Inject(loggerToken) logger: Logger,
    @Inject(settingsToken) settings: ControlPlaneSettings,
  ) {
    const { CONTROL_PLANE_URL: issuer, OAUTH_DYNAMIC_REGISTRATION: registersClients, SNAPSHOT_KEY } = settings;
    this.#context = { sql: database.sql, vault, environmentPolicy: environmentPolicyOf(settings), issuer, registersClients, channel, keys: snapshotKeysOf(SNAPSHOT_KEY) };
    this.#logger = logger;
    this.#metrics = metrics;
    this.#pollMs = settings.SNAPSHOT_POLL_SECONDS * 1_000;
  }

  onApplicationBootstrap(): void {
    this.#look();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Something was committed. Returns at once; of many nudges during a publication one more publication comes. */
  nudge(): void {
    this.#nudgedAt ??= performance.now();
    this.#look();
  }

  #look(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) {
        this.#again = false;
        this.#look();
      } else this.#schedule();
    });
  }

  async #run(): Promise<void> {
    const begunAt = performance.now();
    const nudgedAt = this.#nudgedAt;
    this.#nudgedAt = undefined;
    const took = (outcome: string): void => this.#metrics.publicationDuration.observe({ outcome }, (performance.now() - begunAt) / 1000);
    try {
      const isDue = this.#runsUntilReconciliation === 0;
      const outcome = isDue ? await reconcile(this.#context) : await publishChanges(this.#context, this.#seen);
      this.#seen = outcome.result === 'lost_race' ? this.#seen : outcome.seen;
      took(outcome.result);
      this.#report(outcome);
      if (outcome.result === 'lost_race') this.#nudgedAt = nudgedAt ?? this.#nudgedAt;
      else if (nudgedAt !== undefined) this.#metrics.publicationLag.observe((performance.now() - nudgedAt) / 1000);
      // Someone else published meanwhile: look again at what is there now.
      if (outcome.result === 'lost_race') this.#again = true;
      else this.#runsUntilReconciliation = isDue ? runsPerReconciliation : this.#runsUntilReconciliation - 1;
      if (outcome.unreadable.length > 0) this.#runsUntilReconciliation = Math.min(this.#runsUntilReconciliation, runsWhileUnreadable);
      this.#failures = 0;
      if (isDue) await forgetOldRevisions(this.#context.sql).catch((error: unknown) => this.#logger.warn({ err: error }, 'old revisions were not forgotten'));
    } catch (error) {
      took('failed');
      this.#nudgedAt = nudgedAt ?? this.#nudgedAt;
      this.#failures += 1;
      this.#metrics.publications.inc({ outcome: 'failed' });
      this.#logger.warn({ err: error, failures: this.#failures }, 'the snapshot could not be published; trying again');
    }
  }

  #report({ result, seen: { revision }, documents, removed, unreadable }: PublishOutcome): void {
    this.#metrics.publications.inc({ outcome: result });
    if (result !== 'lost_race') this.#metrics.publishedRevision.set(revision);
    this.#metrics.publishedDocuments.inc(result === 'lost_race' ? 0 : documents);
    for (const { id, error } of unreadable) this.#logger.error({ err: error, document: id }, 'a document could not be opened; data planes keep the version they have');
    if (result !== 'unchanged') this.#logger.info({ result, revision, documents, removed }, 'snapshot published');
  }

  #schedule(): void {
    if (this.#stopped) return;
    const waitMs = this.#failures > 0 ? Math.min(firstRetryMs * 2 ** (this.#failures - 1), lastRetryMs, this.#pollMs) : this.#pollMs;
    // Jittered, so that replicas that began together do not poll together.
    this.#timer = setTimeout(() => this.#look(), waitMs * (0.75 + Math.random() / 2));
    this.#timer.unref();
  }
}

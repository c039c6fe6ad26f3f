import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@gatehouse/service-runtime';
import type { CallEventStream } from '@gatehouse/snapshot-channel';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { callEventsToken, loggerToken } from '../control-plane-parts.ts';
import { Database } from '../database/database.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { Metrics } from '../health/metrics.ts';
import { tidyPartitions } from './call-event-partitions.ts';
import { CallEventKeeper } from './call-event-keeper.ts';
import { readCallEvents, refusals } from './read-call-events.ts';

/** At most so many batches of the stream in one go, of some hundreds of events each. */
const batchesPerTake = 20;
const pollMs = 500;
const lastRetryMs = 10_000;
const tidyEveryMs = 3_600_000;
const firstTidyMs = 60_000;
const dayMs = 86_400_000;

/** Brings the events of calls from the stream into the database. What cannot be stored now stays in the stream; replicas share the work. */
@Injectable()
export class CallEvents implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #stream: CallEventStream;
  readonly #database: Database;
  readonly #keeper: CallEventKeeper;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  readonly #retentionDays: number;
  readonly #consumer = randomUUID();
  readonly #stopped = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #failures = 0;

  constructor(@Inject(callEventsToken) stream: CallEventStream, database: Database, metrics: Metrics, @Inject(loggerToken) logger: Logger, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#stream = stream;
    this.#database = database;
    this.#keeper = new CallEventKeeper(database);
    this.#metrics = metrics;
    this.#logger = logger;
    this.#retentionDays = settings.CALL_EVENTS_RETENTION_DAYS;
  }

  onApplicationBootstrap(): void {
    this.#running = Promise.all([this.#storeAll(), this.#tidyAll()]);
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #storeAll(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const stored = await this.#storeSome();
      if (stored < batchesPerTake) await this.#pause(this.#failures === 0 ? pollMs : Math.min(pollMs * 2 ** this.#failures, lastRetryMs));
    }
  }

  /** @returns how many batches were stored */
  async #storeSome(): Promise<number> {
    try {
      const { batches, oldestMs } = await this.#stream.waiting();
      this.#metrics.callEventBatchesWaiting.set(batches);
      this.#metrics.callEventsLag.set(oldestMs / 1000);
      const stored = batches === 0 ? 0 : await this.#stream.take(this.#consumer, batchesPerTake, (texts) => this.#store(texts));
      this.#failures = 0;
      return stored;
    } catch (error) {
      this.#failures += 1;
      this.#metrics.callEventFailures.inc();
      // Of an outage once is enough; the lag tells how it goes on.
      this.#logger[this.#failures === 1 ? 'warn' : 'debug']({ err: error, failures: this.#failures }, 'call events could not be stored; they stay in the stream');
      return 0;
    }
  }

  async #store(batches: readonly string[]): Promise<void> {
    const now = Date.now();
    const { events, refused } = readCallEvents(batches, { after: now - this.#retentionDays * dayMs, before: now + dayMs });
    const kept = await this.#keeper.keep(events);
    // Only now: until here all of it may come again.
    const counts = { ...refused, refused: kept.refused, stored: kept.stored, duplicate: kept.duplicates };
    for (const [outcome, number] of Object.entries(counts)) this.#metrics.callEvents.inc({ outcome }, number);
    const lost = refusals.filter((reason) => counts[reason] > 0);
    if (lost.length > 0) this.#logger.warn(Object.fromEntries(lost.map((reason) => [reason, counts[reason]])), 'call events were dropped');
  }

  async #tidyAll(): Promise<void> {
    // Not at the start: a batch makes what it needs, and old days can wait.
    for (let waitMs = firstTidyMs; ; waitMs = tidyEveryMs) {
      await this.#pause(waitMs);
      if (this.#stopped.signal.aborted) return;
      try {
        const dropped = await tidyPartitions(this.#database, this.#retentionDays);
        if (dropped.length > 0) this.#logger.info({ partitions: dropped }, 'call events were forgotten');
      } catch (error) {
        this.#logger.warn({ err: error }, 'partitions of call events could not be tidied; trying again later');
      }
    }
  }

  /** Jittered, so that replicas that began together do not work together; over at once at the end. */
  async #pause(ms: number): Promise<void> {
    await delay(ms * (0.75 + Math.random() / 2), undefined, { signal: this.#stopped.signal, ref: false }).catch(() => undefined);
  }
}

import type { Logger } from '@gatehouse/service-runtime';
import type { CallEventStream } from '@gatehouse/snapshot-channel';
import { Counter, type Registry } from 'prom-client';
import type { CallEventSink } from '../observe-calls.ts';
import { EventIds } from './event-ids.ts';

export interface CallEventBufferOptions {
  readonly stream: CallEventStream;
  /** Name of this data plane, in each event. */
  readonly dataPlane: string;
  readonly registry: Registry;
  readonly logger: Logger;
  /** How long an event waits for others. */
  readonly flushMs?: number;
  readonly eventsPerBatch?: number;
  /** More do not wait: the oldest go. */
  readonly maxBatches?: number;
}

const dropReasons = ['buffer_full', 'stream_full', 'shutdown'] as const;

type DropReason = (typeof dropReasons)[number];

/**
 * Events of calls on their way to the stream: a bounded number, in batches, one under way at a time. No call waits for any of it, and
 * what is lost is counted.
 */
export class CallEventBuffer implements CallEventSink {
  readonly #options: Required<CallEventBufferOptions>;
  readonly #ids = new EventIds();
  readonly #dataPlane: string;
  readonly #sent: Counter;
  readonly #dropped: Counter<'reason'>;
  readonly #timer: NodeJS.Timeout;
  #current: string[] = [];
  #waiting: string[][] = [];
  #sending: Promise<void> | undefined;
  /** The stream did not take the last batch: it is tried again with the next tick, and not with the next batch. */
  #isAway = false;

  constructor(options: CallEventBufferOptions) {
    this.#options = { flushMs: 500, eventsPerBatch: 500, maxBatches: 20, ...options };
    const { dataPlane, registry, flushMs } = this.#options;
    this.#dataPlane = JSON.stringify(dataPlane);
    this.#sent = new Counter({ name: 'gatehouse_call_events_sent_total', help: 'Call events that reached the stream.', registers: [registry] });
    this.#dropped = new Counter({
      name: 'gatehouse_call_events_dropped_total',
      help: 'Call events that were lost: this data plane kept no more of them (buffer_full), the stream did not (stream_full), or it was away at the end (shutdown).',
      labelNames: ['reason'],
      registers: [registry],
    });
    for (const reason of dropReasons) this.#dropped.inc({ reason }, 0);
    this.#timer = setInterval(() => this.#onTick(), flushMs);
    this.#timer.unref();
  }

  add(fields: string, at: Date, time: string): void {
    const size = this.#current.push(`{"id":"${this.#ids.next(at.getTime())}","at":"${time}","dataPlane":${this.#dataPlane},${fields.slice(1)}`);
    if (size >= this.#options.eventsPerBatch) this.#close();
  }

  /** Sends what there is, as long as the stream takes it. One that has just been away is not waited for again: whoever ends the process has little time. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sending;
    if (this.#current.length > 0) this.#close();
    this.#send();
    await this.#sending;
    for (const batch of this.#waiting.splice(0)) this.#drop('shutdown', batch.length);
  }

  #onTick(): void {
    this.#isAway = false;
    // While others wait, the newest batch goes on growing: many small ones would be as many as a few large ones may be.
    if (this.#waiting.length === 0 && this.#current.length > 0) this.#close();
    else this.#send();
  }

  #close(): void {
    this.#waiting.push(this.#current);
    this.#current = [];
    this.#makeRoom();
    this.#send();
  }

  #makeRoom(): void {
    while (this.#waiting.length > this.#options.maxBatches) this.#drop('buffer_full', this.#waiting.shift()?.length ?? 0);
  }

  #send(): void {
    if (this.#sending !== undefined || this.#isAway || this.#waiting.length === 0) return;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    for (let batch = this.#waiting.shift(); batch !== undefined; batch = this.#waiting.shift()) {
      try {
        const lost = await this.#options.stream.append(batch);
        this.#sent.inc(batch.length);
        if (lost > 0) this.#drop('stream_full', lost);
      } catch (error) {
        this.#isAway = true;
        this.#options.logger.debug({ err: error }, 'call events wait: the stream does not take them');
        this.#waiting.unshift(batch);
        this.#makeRoom();
        return;
      }
    }
  }

  #drop(reason: DropReason, events: number): void {
    this.#dropped.inc({ reason }, events);
    this.#options.logger.warn({ reason, events }, 'call events were lost');
  }
}

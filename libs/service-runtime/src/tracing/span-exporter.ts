import { createAddressGuard, OriginPools, sendRequest } from '@gatehouse/egress';
import type { Secret } from '@gatehouse/sealing';
import { Counter, type Registry } from 'prom-client';
import type { Logger } from '../logger.ts';
import type { Span } from './span.ts';
import { spanText } from './span-text.ts';

export interface SpanExporterOptions {
  readonly url: URL;
  /** Names and values, as they are sent. */
  readonly headers: readonly (readonly [name: string, value: Secret])[];
  /** Text of the resource and scope that all spans are of: what stands before the spans, and what behind them. */
  readonly envelope: readonly [before: string, after: string];
  readonly timeoutMs: number;
  /** How long a span waits for others. */
  readonly delayMs: number;
  readonly spansPerBatch: number;
  readonly maxWaiting: number;
  readonly counters: SpanCounters;
  readonly logger: Logger;
  /** Milliseconds, monotonic: what spans are measured with. */
  readonly now: () => number;
}

const dropReasons = ['queue_full', 'refused', 'unreachable', 'shutdown'] as const;

type DropReason = (typeof dropReasons)[number];

/** What becomes of spans. They are there, and 0, where there is no tracing, too. */
export class SpanCounters {
  readonly #exported: Counter;
  readonly #dropped: Counter<'reason'>;

  constructor(registry: Registry) {
    this.#exported = new Counter({ name: 'gatehouse_spans_exported_total', help: 'Spans that the collector has taken.', registers: [registry] });
    this.#dropped = new Counter({
      name: 'gatehouse_spans_dropped_total',
      help: 'Spans that were lost: this process kept no more of them (queue_full), the collector did not take them (refused), did not answer (unreachable), or not before the end (shutdown).',
      labelNames: ['reason'],
      registers: [registry],
    });
    for (const reason of dropReasons) this.#dropped.inc({ reason }, 0);
  }

  exported(spans: number): void {
    this.#exported.inc(spans);
  }

  dropped(reason: DropReason, spans: number): void {
    this.#dropped.inc({ reason }, spans);
  }
}

/** What a batch that was not taken is tried again after (OTLP/HTTP, failures). */
const pausesMs = [1_000, 5_000] as const;
const retryable = new Set([429, 502, 503, 504]);
/** Whoever ends the process has little time. */
const stopMs = 2_000;
/** A clock that was set, and not one that reads in whole milliseconds. */
const clockStepMs = 50;

type Sent = { readonly rejected: number } | { readonly failed: DropReason; readonly mayRetry: boolean; readonly cause: unknown };

/**
 * Spans on their way to the collector: a bounded number, in batches, one under way at a time. Nothing waits for any of it, whatever
 * the collector does, and what is lost is counted.
 */
export class SpanExporter {
  readonly #options: SpanExporterOptions;
  readonly #pools: OriginPools;
  readonly #stopping = new AbortController();
  #waiting: string[] = [];
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Ends a pause. */
  #wake: (() => void) | undefined;
  #isStopped = false;
  #isFailing = false;
  #epochMs: number;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
    this.#epochMs = Date.now() - options.now();
    // Infrastructure of our own, at a place that only the environment names.
    this.#pools = new OriginPools({ guard: createAddressGuard({ allowedRanges: ['all'] }), connectionsPerOrigin: 1, connectTimeoutMs: Math.min(options.timeoutMs, 5_000) });
  }

  readonly add = (span: Span): void => {
    const { maxWaiting, spansPerBatch, delayMs, counters } = this.#options;
    if (this.#isStopped) return counters.dropped('shutdown', 1);
    if (this.#waiting.length >= maxWaiting) return counters.dropped('queue_full', 1);
    // As text at once: a batch of them at a time would hold up whatever call comes then.
    const size = this.#waiting.push(spanText(span, this.#epochMs));
    if (this.#sending !== undefined) return undefined;
    if (size >= spansPerBatch) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), delayMs).unref();
    return undefined;
  };

  /** Sends what there is, within a few seconds; what is left is counted as lost. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const deadline = setTimeout(() => this.#stopping.abort(), stopMs);
    this.#wake?.();
    this.#send();
    await this.#sending;
    clearTimeout(deadline);
    this.#options.counters.dropped('shutdown', this.#waiting.splice(0).length);
    await this.#pools.destroy();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sending !== undefined || this.#waiting.length === 0) return;
    this.#keepTime();
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = undefined;
      if (!this.#isStopped && this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#send(), this.#options.delayMs).unref();
    });
  }

  async #sendAll(): Promise<void> {
    const { spansPerBatch } = this.#options;
    do {
      const batch = this.#waiting.splice(0, spansPerBatch);
      await this.#sendBatch(batch);
      if (this.#stopping.signal.aborted) return;
    } while (this.#waiting.length >= spansPerBatch || (this.#isStopped && this.#waiting.length > 0));
  }

  async #sendBatch(batch: readonly string[]): Promise<void> {
    const { counters } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      const sent = await this.#post(batch);
      if ('rejected' in sent) {
        this.#recovered();
        counters.exported(batch.length - sent.rejected);
        return counters.dropped('refused', sent.rejected);
      }
      this.#failed(sent.cause);
      const pauseMs = sent.mayRetry && !this.#isStopped ? pausesMs[attempt] : undefined;
      if (pauseMs === undefined) return counters.dropped(this.#stopping.signal.aborted ? 'shutdown' : sent.failed, batch.length);
      await this.#pause(pauseMs);
    }
  }

  async #post(batch: readonly string[]): Promise<Sent> {
    const { url, headers, envelope, timeoutMs } = this.#options;
    const own = headers.map(([name, value]) => [name, value.reveal()] as const);
    try {
      const { status, body } = await sendRequest(this.#pools, {
        method: 'POST', url, headers: [['content-type', 'application/json'], ...own], body: envelope[0] + batch.join(',') + envelope[1],
        timeouts: { headersMs: timeoutMs, bodyMs: timeoutMs, totalMs: timeoutMs }, signal: this.#stopping.signal, maxResponseBytes: 65_536,
      });
      if (status >= 200 && status < 300) return { rejected: Math.min(rejectedIn(body.toString('utf8')), batch.length) };
      return { failed: 'refused', mayRetry: retryable.has(status), cause: new Error(`status ${status}`) };
    } catch (cause) {
      return { failed: 'unreachable', mayRetry: true, cause };
    }
  }

  /** Ends early with the process. */
  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms).unref();
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }

  /** Once for each time that it is away: each batch would be a line otherwise. */
  #failed(cause: unknown): void {
    if (!this.#isFailing) this.#options.logger.warn({ err: cause }, 'spans are not taken: the collector does not answer as it should');
    this.#isFailing = true;
  }

  #recovered(): void {
    if (this.#isFailing) this.#options.logger.info('spans are taken again');
    this.#isFailing = false;
  }

  /** The monotonic clock and the one on the wall drift apart in a process of weeks. */
  #keepTime(): void {
    const epochMs = Date.now() - this.#options.now();
    if (Math.abs(epochMs - this.#epochMs) > clockStepMs) this.#epochMs = epochMs;
  }
}

/** What a collector that answers 200 has not taken all the same (OTLP, partial success). */
function rejectedIn(text: string): number {
  try {
    const answer = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: unknown } } | null;
    const rejected = Number(answer?.partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    return 0;
  }
}

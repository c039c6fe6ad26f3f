import type { Worker } from 'node:cluster';
import type { Answers, DescribedMetric, FromWorker, ToWorker } from './worker-messages.ts';
import { RestartPauses } from './restart-pauses.ts';
import { countsOf, sumMetrics } from './summed-metrics.ts';

/**
 * How long a worker may take to answer; what it said last is said for one that does not. How they are is asked by probes, which wait
 * for two seconds themselves: one worker that is stuck must not make all of them unready.
 */
const answerTimeoutMs = { status: 300, metrics: 2_000 } satisfies Record<keyof Answers, number>;
/** One that has said nothing for so long does not work. */
const silentMs = 30_000;

/** The place of one worker: the process that has it at the moment, and what is known of those that had it. */
export class WorkerSlot {
  readonly number: number;
  readonly pauses = new RestartPauses();
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #process: Worker | undefined;
  #url: string | undefined;
  #forkedAt = 0;
  #heardAt = 0;
  #asked = 0;
  #status: Answers['status'] | undefined;
  #metrics: Answers['metrics'] = [];
  /** Of the processes that have ended: what they counted does not go with them. */
  #departed: (readonly DescribedMetric[])[] = [];

  constructor(number: number) {
    this.number = number;
  }

  get process(): Worker | undefined {
    return this.#process;
  }

  get livedMs(): number {
    return performance.now() - this.#forkedAt;
  }

  get metrics(): readonly (readonly DescribedMetric[])[] {
    return [...this.#departed, this.#metrics];
  }

  /** What it said last, if that was a little while ago; of one that is not there, or has not started yet, nothing. */
  get status(): Answers['status'] | undefined {
    return this.#process && performance.now() - this.#heardAt < silentMs ? this.#status : undefined;
  }

  /** @param onStarted called with the URL it serves */
  take(process: Worker, onStarted: (url: string) => void): void {
    this.#process = process;
    this.#forkedAt = performance.now();
    process.on('message', (message: FromWorker) => {
      this.#heardAt = performance.now();
      if ('startedAt' in message) {
        this.#url = message.startedAt;
        onStarted(message.startedAt);
      } else {
        this.#waiting.get(message.id)?.(message.answer);
      }
    });
  }

  leave(): void {
    this.#process = undefined;
    this.#url = undefined;
    this.#status = undefined;
    this.#departed = [...this.#departed, countsOf(this.#metrics)];
    this.#metrics = [];
    void this.#addUpDeparted();
  }

  /** However many there were, there is one sum of them. */
  async #addUpDeparted(): Promise<void> {
    const parts = this.#departed;
    const sum = (await sumMetrics(parts).getMetricsAsJSON()) as unknown as readonly DescribedMetric[];
    // What has come meanwhile stands behind.
    this.#departed = this.#departed[0] === parts[0] ? [sum, ...this.#departed.slice(parts.length)] : this.#departed;
  }

  send(message: ToWorker): void {
    if (this.#process?.isConnected()) this.#process.send(message, () => undefined);
  }

  async ask(what: keyof Answers): Promise<void> {
    // One that is starting has nothing to say yet.
    if (this.#url === undefined) return;
    const id = (this.#asked += 1);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, resolve);
    const timer = setTimeout(() => resolve(undefined), answerTimeoutMs[what]);
    const asked = this.#process;
    this.send({ ask: what, id });
    const answer = await promise;
    clearTimeout(timer);
    this.#waiting.delete(id);
    if (answer === undefined || asked !== this.#process) return;
    if (what === 'status') this.#status = answer as Answers['status'];
    else this.#metrics = answer as Answers['metrics'];
  }
}

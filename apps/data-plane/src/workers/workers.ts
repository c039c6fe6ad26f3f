import cluster from 'node:cluster';
import type { Logger } from '@gatehouse/service-runtime';
import { closeWhatWasNotTaken } from './given-connection.ts';
import { sumMetrics } from './summed-metrics.ts';
import { WorkerSlot } from './worker-slot.ts';

export interface WorkersOptions {
  readonly count: number;
  /** Added to the environment of the worker with a number, from 1. */
  environmentOf(worker: number): Readonly<Record<string, string>>;
  /** After how long workers that were told to stop are killed. */
  readonly stopTimeoutMs: number;
  readonly logger: Logger;
}

/** A worker ended that cannot be started again; it has said why. */
export class WorkerEndedError extends Error {
  readonly code = 'worker_ended';
  readonly exitCode: number;

  constructor(worker: number, exitCode: number) {
    super(`worker ${worker} ended with exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** The processes that share the public port. One that ends is started again. */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #slots: readonly WorkerSlot[];
  readonly #failed = Promise.withResolvers<never>();
  #restarts = 0;
  #hasStarted = false;
  #isStopping = false;
  #allEnded: (() => void) | undefined;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.count }, (_, index) => new WorkerSlot(index + 1));
    // Whoever waits for it is told; nobody need.
    this.#failed.promise.catch(() => undefined);
  }

  get slots(): readonly WorkerSlot[] {
    return this.#slots;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Rejects, with WorkerEndedError, when the workers cannot go on. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /**
   * Resolves with the URL that they serve when all of them do.
   * @throws WorkerEndedError
   */
  async start(): Promise<string> {
    const urls = await Promise.race([Promise.all(this.#slots.map((slot) => this.#fork(slot))), this.failed]);
    this.#hasStarted = true;
    return urls[0] ?? '';
  }

  /** Each finishes what it has in flight, as long as its drain timeout lets it. Resolves when the last one has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const ended = new Promise<void>((resolve) => void (this.#allEnded = resolve));
    for (const slot of this.#slots) slot.send({ stop: true });
    const timer = setTimeout(() => this.#kill(), this.#options.stopTimeoutMs);
    this.#tellIfAllEnded();
    await ended;
    clearTimeout(timer);
  }

  /** Asks all of them how they are. */
  async look(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.ask('status')));
  }

  /** What all of them have counted, those that have ended too. */
  async metrics(): Promise<ReturnType<typeof sumMetrics>> {
    await Promise.all(this.#slots.map((slot) => slot.ask('metrics')));
    return sumMetrics(this.#slots.flatMap((slot) => slot.metrics));
  }

  #fork(slot: WorkerSlot): Promise<string> {
    return new Promise((resolve) => {
      const child = cluster.fork(this.#options.environmentOf(slot.number));
      slot.take(child, (url) => {
        // One that was not there yet when all were told has not heard it.
        if (this.#isStopping) slot.send({ stop: true });
        resolve(url);
      });
      closeWhatWasNotTaken(child);
      // An error of the process is followed by its end.
      child.on('error', (error) => this.#options.logger.warn({ failed: slot.number, err: error }, 'a worker cannot be reached'));
      child.once('exit', (exitCode: number | null, signal: string | null) => this.#onExit(slot, exitCode, signal));
    });
  }

  #onExit(slot: WorkerSlot, exitCode: number | null, signal: string | null): void {
    const { number, livedMs } = slot;
    slot.leave();
    if (this.#isStopping) return this.#tellIfAllEnded();
    // Later, a file that is just being written may be what is wrong with a setting: the others serve on.
    if (!this.#hasStarted) return this.#failed.reject(new WorkerEndedError(number, exitCode || 1));
    const pauseMs = slot.pauses.next(livedMs);
    this.#options.logger.error({ ended: number, exitCode, signal, livedMs: Math.round(livedMs), startsInMs: pauseMs }, 'a worker ended; it is started again');
    this.#restarts += 1;
    setTimeout(() => {
      if (!this.#isStopping) void this.#fork(slot);
    }, pauseMs);
  }

  #tellIfAllEnded(): void {
    if (this.#slots.every(({ process }) => process === undefined)) this.#allEnded?.();
  }

  #kill(): void {
    for (const { number, process } of this.#slots) {
      if (!process) continue;
      this.#options.logger.error({ killed: number }, 'a worker does not end; it is killed');
      process.process.kill('SIGKILL');
    }
  }
}

import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import type { ImportAnswer, ImportOutcome, ImportQuestion } from './import-worker.ts';

/** Beside this file as it is written, and beside what it is bundled into (apps/gatehouse/vite.config.ts). */
const program = new URL(`./import-worker${extname(import.meta.url)}`, import.meta.url);

/** That a document took more time or memory than there is for one. */
export class ImportTooLarge extends Error {}

/**
 * A process that reads documents, one after the other. A thread would not do: where its heap is full in the middle of something
 * that cannot be interrupted, as JSON.parse, V8 ends the whole process.
 */
export class ImportProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(heapMb: number) {
    // Nothing of the settings is there: the root key is no business of who reads what others wrote.
    this.#child = fork(program, { env: {}, execArgv: [`--max-old-space-size=${heapMb}`], serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    this.#child.unref();
    this.#child.channel?.unref();
    this.#ended = new Promise((resolve) => void this.#child.on('exit', () => resolve()).on('error', () => resolve()));
  }

  get isAlive(): boolean {
    return this.#child.connected;
  }

  /** @throws ImportTooLarge, and what else there was in place of an answer; one that has failed is not asked again */
  async ask(question: ImportQuestion, deadlineMs: number): Promise<ImportOutcome> {
    const child = this.#child;
    const { promise, resolve, reject } = Promise.withResolvers<ImportAnswer>();
    // By a signal: V8’s, whose heap is full, or the kernel’s, which has no more for it.
    const onExit = (code: number | null): void => reject(code === null ? new ImportTooLarge('memory') : new Error(`the process of an import ended with code ${code}`));
    const timer = setTimeout(() => reject(new ImportTooLarge('time')), deadlineMs);
    child.on('message', resolve).on('exit', onExit).on('error', reject);
    try {
      child.send(question, (error) => void (error && reject(error)));
      const answer = await promise;
      if (!('error' in answer)) return answer;
      // What the engine has no room for: a text, an array, a recursion.
      throw answer.error instanceof RangeError ? new ImportTooLarge('memory', { cause: answer.error }) : answer.error;
    } finally {
      clearTimeout(timer);
      child.off('message', resolve).off('exit', onExit).off('error', reject);
    }
  }

  /** Even in the middle of something. */
  end(): Promise<void> {
    // Who waits for it is kept for as long, and no longer.
    this.#child.ref();
    this.#child.kill('SIGKILL');
    return this.#ended;
  }
}

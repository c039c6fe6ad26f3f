import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { endWithThisProcess } from './workspace-support.ts';

export interface ProcessOptions {
  readonly command: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
  /** Takes what the process writes. A file, so that nobody's reading slows it down. */
  readonly outputFile: string;
}

/** A process of the bench; it writes into a file and ends with the bench. */
export class RunningProcess {
  readonly #child: ChildProcess;
  readonly outputFile: string;

  constructor({ command: [program, ...args], environment, outputFile }: ProcessOptions) {
    const output = openSync(outputFile, 'a');
    this.#child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ['ignore', output, output] });
    closeSync(output);
    this.outputFile = outputFile;
    endWithThisProcess(this.#child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Asks again and again until there is an answer; rejects with the process's output when it ends before, or takes too long. */
  async until<T>(what: string, ask: () => Promise<T | undefined>, everyMs = 5, limitMs = 30_000): Promise<T> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const answer = await ask().catch(() => undefined);
      if (answer !== undefined) return answer;
      if (!this.running || performance.now() > deadline) {
        throw new Error(`${what}: ${this.running ? `not within ${limitMs} ms` : 'the process ended'}\n${(await readFile(this.outputFile, 'utf8')).slice(-4_000)}`);
      }
      await delay(everyMs);
    }
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(killer);
  }
}

import { GatewayError } from '@gatehouse/errors';
import type { ToolsSource } from '@gatehouse/gateway-config';
import type { OnApplicationShutdown } from '@nestjs/common';
import { ImportProcess, ImportTooLarge } from './import-process.ts';
import type { ImportOutcome, ImportQuestion } from './import-worker.ts';
import { type ImportedTools, readTools } from './read-tools.ts';

export const importLimits = {
  /** At once; each may use a processor, and `heapMb` and what a process needs besides. */
  processes: 2,
  /** For one of those; each holds its document. */
  waiting: 8,
  deadlineMs: 20_000,
  heapMb: 256,
};

/** One that has nothing to read is kept for the next document, for so long. */
const idleMs = 30_000;

/** Where descriptions of APIs are read: others wrote them, and what a hostile one takes of time and memory must not be the control plane's. */
export class ImportProcesses implements OnApplicationShutdown {
  readonly #limits: typeof importLimits;
  readonly #processes = new Set<ImportProcess>();
  readonly #idle: ImportProcess[] = [];
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(limits = importLimits) {
    this.#limits = limits;
  }

  /** As `readTools`. @throws GatewayError validation_failed, too_many_attempts */
  async read(tools: ToolsSource, text: string | object): Promise<ImportedTools> {
    // These were checked with the document that they stand in.
    if (tools.operations !== undefined) return readTools(tools, text);
    const answer = await this.#ask({ tools, text });
    if ('problems' in answer) throw new GatewayError('validation_failed', { problems: answer.problems });
    return answer.imported;
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.#idleTimer);
    await Promise.all([...this.#processes].map((process) => process.end()));
  }

  async #ask(question: ImportQuestion): Promise<ImportOutcome> {
    await this.#place();
    const process = this.#take();
    try {
      const answer = await process.ask(question, this.#limits.deadlineMs);
      this.#keep(process);
      this.#leave();
      return answer;
    } catch (error) {
      // Its place is free when it has ended, and not while it still computes.
      void this.#end(process).then(() => this.#leave());
      if (error instanceof ImportTooLarge) throw tooLarge(question.tools, error);
      throw error;
    }
  }

  #place(): Promise<void> | void {
    if (this.#busy < this.#limits.processes) return void (this.#busy += 1);
    if (this.#waiting.length >= this.#limits.waiting) throw new GatewayError('too_many_attempts', { publicMessage: 'Too many imports are waiting; try again later.' });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Whoever waits has the place at once: nobody else gets in between. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy -= 1;
    else next();
  }

  #take(): ImportProcess {
    const kept = this.#idle.pop();
    if (kept === undefined) return this.#begin();
    if (kept.isAlive) return kept;
    void this.#end(kept);
    return this.#take();
  }

  #begin(): ImportProcess {
    const process = new ImportProcess(this.#limits.heapMb);
    this.#processes.add(process);
    return process;
  }

  #keep(process: ImportProcess): void {
    this.#idle.push(process);
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => void Promise.all(this.#idle.splice(0).map((each) => this.#end(each))), idleMs).unref();
  }

  async #end(process: ImportProcess): Promise<void> {
    await process.end();
    this.#processes.delete(process);
  }
}

function tooLarge(tools: ToolsSource, cause: ImportTooLarge): GatewayError {
  const pointer = tools.openapi === undefined ? '/tools/graphql' : '/tools/openapi';
  return new GatewayError('validation_failed', { cause, problems: [{ pointer, detail: `takes more ${cause.message} to import than there is for one: make the document smaller`, code: 'import_too_large' }] });
}

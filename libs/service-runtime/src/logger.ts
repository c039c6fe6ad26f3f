import { GatewayError } from '@gatehouse/errors';
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  /** The process's role, on every line. */
  readonly role: string;
  /** Which of several processes that write to one standard output; 0 = their primary. */
  readonly worker?: number;
  /** Where lines go; standard output when absent. */
  readonly destination?: DestinationStream;
}

/** JSON lines. Secrets hide themselves (their type has no text); errors are reduced to code, detail and cause's message. */
export function createLogger({ level, role, worker, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { role, ...(worker !== undefined && { worker }), pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError },
  };
  return pino(options, destination ?? standardOutput(worker !== undefined));
}

/**
 * Writes lines that come with every call, as the logger would write them, in a third of its time: level, time and the logger's own
 * fields stand before theirs, the message behind them. Theirs are the text of a JSON object that is not empty. For what holds no
 * error; the logger's serializers do not see it.
 */
export function lineWriter(logger: Logger, message: string): (level: string, time: string, fields: string) => void {
  const { [pino.symbols.streamSym]: destination, [pino.symbols.chindingsSym]: own } = logger as unknown as WrittenLogger;
  const end = `,"msg":${JSON.stringify(message)}}\n`;
  return (level, time, fields) => destination.write(`{"level":"${level}","time":"${time}"${own},${fields.slice(1, -1)}${end}`);
}

/** What a logger of pino writes with: where to, and its own fields as text. */
interface WrittenLogger {
  readonly [pino.symbols.streamSym]: DestinationStream;
  readonly [pino.symbols.chindingsSym]: string;
}

interface ErrorDescription {
  readonly code?: string;
  readonly name?: string;
  readonly detail?: string;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
}

/** What of an error is logged. Stacks only of errors nobody foresaw. */
export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof Error)) return { name: typeof error };
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  if (error instanceof GatewayError && error.code !== 'internal') return { code: error.code, ...(error.detail && { detail: error.detail }), ...cause };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { name: error.name, ...code, detail: error.message, ...(error.stack && { stack: error.stack }), ...cause };
}

/** Lines are written together: a write for each costs more than all else about it. None waits longer than a tenth of a second. */
function standardOutput(isShared: boolean): DestinationStream {
  // What a pipe takes as a whole or not at all (PIPE_BUF): lines of processes that share one do not get mixed up.
  const lengths = isShared ? { minLength: 3_072, maxWrite: 4_096 } : { minLength: 4_096 };
  return pino.destination({ fd: 1, sync: false, periodicFlush: 100, ...lengths });
}

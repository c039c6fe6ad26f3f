import { output } from './output.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;
const forcedExitCode = { SIGINT: 130, SIGTERM: 143 } as const;

/** Aborted by the first SIGINT or SIGTERM; the second one ends the process at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of signals) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(forcedExitCode[signal]);
      if (process.stderr.isTTY) output.note('\nStopping (again: at once) …');
      controller.abort();
    });
  }
  return controller.signal;
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Everything was closed: a handle that somebody forgot must not keep the process. */
export function exitSoon(graceMs = 1_000): void {
  setTimeout(() => process.exit(), graceMs).unref();
}

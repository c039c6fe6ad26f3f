import { setTimeout as delay } from 'node:timers/promises';
import { isRunning } from './process-identity.ts';

/** Fast shutdown; immediate shutdown, which the next start recovers from; and what nothing survives. */
const steps = [
  { signal: 'SIGINT', waitMs: 15_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
] as const;

/** Stops a Postgres server and resolves when it is gone. */
export async function stopProcess(pid: number): Promise<void> {
  for (const { signal, waitMs } of steps) {
    if (!send(pid, signal)) return;
    for (let waitedMs = 0; waitedMs < waitMs; waitedMs += 10) {
      if (!isRunning(pid)) return;
      await delay(10);
    }
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

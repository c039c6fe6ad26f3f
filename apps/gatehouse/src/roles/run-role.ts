import { describeSettings } from '@gatehouse/service-runtime';
import type { Command } from 'commander';
import { output } from '../output.ts';
import { aborted, exitSoon, stopSignal } from '../stop-signal.ts';

export interface RoleOptions {
  readonly json?: boolean;
  readonly help?: boolean;
}

/** A plane that runs. */
export interface RunningRole {
  /** Nobody's request is broken off by what follows. */
  drain(): Promise<void>;
  close(): Promise<void>;
  /** Aborted when somebody else than whoever sends signals wants it to end. */
  readonly stopped?: AbortSignal;
  /** Rejects when it cannot go on. */
  readonly failed?: Promise<never>;
}

/** Runs one role until SIGINT or SIGTERM; then it is drained and closed, in order, and the exit code is 0. */
export async function runRole<R extends RunningRole>(options: RoleOptions, start: () => Promise<R>, ready: (role: R) => object): Promise<number> {
  const signal = stopSignal();
  const role = await Promise.race([start(), aborted(signal)]);
  if (role === undefined) {
    // It waits for something, such as its database, and has nothing to bring to an end.
    exitSoon();
    return 0;
  }
  if (options.json) output.json({ ready: true, ...ready(role) });
  try {
    await Promise.race([aborted(role.stopped ? AbortSignal.any([signal, role.stopped]) : signal), ...(role.failed ? [role.failed] : [])]);
  } finally {
    await role.drain();
    await role.close();
    exitSoon();
  }
  return 0;
}

/** `--help` of a role: the options, and every setting of the environment. */
export function roleHelp(command: Command, settings: Parameters<typeof describeSettings>[0]): number {
  command.outputHelp();
  output.line(`\nSettings, from the environment ([_FILE]: or the name of a file that holds it):\n${describeSettings(settings)}`);
  return 0;
}

import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Which core a process of the bench is kept on. */
export interface Cores {
  /** The proxy under test, alone. */
  readonly proxy: number | undefined;
  /** Everything else: load, upstream, Redis. */
  readonly rest: number | undefined;
}

/** Cores to pin to, where there are two and `taskset` is there. */
export function chooseCores(): Cores {
  const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;
  return canPin ? { proxy: 0, rest: 1 } : { proxy: undefined, rest: undefined };
}

/** Moves this process, so that the bench itself is not on the proxy's core. What it starts inherits that. */
export function pinThisProcess(core: number | undefined): void {
  if (core !== undefined) spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(process.pid)]);
}

/** A command line that runs on one core. */
export function pinned(core: number | undefined, command: readonly [string, ...string[]]): [string, ...string[]] {
  return core === undefined ? [...command] : ['taskset', '--cpu-list', String(core), ...command];
}

import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Names one process for good: a pid alone is given out again after the process ended.
 * `world` is the boot and pid namespace in which pid and start time mean something.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
  readonly world: string;
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTicks: readStat(process.pid)?.startTicks ?? '0', world: ownWorld() };
}

export function formatIdentity({ pid, startTicks, world }: ProcessIdentity): string {
  return `${pid}.${startTicks}.${world}`;
}

export function parseIdentity(text: string): ProcessIdentity | undefined {
  const [, pid, startTicks, world] = /^([1-9]\d{0,9})\.(\d+)\.([0-9a-f]+)$/.exec(text) ?? [];
  return pid && startTicks && world ? { pid: Number(pid), startTicks, world } : undefined;
}

/** Whether the pid can be looked up from here: another container or an earlier boot counted its own pids. */
export function isOfOwnWorld(identity: ProcessIdentity): boolean {
  return identity.world === ownWorld();
}

/** Whether exactly that process still runs; only meaningful in its own world. */
export function isAlive(identity: ProcessIdentity): boolean {
  return isRunning(identity.pid) && [undefined, identity.startTicks].includes(readStat(identity.pid)?.startTicks);
}

/** Whether some process with this pid runs. A zombie does not: in a container nobody may ever reap it. */
export function isRunning(pid: number): boolean {
  return pidExists(pid) && !['Z', 'X'].includes(readStat(pid)?.state ?? '');
}

export function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function readStat(pid: number): { state: string; startTicks: string } | undefined {
  const stat = readOrUndefined(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === undefined) return undefined;
  // proc_pid_stat(5): the name in parentheses may contain anything, so count from the last one: state is field 3, start time 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTicks: fields[19] ?? '0' };
}

function ownWorld(): string {
  const boot = readOrUndefined(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')) ?? '';
  const pidNamespace = readOrUndefined(() => readlinkSync('/proc/self/ns/pid')) ?? '';
  return createHash('sha256').update(`${boot}${pidNamespace}`).digest('hex').slice(0, 12);
}

function readOrUndefined(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

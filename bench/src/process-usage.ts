import { readFileSync } from 'node:fs';

/** Resident memory in MB, and the CPU time a process has used; undefined where there is no /proc. */
export interface ProcessUsage {
  readonly rssMb: number;
  readonly cpuSeconds: number;
}

// USER_HZ is 100 on every Linux that Node runs on.
const ticksPerSecond = 100;

export function usageOf(pid: number): ProcessUsage | undefined {
  try {
    const rssKb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    // The fields after the command's closing parenthesis: state is the first, user and system time the 12th and 13th.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return { rssMb: rssKb / 1024, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond };
  } catch {
    return undefined;
  }
}

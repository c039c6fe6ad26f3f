import { readdir, readFile } from 'node:fs/promises';

export interface ProcessUsage {
  readonly residentMb: number;
  readonly descriptors: number;
}

/** What a process has at the moment, of Linux's /proc. */
export async function usageOf(pid: number | undefined): Promise<ProcessUsage> {
  const [status, descriptors] = await Promise.all([readFile(`/proc/${pid}/status`, 'utf8'), readdir(`/proc/${pid}/fd`)]);
  return { residentMb: Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024), descriptors: descriptors.length };
}

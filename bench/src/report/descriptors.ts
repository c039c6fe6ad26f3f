import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

/** Sockets and files that a process has open; nothing where there is no /proc. */
export function descriptorsOf(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

/** The most that a process may have open: Node takes all that the machine allows, and only its administrator can allow more. */
export function descriptorLimit(): number {
  const text = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}

import { once } from 'node:events';
import { spawn } from 'node:child_process';

/**
 * No file of that process may grow beyond so many bytes from now on: its writes fail half-way, as on a disk without room, and those of
 * nobody else.
 */
export async function limitFiles({ child }: { readonly child: { readonly pid?: number | undefined } }, bytes: number | 'unlimited'): Promise<void> {
  const prlimit = spawn('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:unlimited`], { stdio: 'inherit' });
  const [code] = (await once(prlimit, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`prlimit ended with ${code}`);
}

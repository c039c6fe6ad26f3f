import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { endWithThisProcess } from './workspace-support.ts';

/** Runs a program whose output is this one's. */
export async function runInForeground([program, ...args]: readonly [string, ...string[]]): Promise<void> {
  const child = spawn(program, args, { stdio: 'inherit' });
  endWithThisProcess(child);
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  if (exitCode !== 0) throw new Error(`${args.join(' ')} ended with ${exitCode}`);
}

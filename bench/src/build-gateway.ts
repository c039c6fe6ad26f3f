import { fileURLToPath } from 'node:url';
import { runCommand } from './workspace-support.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Builds the checkout's gateway; nothing is done where its build is up to date. A stale build must not be what is measured. */
export async function buildGateway(): Promise<void> {
  const nx = fileURLToPath(new URL('../../node_modules/.bin/nx', import.meta.url));
  const { exitCode, stdout, stderr } = await runCommand(process.execPath, [nx, 'build', '@gatehouse/gatehouse', '--outputStyle=static'], { cwd: root });
  if (exitCode !== 0) throw new Error(`the gateway cannot be built:\n${stdout}${stderr}`);
}

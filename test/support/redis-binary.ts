import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { runCommand } from './run-command.ts';

const advice = 'The tests need redis-server. Install it (Debian: apt-get install redis-server, macOS: brew install redis) and try again.';

/** Makes sure that redis-server can be started, and installs it where that needs no one's permission. */
export async function ensureRedisServer(): Promise<void> {
  if (hasRedisServer()) return;
  const mayInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version');
  if (!mayInstall) throw new Error(advice);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', 'redis-server', '--no-install-recommends']]) {
    const { exitCode, stderr } = await runCommand('apt-get', args, { env });
    if (exitCode !== 0) throw new Error(`${advice}\napt-get ${args.join(' ')}: ${stderr}`);
  }
  if (!hasRedisServer()) throw new Error(advice);
}

function hasRedisServer(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

import { spawnSync } from 'node:child_process';
import { installDebianPackage } from './debian-package.ts';

const advice = 'The tests need redis-server. Install it (Debian: apt-get install redis-server, macOS: brew install redis) and try again.';

/** Makes sure that redis-server can be started, and installs it where that needs no one's permission. */
export async function ensureRedisServer(): Promise<void> {
  if (hasRedisServer()) return;
  await installDebianPackage('redis-server', advice);
  if (!hasRedisServer()) throw new Error(advice);
}

function hasRedisServer(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

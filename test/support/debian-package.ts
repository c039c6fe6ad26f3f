import { existsSync } from 'node:fs';
import { runCommand } from './run-command.ts';

/** Installs a package where that needs no one's permission. @throws Error with `advice` where it does, or where it fails */
export async function installDebianPackage(name: string, advice: string): Promise<void> {
  const mayInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version');
  if (!mayInstall) throw new Error(advice);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', name, '--no-install-recommends']]) {
    const { exitCode, stderr } = await runCommand('apt-get', args, { env });
    if (exitCode !== 0) throw new Error(`${advice}\napt-get ${args.join(' ')}: ${stderr}`);
  }
}

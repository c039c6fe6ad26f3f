import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const tools = [
  { command: 'nginx', probe: ['-v'], package: 'nginx-light' },
  { command: 'wrk', probe: ['-v'], package: 'wrk' },
] as const;

/** Makes sure that nginx and wrk are there, and installs them where that needs no one's permission. */
export function ensureTools(): void {
  const missing = tools.filter(({ command, probe }) => spawnSync(command, probe).error !== undefined);
  if (missing.length === 0) return;
  const packages = missing.map((tool) => tool.package);
  const advice = `The bench needs nginx and wrk. Install them (Debian: apt-get install ${packages.join(' ')}, macOS: brew install nginx wrk) and try again.`;
  const mayInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version');
  if (!mayInstall) throw new Error(advice);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', ...packages]]) {
    const { status, stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${advice}\napt-get ${args.join(' ')}: ${stderr}`);
  }
}

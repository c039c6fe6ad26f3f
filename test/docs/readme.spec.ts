import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type GatehouseProcess, startGatehouse } from '../support/gatehouse-process.ts';
import { type CommandResult, runCommand } from '../support/run-command.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
let gatehouse: GatehouseProcess;
let commands: string[];
let readme: string;
let issuedKey = '';

beforeAll(async () => {
  // A folder as the checkout is for a reader: `npx gatehouse`, `examples/` and `.gatehouse/` are where README says.
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-readme-'));
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin', 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${root}apps/gatehouse/bin/gatehouse.js" "$@"\n`);
  await chmod(join(folder, 'bin', 'npx'), 0o755);
  await symlink(join(root, 'examples'), join(folder, 'examples'));
  gatehouse = await startGatehouse(['up', '--demo', '--json', '--data-dir', join(folder, '.gatehouse'), '--control-plane-port', '0', '--data-plane-port', '0']);
  readme = await readFile(join(root, 'README.md'), 'utf8');
  commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((block) => (block[1] ?? '').trim().split('\n'));
});
afterAll(async () => {
  await gatehouse.stop();
  await rm(folder, { recursive: true, force: true });
});

async function run(beginning: string): Promise<CommandResult> {
  const command = commands.find((line) => line.includes(beginning));
  if (!command) throw new Error(`README has no command with “${beginning}”: ${commands.join(' | ')}`);
  const line = command.replace('http://localhost:3000', gatehouse.controlPlaneUrl).replace('gatehouse_…', issuedKey);
  return runCommand('sh', ['-c', line], { cwd: folder, env: { ...process.env, PATH: `${folder}/bin:${process.env['PATH'] ?? ''}` } });
}

it('names two commands to begin with, which exist', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  expect(commands.slice(0, 2)).toEqual(['npm ci', 'npm start']);
  expect(scripts['start']).toContain('up --demo');
  for (const name of ['test', 'bench', 'conformance', 'lint', 'build']) expect(scripts).toHaveProperty(name);
});

it('the call that it pastes shows the stored key and none of the caller’s headers', async () => {
  const { exitCode, stdout } = await run('call demo whoami');
  expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/X-Api-Key\s+…\w{4}/)]);
  expect(stdout).toContain('Of the caller’s own headers none arrived');
});

it('connect prints what a client needs', async () => {
  const { exitCode, stdout } = await run('connect claude demo');
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`${gatehouse.dataPlaneUrl}/mcp/default/demo`)]);
});

it('apply registers the example and shows its service account’s key once; diff finds nothing left to do', async () => {
  const applied = await run('apply -f examples/orders.yaml');
  expect([applied.exitCode, applied.stderr]).toEqual([0, '']);
  issuedKey = /gatehouse_[0-9a-f]{16}_[\w-]{43}/.exec(applied.stdout)?.[0] ?? '';
  expect(issuedKey).not.toBe('');
  expect((await run('diff -f examples/orders.yaml')).exitCode).toBe(0);
});

it('the test of the server says at which step it fails, and what to do', async () => {
  const { stdout } = await run('/servers/orders/test');
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'failed', steps: expect.arrayContaining([expect.objectContaining({ step: 'resolve', outcome: 'failed', advice: expect.any(String) as string })]) as unknown });
});

it('the call with the key comes past the gateway’s door, and fails at the example’s upstream, which is not there', async () => {
  const { exitCode, stderr } = await run('call orders --key');
  expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/upstream/i)]);
});

it.each(['explain demo -H \'X-Tenant', 'explain demo --curl', 'explain demo -H \'Authorization'])('%s says what README shows', async (beginning) => {
  const { exitCode, stdout, stderr } = await run(beginning);
  expect([exitCode, stderr]).toEqual([0, '']);
  const lines = stdout.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, '  '));
  for (const shown of outputAfter(beginning)) {
    const pattern = new RegExp(`^${shown.trim().replaceAll(/ {2,}/g, '  ').replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replaceAll('…', '.*')}$`);
    expect(lines, shown).toContainEqual(expect.stringMatching(pattern));
  }
});

/** The lines that README shows of a command's output; … stands for anything. */
function outputAfter(beginning: string): string[] {
  const [, output] = /```\n\n```\n([\s\S]*?)```/.exec(readme.slice(readme.indexOf(beginning))) ?? [];
  if (!output) throw new Error(`README shows no output of ${beginning}`);
  return output.trim().split('\n');
}

it('an interactive server sends clients to log in', async () => {
  const { stdout } = await run('curl -X PATCH');
  expect(JSON.parse(stdout)).toMatchObject({ name: 'demo', agentAuth: { type: 'interactive' } });
  const asked = () => fetch(`${gatehouse.dataPlaneUrl}/mcp/default/demo`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
  await expect.poll(async () => (await asked()).headers.get('www-authenticate')).toContain('resource_metadata=');
});

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type GatehouseProcess, startGatehouse } from '../support/gatehouse-process.ts';
import { type CommandResult, runCommand } from '../support/run-command.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
let gatehouse: GatehouseProcess;
let text: string;
let commands: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-vault-'));
  const args = ['up', '--demo', '--json', '--data-dir', join(folder, '.gatehouse'), '--control-plane-port', '0', '--data-plane-port', '0'];
  gatehouse = await startGatehouse(args, { env: { GATEHOUSE_VAULT_KEY_GRACE_SECONDS: '1' } });
  text = await readFile(join(root, 'docs/vault.md'), 'utf8');
  commands = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((block) => (block[1] ?? '').trim().split('\n'));
});
afterAll(async () => {
  await gatehouse?.stop();
  await rm(folder, { recursive: true, force: true });
});

const run = (command: string): Promise<CommandResult> => {
  const args = command.replace(/^npx gatehouse /, '').split(' ');
  return runCommand(process.execPath, [join(root, 'apps/gatehouse/bin/gatehouse.js'), ...args], { cwd: folder });
};
const statesOf = ({ stdout }: CommandResult, workspace: string): string[] =>
  stdout.split('\n').map((line) => line.split(/ {2,}/)).flatMap(([name, , state = '']) => (name === workspace ? [state] : []));

it('has the commands that this runs, and no others', () => {
  expect(commands).toEqual(['npx gatehouse keys list', 'npx gatehouse keys rotate --workspace default', 'npx gatehouse keys rotate --all --wait']);
});

it('its commands list and rotate', async () => {
  const [list = '', rotate = '', rotateAll = ''] = commands;
  const before = await run(list);
  expect([before.exitCode, before.stderr]).toEqual([0, '']);
  expect([statesOf(before, 'default'), statesOf(before, '(gateway)')]).toEqual([['active'], ['active']]);
  expect(await run(rotate)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 key ') as string });
  expect(await run(rotateAll)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('destroyed') as string, stderr: '' });
  const after = await run(list);
  expect(statesOf(after, '(gateway)')).toEqual(['destroyed', 'active']);
  expect(statesOf(after, 'default').slice(-2)).toEqual(['destroyed', 'active']);
  expect((await run(`${list} --json`)).stdout).not.toContain('wrapped');
  // What was sealed before is what the call needs.
  expect(await run('call demo whoami')).toMatchObject({ exitCode: 0 });
}, 90_000);

it('names the metrics that there are', async () => {
  const source = await readFile(join(root, 'apps/control-plane/src/health/metrics.ts'), 'utf8');
  for (const [, name = ''] of text.matchAll(/gatehouse_control_plane_(\w+)/g)) expect(source).toContain(`\${prefix}${name}`);
});

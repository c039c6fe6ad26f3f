import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { packageBin } from '../support/package-file.ts';
import { runCommand } from '../support/run-command.ts';

const program = fileURLToPath(new URL('../support/conformance-clients/cross-app-access.ts', import.meta.url));

describe('the conformance tool’s scenarios for a client of cross-app access (ID-JAG)', () => {
  it.each([
    ['auth/enterprise-managed-authorization', packageBin('@modelcontextprotocol/conformance')],
    ['auth/cross-app-access-complete-flow', packageBin('conformance-legacy', 'conformance')],
  ])('%s', { timeout: 60_000 }, async (scenario, tool) => {
    const { exitCode, checks, output } = await runClientScenario(scenario, tool);
    expect(checks.filter(({ status }) => status !== 'SUCCESS' && status !== 'INFO'), output).toEqual([]);
    const passed = checks.filter(({ status }) => status === 'SUCCESS').map(({ id }) => id);
    expect(passed).toEqual(expect.arrayContaining(['complete-flow-token-exchange', 'complete-flow-jwt-bearer', 'valid-bearer-token']));
    expect(exitCode, output).toBe(0);
  });
});

interface ScenarioRun {
  readonly exitCode: number | null;
  readonly checks: readonly { readonly id: string; readonly status: string }[];
  readonly output: string;
}

async function runClientScenario(scenario: string, tool: string): Promise<ScenarioRun> {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  try {
    const { exitCode, stdout, stderr } = await runCommand(process.execPath, [tool, 'client', '--scenario', scenario, '--command', `${process.execPath} ${program}`, '--output-dir', folder]);
    const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('checks.json'));
    const checks = await Promise.all(files.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as ScenarioRun['checks']));
    return { exitCode, checks: checks.flat(), output: `${stdout}\n${stderr}` };
  } finally {
    await rm(folder, { recursive: true });
  }
}

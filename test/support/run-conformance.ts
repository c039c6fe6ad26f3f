import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageBin } from './package-file.ts';
import { runCommand } from './run-command.ts';

/** `legacy-all` is 0.1.16 with everything it has; the others are alpha.12 with what that revision requires. */
export const conformanceSuites = ['legacy-all', '2025-11-25', '2026-07-28'] as const;
export type ConformanceSuite = (typeof conformanceSuites)[number];

/** How many checks the reference server passes: of all, or of those that the revision requires. */
export const conformanceBars: Record<ConformanceSuite, { of: 'total' | 'required'; checks: number }> = {
  'legacy-all': { of: 'total', checks: 44 },
  '2025-11-25': { of: 'total', checks: 84 },
  '2026-07-28': { of: 'required', checks: 120 },
};

export interface Tally {
  passed: number;
  failed: number;
}

export interface ConformanceFigures {
  suite: ConformanceSuite;
  total: Tally;
  /** Without the extensions, pending and later scenarios that the tool runs but does not score. */
  required: Tally;
  /** `scenario:check` of each failed check. */
  failures: string[];
  requiredFailures: string[];
  /** `scenario:check STATUS` of every check, sorted, to compare two runs. */
  outcomes: string[];
}

interface Check {
  name: string;
  status: string;
  isRequired: boolean;
}

/** Runs one suite of the conformance tool against `url`. Throws when the tool ran no scenario. */
export async function runConformance(suite: ConformanceSuite, url: string): Promise<ConformanceFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  try {
    const run = await runCommand(process.execPath, [...toolArguments(suite), '--url', url, '--output-dir', folder]);
    const checks = await readChecks(folder, unscoredScenarios(run.stdout));
    if (checks.length === 0) throw new Error(`the conformance tool ran nothing:\n${run.stdout}\n${run.stderr}`);
    return figuresOf(suite, checks);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function toolArguments(suite: ConformanceSuite): string[] {
  if (suite === 'legacy-all') return [packageBin('conformance-legacy', 'conformance'), 'server', '--suite', 'all'];
  return [packageBin('@modelcontextprotocol/conformance'), 'server', '--requirements', suite];
}

/** The tool lists these after its totals, as `✓ name (reason)`; nothing else is told apart in its result files. */
function unscoredScenarios(stdout: string): Set<string> {
  const [, list = ''] = stdout.split(/^Not scored for .*$/m);
  return new Set([...list.matchAll(/^\s+\S\s+(\S+) \((?:extension|pending|added-after-release)\)/gm)].map(([, name = '']) => name));
}

/** One folder per scenario: `server-<scenario>-<time>/checks.json`. */
async function readChecks(folder: string, unscored: Set<string>): Promise<Check[]> {
  const checks: Check[] = [];
  for (const entry of await readdir(folder)) {
    const scenario = /^server-(.+)-\d{4}-\d{2}-\d{2}T/.exec(entry)?.[1];
    if (scenario === undefined) continue;
    const results = JSON.parse(await readFile(join(folder, entry, 'checks.json'), 'utf8')) as { id: string; status: string }[];
    for (const { id, status } of results) {
      checks.push({ name: `${scenario}:${id}`, status, isRequired: !unscored.has(scenario) });
    }
  }
  return checks;
}

function figuresOf(suite: ConformanceSuite, checks: Check[]): ConformanceFigures {
  const required = checks.filter((check) => check.isRequired);
  return {
    suite,
    total: tally(checks),
    required: tally(required),
    failures: failed(checks),
    requiredFailures: failed(required),
    outcomes: checks.filter(({ status }) => status !== 'INFO').map(({ name, status }) => `${name} ${status}`).sort(),
  };
}

function tally(checks: Check[]): Tally {
  return { passed: checks.filter(({ status }) => status === 'SUCCESS').length, failed: failed(checks).length };
}

function failed(checks: Check[]): string[] {
  return checks.filter(({ status }) => status === 'FAILURE').map(({ name }) => name).sort();
}
